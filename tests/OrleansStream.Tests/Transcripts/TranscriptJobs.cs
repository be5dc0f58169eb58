using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Testing;
using OrleansStream.Time;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Transcripts;

/// <summary>The jobs that the transcripts of this folder are for, by the name in their first line.</summary>
internal static class TranscriptJobs
{
    private static readonly SideOutput<Click> Late = new("late");

    public static IReadOnlyDictionary<string, Func<TranscriptJob>> All => OfWindows.Concat(JoinTranscriptJobs.All).Concat(SessionTranscriptJobs.All).ToDictionary();

    private static Dictionary<string, Func<TranscriptJob>> OfWindows { get; } = new()
    {
        ["tumbling-1s"] = static () => Windows(static keyed => keyed.Window(TumblingWindows.Of(TimeSpan.FromSeconds(1)), late: Late)),
        ["tumbling-1s-lateness-500ms"] = static () => Windows(static keyed => keyed.Window(TumblingWindows.Of(TimeSpan.FromSeconds(1)), TimeSpan.FromMilliseconds(500), Late)),
        ["tumbling-1d-offset-8h"] = static () => Windows(static keyed => keyed.Window(TumblingWindows.Of(TimeSpan.FromDays(1), TimeSpan.FromHours(8)), late: Late)),
        ["bounded-100ms"] = static () => Watermarks(WatermarkStrategy.BoundedOutOfOrderness<Click>(TimeSpan.FromMilliseconds(100))),
        ["punctuated"] = static () => Watermarks(WatermarkStrategy.Punctuated<Click>(static (click, time) => click.User == "mark" ? time : null)),
        ["two-splits-idle-50ms"] = static () => Watermarks(WatermarkStrategy.Monotonous<Click>().WithIdleness(TimeSpan.FromMilliseconds(50)), splits: 2),
        ["a-then-b-within-100ms"] = PatternJobs.FollowedWithin,
        ["a-and-no-b-for-100ms"] = PatternJobs.NotFollowed,
        ["as-greedy-then-b"] = PatternJobs.Greedy,
        ["two-steps-skip-past-last"] = PatternJobs.SkipPastLast,
    };

    /// <summary>Counts clicks for each user in windows of a second, by the times in them.</summary>
    private static TranscriptJob Watermarks(WatermarkStrategy<Click> strategy, int splits = 1)
    {
        var (input, output) = (new TestInput<Click>(splits), new TestOutput<Counted>());
        return new TranscriptJob(graph => graph
            .From("in", input)
            .WithTimestamps(static click => click.At, strategy)
            .KeyBy(static click => click.User)
            .Window(TumblingWindows.Of(TimeSpan.FromSeconds(1)))
            .Aggregate("count", 0L, static (count, _) => count + 1, static count => count)
            .Select(Counted.Of)
            .To("out", output)).With("clicks", input).With("counts", output);
    }

    /// <summary>Counts clicks for each user in windows; outputs are <c>counts</c> and <c>late</c>.</summary>
    private static TranscriptJob Windows(Func<KeyedStream<string, Click>, WindowedStream<string, Click>> window)
    {
        var (input, counts, late) = (new TestInput<Click>(), new TestOutput<Counted>(), new TestOutput<Click>());
        return new TranscriptJob(graph =>
        {
            var counted = window(graph.From("in", input).KeyBy(static click => click.User)).Aggregate("count", 0L, static (count, _) => count + 1, static count => count);
            counted.SideOutput(Late).To("late", late);
            counted.Select(Counted.Of).To("counts", counts);
        }).With("clicks", input).With("counts", counts).With("late", late);
    }
}

/// <summary>A click of a user; the time is for jobs that read it from the record.</summary>
[GenerateSerializer, Alias("transcripts.click")]
internal sealed record Click([property: Id(0)] string User, [property: Id(1)] long At = 0);

/// <summary>The clicks of a user in a window.</summary>
[GenerateSerializer, Alias("transcripts.counted")]
internal sealed record Counted([property: Id(0)] string User, [property: Id(1)] long Start, [property: Id(2)] long End, [property: Id(3)] long Count)
{
    public static Counted Of(WindowResult<string, long> result) => new(result.Key, result.Window.Start, result.Window.End, result.Value);
}
