using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Tests.FileFormats;
using OrleansStream.Tests.Stages;
using OrleansStream.Tests.State;
using OrleansStream.Time;

namespace OrleansStream.Tests.Formats;

/// <summary>What operators keep of their own: where sources stand, the highest timestamps, watermarks; and how splits are named and told apart.</summary>
internal static class BlobFormats
{
    private const string Csv = "id,text\r\n1,a\r\n2,\"b\r\nc\"\r\n3,é\r\n4,d\r\n";
    private const string Lines = "{\"name\":\"a\",\"count\":1}\n\n{\"name\":\"é\",\"count\":2}\n{\"name\":null,\"count\":3}\n";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static IEnumerable<RecordedFormat> All =>
    [
        Splits("generator", ["6", "9", "2", "5", "8"], static (_, records) => new PartlyRead<long>(Generator.Of(static n => n, count: 10, splits: 3), records), 2, int.MaxValue, 0),
        Splits("collection", ["c", "e"], static (_, records) => new PartlyRead<string>(Collections.From(["a", "b", "c", "d", "e"], splits: 2), records), 1, int.MaxValue),
        Splits("csv", ["3=é", "4=d"], static (folder, records) => new PartlyRead<string>(CsvOf(folder), records), 2),
        Splits("json-lines", [$"{new RecordedProfile("é", 2)}", $"{new RecordedProfile(null, 3)}"], static (folder, records) => new PartlyRead<RecordedProfile>(JsonLinesOf(folder), records), 1),
        new("v1/blobs/highest.bin", "the highest timestamps of splits", WriteHighest, ReadHighest),
        new("v1/blobs/subtask.bin", "a subtask's snapshot and its watermark", WriteSubtaskAsync, ReadSubtaskAsync),
        new("v1/blobs/splits.txt", "the names and fingerprints of splits", NamesOfSplitsAsync, async recorded => Assert.Equal(RecordedFormat.Lines(recorded), RecordedFormat.Lines(await NamesOfSplitsAsync()))),
    ];

    private static Source<string> CsvOf(TemporaryFolder folder) => Files.Csv(folder.Write("orders.csv", Csv), static row => $"{row.GetString("id")}={row.GetString("text")}");

    private static Source<RecordedProfile> JsonLinesOf(TemporaryFolder folder) => Files.JsonLines<RecordedProfile>(folder.Write("orders.jsonl", Lines));

    /// <summary>The blob of a source that was read up to some record, and what is still read behind it.</summary>
    private static RecordedFormat Splits<T>(string name, string[] rest, Func<TemporaryFolder, int[], PartlyRead<T>> make, params int[] records) => new(
        $"v1/blobs/splits-{name}.bin",
        $"the split offsets of a source ({name})",
        async () =>
        {
            using var folder = new TemporaryFolder();
            return Saved(await ReadAllAsync(make(folder, records), new Remembering<T>(), []), "splits");
        },
        async recorded =>
        {
            using var folder = new TemporaryFolder();
            var end = new Remembering<T>();
            await ReadAllAsync(make(folder, []), end, recorded);
            Assert.Equal(rest, end.Values.Select(static value => $"{value}"));
        });

    private static async Task<SourceHead<T>> ReadAllAsync<T>(Source<T> source, Remembering<T> end, byte[] saved)
    {
        var context = Wiring.Context(null, 1, "payments", [.. await source.DiscoverAsync(Cancellation)]);
        if (saved.Length > 0) context.Restored = [new RestoredBlob(0, new OperatorBlob("payments", "splits", saved))];
        await using var head = new SourceHead<T>(context, source, null, new Output<T>([end]), new Dictionary<string, ISideOutput>()) { Name = "payments" };
        await head.OpenAsync(Cancellation);
        while (head.Poll() == PollResult.Read)
        {
        }

        return head;
    }

    private static byte[] Saved(Operator step, string name)
    {
        var parts = new SnapshotParts(Wiring.Checkpoint(1));
        step.Snapshot(parts);
        var blob = Assert.Single(parts.Blobs);
        Assert.Equal((step.Name, name), (blob.Operator, blob.Name));
        return blob.Bytes;
    }

    private static byte[] WriteHighest()
    {
        var (timestamps, context, _) = Timestamps([]);
        timestamps.Give((100, 0), (1_777_000_000_000, 0));
        context.CurrentSplit = 1;
        timestamps.Give((-70, 0));
        return Saved(timestamps, "highest");
    }

    private static void ReadHighest(byte[] recorded)
    {
        var (timestamps, context, end) = Timestamps(recorded);
        context.CurrentSplit = 2;
        timestamps.Give((1_777_000_000_001, 0));
        Assert.Equal([-76], end.Watermarks);
        context.CurrentSplit = 1;
        timestamps.Give((1_777_000_000_002, 0));
        Assert.Equal([-76, 1_777_000_000_000 - 6], end.Watermarks);
    }

    private static (TimestampOperator<long> Operator, SubtaskContext Context, Remembering<long> End) Timestamps(byte[] saved)
    {
        var context = Wiring.Context();
        context.Source = new ThreeSplits();
        if (saved.Length > 0) context.Restored = [new RestoredBlob(0, new OperatorBlob("timestamps-2", "highest", saved))];
        var end = new Remembering<long>();
        return (new TimestampOperator<long>(context, static n => n, new SplitWatermarks(5, null), new Output<long>([end]), Wiring.Failures<long>(context)) { Name = "timestamps-2" }, context, end);
    }

    private static async Task<byte[]> WriteSubtaskAsync()
    {
        var subtask = await LoneSubtask.OpenAsync(RecordedCounter.Define, "count");
        subtask.Send(0, CountingJob.Batch("a", "b", "a"), watermark: 700, barrier: Wiring.Barrier(1));
        subtask.Send(1, watermark: 500, barrier: Wiring.Barrier(1));
        var store = new SegmentStore();
        LoneSubtask.Save(store, subtask.Run().Taken!);
        return Assert.Single(store.Objects).Value;
    }

    private static async Task ReadSubtaskAsync(byte[] recorded)
    {
        var store = new SegmentStore();
        store.Objects["recorded"] = recorded;
        var segment = new OrleansStream.Checkpoints.SegmentRef("recorded", recorded.Length, OrleansStream.Checkpoints.ObjectFrame.Checksum(recorded), Wiring.Checkpoint(1));
        var sink = new RecordingSink<string>();
        var subtask = await LoneSubtask.OpenAsync(graph => RecordedCounter.Define(graph, sink), "count", store, [new SegmentChain(0, StateSetup.AllGroups(128), [segment])]);
        Assert.Equal(500, subtask.Subtask.Watermark);
        subtask.Send(0, CountingJob.Batch("a", "b", "c"));
        subtask.Run();
        Assert.Equal(["a=3 at 500", "b=2 at 500", "c=1 at 500"], sink.Written);
    }

    private static async Task<byte[]> NamesOfSplitsAsync()
    {
        using var folder = new TemporaryFolder();
        IReadOnlyList<SourceSplit>[] splits =
        [
            await Generator.Of(static n => n, count: 10, splits: 2).DiscoverAsync(Cancellation),
            await Generator.Of(static n => n).DiscoverAsync(Cancellation),
            await Collections.From(["a", "b", "c"], splits: 2).DiscoverAsync(Cancellation),
            await CsvOf(folder).DiscoverAsync(Cancellation),
            await JsonLinesOf(folder).DiscoverAsync(Cancellation),
        ];
        return RecordedFormat.Lines(splits.SelectMany(static found => found).Select(split => $"{split.Name.Replace(folder.Path, "folder", StringComparison.Ordinal).Replace('\\', '/')} {split.Fingerprint}"));
    }

    private sealed class ThreeSplits : ISourceSplits
    {
        public IReadOnlyList<string> Names => ["a", "é", "c"];

        public string? Position => null;

        public bool IsEnded(int split) => false;
    }
}
