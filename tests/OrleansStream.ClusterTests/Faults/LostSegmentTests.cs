using System.Globalization;
using System.Text.Json;
using OrleansStream.Checkpoints;
using OrleansStream.ClusterTests.Cluster;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>A snapshot in the checkpoint folder is lost or damaged, and then the silo dies that leads the job.</summary>
public sealed class LostSegmentTests(Garnet garnet)
{
    private const string Job = AllroundJob.JobName;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_whose_sinks_can_withdraw_falls_back_past_a_full_snapshot_that_is_lost_or_damaged(bool isLost)
    {
        await using var cluster = await SiloCluster.StartAsync(garnet, new SiloClusterOptions { KeepsSnapshots = false });
        var job = await AllroundOnCluster.StartAsync(cluster, events: 300_000, keys: 200, rate: 15_000);
        await SecondGenerationAsync(cluster);
        var (leader, history, newest) = await HaltAsync(cluster);
        var older = history.Kept.First(kept => kept.Generation != history.Kept[0].Generation);

        var segment = newest.Segments().Where(one => one.Checkpoint == newest.Generation).MaxBy(static one => one.LengthBytes)!;
        if (isLost) File.Delete(PathOf(cluster, segment));
        else Flip(PathOf(cluster, segment));
        leader.Kill();

        var running = await cluster.WaitAsync(Job, "running again", status => IsPast(status, newest));
        Assert.Equal(older.Id.ToString(), running.GetProperty("restoredFrom").GetString());
        await job.FinishAsync();
        TestContext.Current.SendDiagnosticMessage($"{segment.Name}, {segment.LengthBytes:N0} bytes: from {newest.Id} back to {older.Id}");
    }

    [Fact]
    public async Task A_job_with_a_sink_that_cannot_withdraw_stops_and_names_what_is_damaged_and_goes_on_when_that_is_restored()
    {
        await using var cluster = await SiloCluster.StartAsync(garnet, new SiloClusterOptions { KeepsSnapshots = false });
        var arguments = new Dictionary<string, string> { [AllroundJob.Arguments.Events] = "600000", [AllroundJob.Arguments.Keys] = "200" };
        await cluster.StartJobAsync(Job, arguments, parallelism: 3, checkpointInterval: "500ms", recordsPerSecond: 30_000);
        await SecondGenerationAsync(cluster);
        var (leader, _, newest) = await HaltAsync(cluster);

        var segment = newest.Segments().Where(one => one.Checkpoint == newest.Generation).MaxBy(static one => one.LengthBytes)!;
        var path = PathOf(cluster, segment);
        var whole = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        File.Delete(path);
        leader.Kill();

        var stopped = await cluster.WaitAsync(Job, "stopped", static status => SiloCluster.Text(status, "phase") == "failed");
        var cause = SiloCluster.Text(stopped, "cause");
        TestContext.Current.SendDiagnosticMessage(cause);
        Assert.Contains(segment.Name, cause, StringComparison.Ordinal);
        Assert.Contains("cannot take back what it has written since; restore the damaged file from a backup", cause, StringComparison.Ordinal);

        await File.WriteAllBytesAsync(path, whole, TestContext.Current.CancellationToken);
        await cluster.StartJobAsync(Job, arguments, parallelism: 3, checkpointInterval: "500ms", recordsPerSecond: 30_000);
        var running = await cluster.WaitAsync(Job, "running again", status => IsPast(status, newest));
        Assert.Equal(newest.Id.ToString(), running.GetProperty("restoredFrom").GetString());
        // Whatever was lost or doubled would have failed it.
        await cluster.FinishAsync(Job);
    }

    [Fact]
    public async Task Segments_that_living_silos_keep_near_them_may_be_lost_and_damaged()
    {
        await using var cluster = await SiloCluster.StartAsync(garnet);
        var job = await AllroundOnCluster.StartAsync(cluster, events: 300_000, keys: 200, rate: 15_000, stateBytes: 4_096);
        await SecondGenerationAsync(cluster);
        var (leader, _, newest) = await HaltAsync(cluster);

        var living = cluster.Living.Where(node => node != leader).ToList();
        var kept = newest.Segments().Where(segment => living.Any(node => File.Exists(Path.Combine(cluster.SnapshotsOf(node), segment.Name)))).ToList();
        Assert.True(kept.Count > 1, "The silos keep too few.");
        for (var i = 0; i < kept.Count; i++)
        {
            if (i % 2 == 0) File.Delete(PathOf(cluster, kept[i]));
            else Flip(PathOf(cluster, kept[i]));
        }

        leader.Kill();

        var running = await cluster.WaitAsync(Job, "running again", status => IsPast(status, newest));
        Assert.True(newest.Id.ToString() == running.GetProperty("restoredFrom").GetString(), $"Not from {newest.Id}, but from {running.GetProperty("restoredFrom")}:\n{cluster.Printed}");
        await job.FinishAsync();
        TestContext.Current.SendDiagnosticMessage($"{kept.Count} of {newest.Segments().Count()} segments were lost or damaged, of {kept.Sum(static segment => segment.LengthBytes):N0} bytes of {newest.StateBytes():N0}");
    }

    /// <summary>Waits until checkpoints are kept that build on two full snapshots.</summary>
    private static Task<JsonElement> SecondGenerationAsync(SiloCluster cluster) => cluster.WaitAsync(Job, "past a second full checkpoint", static status =>
        status.GetProperty("checkpoints").EnumerateArray().Count(static one => one.GetProperty("isFull").GetBoolean() && one.GetProperty("state").GetString() == "committed") >= 2);

    /// <summary>Halts the silo that leads the job, so that nothing more is published, and reads what is.</summary>
    private static async Task<(SiloNode Leader, JobHistory History, Manifest Newest)> HaltAsync(SiloCluster cluster)
    {
        var leader = await cluster.LeaderAsync(Job);
        await leader.PauseAsync();
        var store = new LocalFolderStore(cluster.Checkpoints);
        var retry = new RetryRule(TimeProvider.System, new Random(1));
        var history = await HistoryLog.ReadAsync(store, Job, retry, TestContext.Current.CancellationToken);
        Assert.Null(history.End);
        return (leader, history, await ManifestObject.ReadAsync(store, Job, history.Kept[0], retry, TestContext.Current.CancellationToken));
    }

    private static bool IsPast(JsonElement status, Manifest manifest) => SiloCluster.Text(status, "phase") is "running" or "finished"
        && int.Parse(SiloCluster.Text(status, "attempt"), CultureInfo.InvariantCulture) > manifest.Id.Attempt.Number && status.GetProperty("restoredFrom").ValueKind == JsonValueKind.String;

    private static string PathOf(SiloCluster cluster, SegmentRef segment) => Path.Combine(cluster.Checkpoints, segment.Name);

    private static void Flip(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
    }
}
