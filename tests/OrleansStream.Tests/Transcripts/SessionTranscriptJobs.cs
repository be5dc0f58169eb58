using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Testing;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Transcripts;

/// <summary>The jobs of the transcripts of session windows: visits of users to pages. Outputs are <c>sessions</c> and <c>late</c>, the users whose visits were.</summary>
internal static class SessionTranscriptJobs
{
    private static readonly SideOutput<Visit> Late = new("late");
    private static readonly SessionWindows Gap = SessionWindows.WithGap(Ms(500));

    public static IReadOnlyDictionary<string, Func<TranscriptJob>> All { get; } = new Dictionary<string, Func<TranscriptJob>>
    {
        ["session-500ms"] = static () => Count(static visits => visits.Window(Gap, late: Late)),
        ["session-500ms-lateness-1s"] = static () => Count(static visits => visits.Window(Gap, Ms(1000), Late)),
        ["session-gap-by-record"] = static () => Count(static visits => visits.Window(SessionWindows.WithGap<Visit>(static visit => Ms(visit.Gap)), late: Late)),
        ["session-500ms-early-every-2"] = static () => Count(static visits => visits.Window(Gap, late: Late).Trigger(Triggers.Early(Triggers.Count<Visit>(2)))),
        ["session-500ms-every-3"] = static () => Count(static visits => visits.Window(Gap, late: Late).Trigger(Triggers.Count<Visit>(3))),
        ["session-500ms-purged-every-2"] = static () => Count(static visits => visits.Window(Gap, late: Late).Trigger(Triggers.Purging(Triggers.Count<Visit>(2)))),
        ["session-500ms-each-200ms"] = static () => Count(static visits => visits.Window(Gap, late: Late).Trigger(Triggers.ContinuousEventTime<Visit>(Ms(200)))),
        ["session-500ms-pages"] = static () => Pages(static visits => visits.Window(Gap, Ms(1000), Late)),
        ["session-500ms-last-2-pages"] = static () => Pages(static visits => visits.Window(Gap, Ms(1000), Late).Evict(Evictors.Count<Visit>(2))),
    };

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private static TranscriptJob Count(Func<KeyedStream<string, Visit>, WindowedStream<string, Visit>> window) => Job(visits =>
    {
        var counted = window(visits).Aggregate("count", 0, static (count, _) => count + 1, static (one, two) => one + two, static count => count);
        return (counted.Select(static result => new Session(result.Key, result.Window.Start, result.Window.End, result.Value, $"{result.Firing}")), counted.SideOutput(Late));
    });

    private static TranscriptJob Pages(Func<KeyedStream<string, Visit>, WindowedStream<string, Visit>> window) => Job(visits =>
    {
        var listed = window(visits).Process("pages", static _ => new PagesOfSession());
        return (listed, listed.SideOutput(Late));
    });

    private static TranscriptJob Job<TResult>(Func<KeyedStream<string, Visit>, (DataStream<TResult> Sessions, DataStream<Visit> Late)> make)
    {
        var (input, sessions, late) = (new TestInput<Visit>(), new TestOutput<TResult>(), new TestOutput<string>());
        return new TranscriptJob(graph =>
        {
            var made = make(graph.From("in", input).KeyBy(static visit => visit.User));
            made.Sessions.To("sessions", sessions);
            made.Late.Select(static visit => visit.User).To("late", late);
        }).With("visits", input).With("sessions", sessions).With("late", late);
    }

    /// <summary>Lists the pages of a session as they are handed to a function over the whole window.</summary>
    private sealed class PagesOfSession : WindowFunction<string, Visit, PagesSeen>
    {
        public override void Process(IReadOnlyList<Visit> records, ref WindowContext<string, PagesSeen> context) =>
            context.Emit(new PagesSeen(context.Key, context.Window.Start, context.Window.End, string.Join(' ', records.Select(static visit => visit.Page)), $"{context.Firing}"));
    }
}

/// <summary>A user's visit to a page; the gap, in milliseconds, is for the job that reads it from the record.</summary>
[GenerateSerializer, Alias("transcripts.visit")]
internal sealed record Visit([property: Id(0)] string User, [property: Id(1)] string Page = "", [property: Id(2)] int Gap = 0);

/// <summary>A session of a user, and how many visits it has.</summary>
[GenerateSerializer, Alias("transcripts.session")]
internal sealed record Session([property: Id(0)] string User, [property: Id(1)] long Start, [property: Id(2)] long End, [property: Id(3)] int Visits, [property: Id(4)] string Firing);

/// <summary>A session of a user, and the pages that were visited.</summary>
[GenerateSerializer, Alias("transcripts.pages-seen")]
internal sealed record PagesSeen([property: Id(0)] string User, [property: Id(1)] long Start, [property: Id(2)] long End, [property: Id(3)] string Pages, [property: Id(4)] string Firing);
