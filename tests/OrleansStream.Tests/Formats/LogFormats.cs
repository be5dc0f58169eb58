using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.State;

namespace OrleansStream.Tests.Formats;

/// <summary>Entries of a log, and manifests. Made here of plain values, not of the samples of other tests, which may change.</summary>
internal static class LogFormats
{
    private const string Writer = "4f1c0a";

    private static readonly DateTimeOffset At = new(2026, 5, 1, 12, 30, 15, 250, TimeSpan.Zero);
    private static readonly ManifestRef First = Ref(1, 1, false);
    private static readonly ManifestRef Second = new(Id(1, 2), Id(1, 1), false, Name(1, 2), "0123456789abcdeffedcba9876543210", 4096, 5_000_000_000, new DateTimeOffset(2026, 5, 1, 14, 0, 0, TimeSpan.FromHours(2)));
    private static readonly ManifestRef Third = Ref(2, 3_000_000_000, true);

    public static IEnumerable<RecordedFormat> All => [.. Written, .. Written.Where(static format => format.File is "v1/log/started.bin" or "v1/log/published.bin" or "v1/log/dropped.bin").Select(BeforeFreeze)];

    private static IEnumerable<RecordedFormat> Written =>
    [
        Entry("started", new Started(
            Writer,
            new Attempt(2),
            Second,
            new Dictionary<string, string[]> { ["input"] = ["zähler.csv", "b \"2\".csv"], ["empty"] = [], ["Fresh"] = [""] },
            4,
            128,
            "00ff",
            new Dictionary<string, IReadOnlyList<SourceSplit>> { ["payments"] = [new("a.csv", "12:00"), new("b.csv", "")], ["fees"] = [] },
            [Second, First],
            At)
        {
            Graph = "1. From 'payments'\n",
            RecordsPerSecond = 0.1,
            CheckpointInterval = TimeSpan.FromMilliseconds(1500),
        }),
        Entry("started-bare", new Started(
            Writer, Attempt.First, null, new Dictionary<string, string[]>(), 1, 128, "", new Dictionary<string, IReadOnlyList<SourceSplit>>(), [], At)),
        Entry("started-rescaled", new Started(
            Writer, new Attempt(3), Third, new Dictionary<string, string[]>(), 4, 128, "", new Dictionary<string, IReadOnlyList<SourceSplit>>(), [Third], At)
        {
            RescaledOver = 0,
        }),
        Entry("published-rescale", new Published(Writer, Third, [Third]) { Parallelism = 4 }),
        Entry("published", new Published(Writer, Third, [Third, Second])),
        Entry("dropped", new Dropped(Writer, [Id(1, 1), Id(1, 2)], [Third])),
        Entry("dropped-bare", new Dropped(Writer, [], [Third])),
        Entry("stopped", new Stopped(Writer, "asked by \"ops\" <ü>")),
        Entry("stopped-bare", new Stopped(Writer, "")),
        Entry("finished", new Finished(Writer)),
        Entry("failed", new Failed(Writer, "line 3:\nno number", 4)),
        Entry("failed-bare", new Failed(Writer, "", 0)),
        Entry("sealed", new Sealed(Writer)),
        Object("manifest", new Manifest(
            "payments",
            Id(2, 3_000_000_000),
            "00ff",
            Id(1, 1),
            true,
            4,
            128,
            [
                new StageManifest("score", 2, [new SubtaskManifest(0, new KeyGroupRange(0, 64), [Segment(1, 1), Segment(2, 7)]), new SubtaskManifest(1, new KeyGroupRange(64, 128), [])]),
                new StageManifest("decisions", 1, []),
            ],
            new Dictionary<string, SinkManifest> { ["z"] = new([new PendingOutput(1, Id(2, 7), "part:12"), new PendingOutput(0, Id(1, 1), "")], 17), ["decisions"] = new([], 0) },
            new Dictionary<string, IReadOnlyList<SourceSplit>> { ["payments"] = [new("a.csv", "12:00")], ["fees"] = [] })),
        Object("manifest-bare", new Manifest(
            "payments", Id(1, 1), "", Id(1, 1), false, 1, 128, [], new Dictionary<string, SinkManifest>(), new Dictionary<string, IReadOnlyList<SourceSplit>>())),
    ];

    /// <summary>Before formats were frozen, entries told the kept checkpoints twice: in <c>kept</c>, and in <c>keptAfter</c>, which is passed over.</summary>
    private static RecordedFormat BeforeFreeze(RecordedFormat today) => today with { File = today.File.Replace("v1/", "v0/", StringComparison.Ordinal), Write = null };

    private static RecordedFormat Entry(string name, LogEntry entry) => new(
        $"v1/log/{name}.bin",
        $"a log entry ({entry.GetType().Name})",
        entry.Encode,
        bytes =>
        {
            var read = LogEntry.Decode(name, bytes);
            Assert.IsType(entry.GetType(), read);
            Assert.Equal(ObjectText.Of(entry), ObjectText.Of(read));
        });

    private static RecordedFormat Object(string name, Manifest manifest) => new(
        $"v1/{name}.bin",
        "a manifest",
        () => Task.FromResult(ManifestObject.Encode(manifest)),
        async bytes =>
        {
            var store = new Checkpoints.InMemoryStore();
            store.Overwrite(ObjectNames.Manifest(manifest.Job, manifest.Id), bytes);
            var reference = new ManifestRef(
                manifest.Id, manifest.Generation, manifest.Final, ObjectNames.Manifest(manifest.Job, manifest.Id), ObjectFrame.Checksum(bytes), bytes.Length, 0, At);
            var read = await ManifestObject.ReadAsync(store, manifest.Job, reference, Checkpoints.Samples.Retry(), TestContext.Current.CancellationToken);
            Assert.Equal(ObjectText.Of(manifest), ObjectText.Of(read));
        });

    private static CheckpointId Id(int attempt, long number) => new(new Attempt(attempt), number);

    private static string Name(int attempt, long number) => ObjectNames.Manifest("payments", Id(attempt, number));

    private static ManifestRef Ref(int attempt, long number, bool final) =>
        new(Id(attempt, number), Id(attempt, number), final, Name(attempt, number), "00112233445566778899aabbccddeeff", 1234, 567_890, At);

    private static SegmentRef Segment(int attempt, long number) =>
        new(ObjectNames.Segment("payments", Id(attempt, number), "score", 0, new Incarnation(-2)), 3_000_000_000, "ffeeddccbbaa99887766554433221100", Id(attempt, number));
}
