using OrleansStream.Benchmarks.Aggregate;
using OrleansStream.Benchmarks.Average;
using OrleansStream.Benchmarks.Input;
using OrleansStream.Graph;
using OrleansStream.Patterns;
using OrleansStream.Sources;
using OrleansStream.Windows;

namespace OrleansStream.Benchmarks.Operators;

/// <summary>The event-time operators beside plain loops that do the same. Times go on by a millisecond every ten records.</summary>
internal static class OperatorContests
{
    private const long SecondMs = 1000;

    private static readonly SharedInput<Amount> Amounts = new(static settings => n => Amount.Make(n, settings.Keys));
    private static readonly SharedInput<Amount> Partners = new(static settings => n => Amount.Make(~n, settings.Keys) with { Time = Amount.Make(n, settings.Keys).Time });
    private static readonly SharedInput<Reading> Readings = new(static settings =>
    {
        var sensors = Reading.Sensors(settings.Keys);
        return n => Reading.Make(n, sensors);
    });

    public static IEnumerable<Contest> All =>
    [
        Sliding("sliding", 10, "10 s sliding event-time average per key, every second"),
        Sliding("sliding-wide", 60, "60 s sliding event-time average per key, every second: six times the overlap"),
        Sessions(), Join(), Top(), Timers(), Pattern(),
    ];

    private static Contest Sliding(string name, int seconds, string description) => Make(
        name,
        $"{description}; string keys, out of order by less than 50 ms",
        settings => new SlidingLoop(Readings, seconds * SecondMs, SecondMs).Run(settings),
        "a ring of panes per key, added up for every window",
        "source -> event time -> key by -> sliding window -> sink",
        Answers<WindowResult<string, double>>(
            Reading.AnswerOf,
            (graph, settings) => From(graph, "readings", Readings, settings, TimeSpan.FromMilliseconds(Reading.MaxOutOfOrdernessMs))
                .KeyBy(static reading => reading.Sensor)
                .Window(SlidingWindows.Of(TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(1)))
                .Aggregate("average", new MeanAggregate())));

    private static Contest Sessions() => Make(
        "sessions",
        "sums per key and session, with a gap of 500 ms; int keys",
        static settings => new SessionsLoop(Amounts, SecondMs / 2).Run(settings),
        "a dictionary of open sessions, over records in the order of time",
        "source -> event time -> key by -> session window -> sink",
        Answers<WindowResult<int, Total>>(
            static result => SessionsLoop.AnswerOf(result.Key, result.Window.Start, result.Value),
            static (graph, settings) => From(graph, "amounts", Amounts, settings, TimeSpan.Zero)
                .KeyBy(static amount => amount.Key)
                .Window(SessionWindows.WithGap(TimeSpan.FromMilliseconds(SecondMs / 2)))
                .Aggregate("sums", new SumAggregate())));

    private static Contest Join() => Make(
        "interval-join",
        "pairs of two streams of the same key whose times are 200 ms apart or less; half of the records in each stream",
        static settings => new JoinLoop(Amounts, Partners, SecondMs / 5).Run(settings),
        "two queues per key",
        "two sources -> event time -> key by -> interval join -> sink",
        Answers<Answer>(
            static answer => answer,
            static (graph, settings) =>
            {
                var half = settings with { Events = settings.Events / 2 };
                return From(graph, "left", Amounts, half, TimeSpan.Zero).KeyBy(static amount => amount.Key)
                    .Join(From(graph, "right", Partners, half, TimeSpan.Zero).KeyBy(static amount => amount.Key))
                    .Between(TimeSpan.FromMilliseconds(-SecondMs / 5), TimeSpan.FromMilliseconds(SecondMs / 5))
                    .Select("pairs", static (left, right) => JoinLoop.AnswerOf(left, right));
            }));

    private static Contest Top() => Make(
        "top-n",
        "the three highest values of each key, as changes",
        static settings => new TopLoop(Amounts, 3).Run(settings),
        "a sorted array per key, told at the end",
        "source -> event time -> key by -> top 3 -> sink",
        Answers<Changes.Change<Amount>>(
            static change => TopLoop.AnswerOf(change.Value.Key, change.Value.Value, change.IsRetraction),
            static (graph, settings) => From(graph, "amounts", Amounts, settings, TimeSpan.Zero).KeyBy(static amount => amount.Key).TopN("top", 3, static amount => amount.Value)));

    private static Contest Timers() => Make(
        "timers",
        "a timer per key that each record moves ten hours on; all fire at the end",
        static settings => new TimersLoop(Amounts, 36_000 * SecondMs).Run(settings),
        "a priority queue, in which a moved timer leaves its old entry behind",
        "source -> event time -> key by -> function with a value state and a timer -> sink",
        Answers<Answer>(
            static answer => answer,
            static (graph, settings) => From(graph, "amounts", Amounts, settings, TimeSpan.Zero).KeyBy(static amount => amount.Key).Process("timers", static _ => new MovedTimer(36_000 * SecondMs))),
        keys: 5_000_000);

    private static Contest Pattern() => Make(
        "pattern",
        "a value below 50, followed by one of 500 or more, directly behind it one of 900 or more, within 10 s",
        static settings => new PatternLoop(Amounts, 10 * SecondMs).Run(settings),
        "a list of partial matches per key, over records in the order of time",
        "source of one split -> event time -> key by -> pattern of three steps -> sink",
        Answers<Answer>(
            static answer => answer,
            // Of one split: of records with equal times the order in which they come is part of the answer.
            static (graph, settings) => From(graph, "amounts", Amounts, settings with { Parallelism = 1 }, TimeSpan.Zero)
                .KeyBy(static amount => amount.Key)
                .Match("pattern", Patterns.Pattern.Begin<Amount>("low", SkipStrategy.PastLast).Where(static amount => amount.Value < PatternLoop.Low)
                    .FollowedBy("middle").Where(static amount => amount.Value >= PatternLoop.Middle)
                    .Next("high").Where(static amount => amount.Value >= PatternLoop.High)
                    .Within(TimeSpan.FromSeconds(10)))
                .Select(static match => PatternLoop.AnswerOf(match["low"][0].Key, match["low"][0].Time, match["high"][0].Time))));

    private static DataStream<T> From<T>(JobGraph graph, string name, SharedInput<T> input, RunSettings settings, TimeSpan maxOutOfOrderness)
        where T : struct, ITimedRecord<T> =>
        graph.From(name, (Source<T>)new InputSource<T>(input.Of(settings), settings.Events, settings.Parallelism)).WithTimestamps(maxOutOfOrderness);

    /// <summary>Ends a graph in a sink that adds up the answers of its results.</summary>
    private static Func<RunSettings, (Action<JobGraph> Define, Func<Answer> Answer)> Answers<TResult>(Func<TResult, Answer> answer, Func<JobGraph, RunSettings, DataStream<TResult>> define) => settings =>
    {
        var sink = new AnswerSink<TResult>(answer);
        return (graph => define(graph, settings).To("answer", sink), () => sink.Answer);
    };

    private static Contest Make(
        string name, string description, Func<RunSettings, Answer> loop, string byHand, string graph, Func<RunSettings, (Action<JobGraph> Define, Func<Answer> Answer)> define, int keys = 10_000) =>
        new(name, description, 20_000_000, [new OperatorJob($"{graph}, in one embedded silo", define), new OperatorLoop($"{byHand}, one thread", loop)], loop) { DefaultKeys = keys };
}
