using System.Text.Json;
using OrleansStream.ClusterTests.Cluster;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>The disk of the checkpoint folder is full for a while.</summary>
public sealed class FullDiskTests(Garnet garnet)
{
    [Fact]
    public async Task A_job_whose_checkpoint_disk_is_full_says_what_to_do_and_goes_on_when_there_is_room()
    {
        Assert.SkipWhen(SmallDisk.Missing() is not null, SmallDisk.Missing() ?? "");
        await using var disk = await SmallDisk.MountAsync(megabytes: 64);
        await using var cluster = await SiloCluster.StartAsync(garnet, new SiloClusterOptions { Storage = $"folder={disk.Path}" });
        var job = await AllroundOnCluster.StartAsync(cluster, events: 300_000, keys: 200, rate: 20_000);
        await cluster.NextCheckpointAsync(AllroundJob.JobName);

        // Old checkpoints that are still being dropped give room back: it is taken again.
        var waiting = await cluster.WaitAsync(AllroundJob.JobName, "waiting for another attempt", status =>
        {
            disk.Fill();
            return SiloCluster.Text(status, "phase") == "waiting";
        });
        disk.MakeRoom();

        AssertSays(waiting, disk.Path, "is full: free some space");
        var finished = await job.FinishAsync();
        Assert.True(finished.GetProperty("summary").GetProperty("attempt").GetInt32() > 1, "No attempt was lost.");
    }

    internal static void AssertSays(JsonElement status, string folder, string remedy)
    {
        var cause = SiloCluster.Text(status, "cause");
        TestContext.Current.SendDiagnosticMessage(cause);
        Assert.Contains(folder, cause, StringComparison.Ordinal);
        Assert.Contains(remedy, cause, StringComparison.Ordinal);
    }
}
