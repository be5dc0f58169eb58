using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.State;

namespace OrleansStream.Tests.Checkpoints;

/// <summary>Entries and manifests to test with.</summary>
internal static class Samples
{
    public const string Job = "payments";

    public static readonly DateTimeOffset At = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    public static CheckpointId Id(int attempt, long number) => new(new Attempt(attempt), number);

    public static ManifestRef Ref(CheckpointId id, CheckpointId? generation = null) =>
        new(id, generation ?? id, false, ObjectNames.Manifest(Job, id), "00112233445566778899aabbccddeeff", 1234, 567890, At);

    public static Started Started(string writer, Attempt attempt, IReadOnlyList<ManifestRef>? kept = null) => new(
        writer,
        attempt,
        kept is [var newest, ..] ? newest : null,
        new Dictionary<string, string[]> { ["input"] = ["zähler.csv", "b.csv"] },
        2,
        128,
        "abc",
        new Dictionary<string, IReadOnlyList<SourceSplit>> { ["payments"] = [new SourceSplit("a.csv", "f1"), new SourceSplit("b.csv", "")] },
        kept ?? [],
        At);

    public static Published Published(string writer, CheckpointId id, params IReadOnlyList<ManifestRef> older) => new(writer, Ref(id), [Ref(id), .. older]);

    public static Manifest Manifest(CheckpointId id, params IReadOnlyList<SegmentRef> segments) => new(
        Job,
        id,
        "abc",
        id,
        true,
        2,
        128,
        [new StageManifest("score", 2, [new SubtaskManifest(0, new KeyGroupRange(0, 64), segments), new SubtaskManifest(1, new KeyGroupRange(64, 128), [])])],
        new Dictionary<string, SinkManifest> { ["decisions"] = new([new PendingOutput(1, id, "part-1.tmp")], 17) },
        new Dictionary<string, IReadOnlyList<SourceSplit>> { ["payments"] = [new SourceSplit("a.csv", "f1")] });

    public static SegmentRef Segment(CheckpointId id, int index = 0) =>
        new(ObjectNames.Segment(Job, id, "score", index, new Incarnation(0xbeef)), 100 + index, "ffeeddccbbaa99887766554433221100", id);

    public static IEnumerable<LogEntry> OneOfEachEntry()
    {
        yield return Started("w", Attempt.First, [Ref(Id(1, 2)), Ref(Id(1, 1))]);
        yield return Published("w", Id(1, 3), Ref(Id(1, 2)));
        yield return new Dropped("w", [Id(1, 1)], [Ref(Id(1, 3)), Ref(Id(1, 2))]);
        yield return new Stopped("w", "asked by \"ops\"");
        yield return new Finished("w");
        yield return new Failed("w", "line 3: no number", 4);
        yield return new Sealed("w");
    }

    /// <summary>Retries at once, as often as the limit says.</summary>
    public static RetryRule Retry(TimeProvider? time = null, int limit = 1) => new(time ?? TimeProvider.System, new Random(1)) { Limit = limit, FirstDelay = TimeSpan.Zero };
}
