using OrleansStream.Checkpoints;
using OrleansStream.ClusterTests.Jobs;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sources;
using OrleansStream.Windows;

namespace OrleansStream.ClusterTests.Checkpoints;

/// <summary>
/// A stopped job's checkpoint folder is damaged in one bit, or cut short, in one file that recovery needs: the job either stops and names the file, or falls back
/// to an older checkpoint and gives exactly what an unbroken run gives. Nothing goes unnoticed.
/// </summary>
public sealed class DamagedCheckpointTests
{
    private const long Records = 6_000;
    private const int Rounds = 200;
    private const int Seed = 20261123;

    [Fact]
    public async Task No_flipped_bit_and_no_truncation_of_log_manifest_or_segment_goes_unnoticed()
    {
        using var folder = new TestFolder();
        var store = new SwitchedStore();
        await using var cluster = await TestSilos.StartAsync(folder["unused"], (graph, args) => Define(graph, args.Require("output")), configure: options =>
        {
            options.Checkpoints.Store = _ => store;
            options.Checkpoints.Interval = TimeSpan.FromMilliseconds(40);
            options.Checkpoints.PieceBytes = 128;
            options.Restarts = RestartStrategy.None;
        });
        var arguments = new JobArguments([new("output", folder["work/out.jsonl"])]);
        var (whole, expected) = (folder["whole"], await UnbrokenAsync(cluster, store, folder, arguments));
        await StopHalfWayAsync(cluster, store, folder, arguments);
        CopyFolder(folder["work"], whole);
        var files = await NeededFilesAsync(whole);
        Assert.Contains(files, static file => file.Contains("/log/", StringComparison.Ordinal));
        Assert.Contains(files, static file => file.Contains("/manifests/", StringComparison.Ordinal));
        Assert.Contains(files, static file => file.Contains("/segments/", StringComparison.Ordinal));

        var random = new Random(Seed);
        var (refused, fellBack) = (0, 0);
        for (var round = 0; round < Rounds; round++)
        {
            Directory.Delete(folder["work"], recursive: true);
            CopyFolder(whole, folder["work"]);
            var file = files[round % files.Count];
            var damage = Damage(Path.Combine(folder["work/checkpoints"], file), random);
            store.Open(folder["work/checkpoints"]);

            var status = await cluster.RunAsync(parallelism: 2, arguments);

            var where = $"seed {Seed}, round {round}, {file}, {damage}: {status.Phase} from {status.RestoredFrom}, {status.Cause}";
            if (status.Phase == JobPhase.Failed)
            {
                Assert.True(status.Cause!.Contains(file, StringComparison.Ordinal), where);
                refused++;
            }
            else
            {
                Assert.True(status.Phase == JobPhase.Finished && status.RestoredFrom != Newest, where);
                Assert.Equal(expected, Lines(folder));
                fellBack++;
            }
        }

        Assert.True(refused > 0 && fellBack > 0, $"{refused} refused, {fellBack} fell back");
    }

    private string? Newest { get; set; }

    private static void Define(JobGraph graph, string output) => graph
        .From("numbers", Generator.Of(static n => new Numbered((int)(n % 20), n), Records, splits: 2, timestamp: static n => n))
        .WithTimestamps(TimeSpan.FromMilliseconds(20))
        .KeyBy(static number => number.Key)
        .Window(TumblingWindows.Of(TimeSpan.FromMilliseconds(100)))
        .Aggregate("sum", 0L, static (sum, number) => sum + number.Value, static sum => sum)
        .Select(static result => new Summed(result.Key, result.Window.Start, result.Value))
        .To("sums", Files.JsonLinesOutput<Summed>(output));

    private static async Task<IReadOnlyList<string>> UnbrokenAsync(TestSilos cluster, SwitchedStore store, TestFolder folder, JobArguments arguments)
    {
        Directory.CreateDirectory(folder["work"]);
        store.Open(folder["work/checkpoints"]);
        Assert.Equal(JobPhase.Finished, (await cluster.RunAsync(parallelism: 2, arguments)).Phase);
        var lines = Lines(folder);
        Directory.Delete(folder["work"], recursive: true);
        Assert.Equal(20 * (Records / 100), lines.Count);
        return lines;
    }

    private async Task StopHalfWayAsync(TestSilos cluster, SwitchedStore store, TestFolder folder, JobArguments arguments)
    {
        Directory.CreateDirectory(folder["work"]);
        store.Open(folder["work/checkpoints"]);
        await cluster.Jobs.StartAsync("job", new JobStart { Parallelism = 2, Arguments = arguments, RecordsPerSecond = 6_000 });
        await cluster.WaitAsync(static status => status.Checkpoints.Count(static checkpoint => checkpoint.State == "committed") >= 8);
        await cluster.Jobs.StopAsync("job", "for the test");
        var stopped = await cluster.EndAsync();
        Assert.Equal(JobPhase.Stopped, stopped.Phase);
        Newest = stopped.Checkpoints[0].Id;
    }

    /// <summary>What recovery reads: the log from its end back to the newest entry that says what is kept, entry 0, the newest manifest and its segments.</summary>
    private static async Task<IReadOnlyList<string>> NeededFilesAsync(string whole)
    {
        var store = new LocalFolderStore(Path.Combine(whole, "checkpoints"));
        var retry = new RetryRule(TimeProvider.System, new Random(1));
        var history = await HistoryLog.ReadAsync(store, "job", retry, TestContext.Current.CancellationToken);
        var manifest = await ManifestObject.ReadAsync(store, "job", history.Kept[0], retry, TestContext.Current.CancellationToken);
        var log = new List<string>();
        await foreach (var name in store.ListAsync(ObjectNames.Attempts("job"), TestContext.Current.CancellationToken))
        {
            if (ObjectNames.LogEntryOf("job", name) is not null) log.Add(name);
        }

        log.Sort(StringComparer.Ordinal);
        return [log[0], log[^1], history.Kept[0].Name, .. manifest.Segments().Select(static segment => segment.Name).Distinct()];
    }

    private static string Damage(string path, Random random)
    {
        var bytes = File.ReadAllBytes(path);
        if (random.Next(4) == 0)
        {
            var length = random.Next(bytes.Length);
            File.WriteAllBytes(path, bytes[..length]);
            return $"cut from {bytes.Length} to {length} bytes";
        }

        var bit = random.Next(bytes.Length * 8);
        bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        File.WriteAllBytes(path, bytes);
        return $"bit {bit} of {bytes.Length * 8} flipped";
    }

    private static IReadOnlyList<string> Lines(TestFolder folder) => [.. File.ReadAllLines(folder["work/out.jsonl"]).Order(StringComparer.Ordinal)];

    private static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    [GenerateSerializer, Immutable]
    internal readonly record struct Summed([property: Id(0)] int Key, [property: Id(1)] long Start, [property: Id(2)] long Sum);

    /// <summary>A local folder that can be changed between runs, so that one silo serves them all.</summary>
    private sealed class SwitchedStore : ICheckpointStore
    {
        private LocalFolderStore? _store;

        public string Location => _store?.Location ?? "nowhere";

        public void Open(string folder) => _store = new LocalFolderStore(folder);

        public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) => _store!.TryCreateAsync(name, content, cancellation);

        public IObjectWriter BeginObject(string name) => _store!.BeginObject(name);

        public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation) => _store!.ReadAsync(name, cancellation);

        public ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation) =>
            _store!.ReadRangeAsync(name, offset, length, cancellation);

        public ValueTask DeleteAsync(string name, CancellationToken cancellation) => _store!.DeleteAsync(name, cancellation);

        public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellation) => _store!.ListAsync(prefix, cancellation);
    }
}
