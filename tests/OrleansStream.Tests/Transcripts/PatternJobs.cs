using OrleansStream.Functions;
using OrleansStream.Patterns;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Transcripts;

/// <summary>Jobs that look for patterns. A record is a word: its key, a slash, its kind and a number. Outputs are <c>matches</c>, as text, <c>timed-out</c> and <c>late</c>.</summary>
internal static class PatternJobs
{
    private static readonly SideOutput<TimedOutMatch<string>> TimedOut = new("timed-out");
    private static readonly SideOutput<string> Late = new("late");

    public static TranscriptJob FollowedWithin() => Job(Step("a").FollowedBy("b").Where(Is('b')).Within(TimeSpan.FromMilliseconds(100)));

    public static TranscriptJob NotFollowed() => Job(Step("a").NotFollowedBy("b").Where(Is('b')).Within(TimeSpan.FromMilliseconds(100)));

    public static TranscriptJob Greedy() => Job(Step("a").OneOrMore().Greedy().FollowedBy("b").Where(Is('b')));

    public static TranscriptJob SkipPastLast() => Job(Step("a", SkipStrategy.PastLast).FollowedBy("b").Where(static (record, matched) => record[2] == 'b' && record[3] == matched["a"][0][3])
        .Within(TimeSpan.FromMilliseconds(100)));

    private static Pattern<string> Step(string name, SkipStrategy? skip = null) => Pattern.Begin<string>(name, skip).Where(Is(name[0]));

    private static Func<string, bool> Is(char kind) => record => record[2] == kind;

    private static TranscriptJob Job(Pattern<string> pattern)
    {
        var (input, matches, timedOut, late) = (new TestInput<string>(), new TestOutput<string>(), new TestOutput<string>(), new TestOutput<string>());
        var bounded = PatternCheck.HasBound(pattern);
        return new TranscriptJob(graph =>
        {
            var found = graph.From("in", input).KeyBy(static record => record[..1]).Match("match", pattern, bounded ? TimedOut : null, Late);
            found.Select(static match => match.ToString()).To("matches", matches);
            if (bounded) found.SideOutput(TimedOut).Select(static partial => partial.Partial.ToString()).To("timed-out", timedOut);
            found.SideOutput(Late).To("late", late);
        }).With("words", input).With("matches", matches).With("timed-out", timedOut).With("late", late);
    }
}
