using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Sinks;
using OrleansStream.State;
using OrleansStream.Tests.Graph;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

public sealed class WindowGraphTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static TheoryData<string, string> Impossible => new()
    {
        { "sliding-size", "the size must be a whole number of milliseconds, 1 or more" },
        { "sliding-slide", "the slide must be a whole number of milliseconds, 1 or more" },
        { "sliding-offset", "the offset must be a whole number of milliseconds from 0 up to, and not with, the slide" },
        { "session", "the gap must be a whole number of milliseconds, 1 or more" },
        { "count", "the size must be 1 record or more" },
        { "sliding-count", "the slide must be 1 record or more" },
    };

    [Theory]
    [MemberData(nameof(Impossible))]
    public void Windows_that_cannot_be_are_refused_with_place_and_reason(string kind, string reason)
    {
        WindowAssigner windows = kind switch
        {
            "sliding-size" => SlidingWindows.Of(TimeSpan.FromTicks(1), Second),
            "sliding-slide" => SlidingWindows.Of(Second, TimeSpan.Zero),
            "sliding-offset" => SlidingWindows.Of(Second * 2, Second, Second),
            "session" => SessionWindows.WithGap(-Second),
            "count" => CountWindows.Of(0),
            _ => CountWindows.Sliding(1, 0),
        };

        Assert.Equal([$"Window 'w': impossible windows: {reason}."], Refusals(keyed => keyed.Window(windows).Reduce("w", static (first, _) => first)));
    }

    [Fact]
    public void Windows_that_share_or_merge_are_refused_for_an_aggregate_without_merge()
    {
        Assert.Equal(
            ["Window 'w': its aggregate has no merge, and sliding windows share what they have in common; give Aggregate a function that makes one accumulator of two."],
            Refusals(static keyed => keyed.Window(SlidingWindows.Of(Second, Second)).Aggregate("w", 0, static (count, _) => count + 1, static count => count)));
        Assert.Equal(
            ["Window 'w': NoMerge has no Merge, and sessions become one; override it to make one accumulator of two."],
            Refusals(static keyed => keyed.Window(SessionWindows.WithGap(Second)).Aggregate("w", new NoMerge())));
        // They see all records when they fire.
        Plan(static keyed => keyed.Window(SessionWindows.WithGap(Second)).Evict(Evictors.Count<Payment>(5)).Aggregate("w", new NoMerge()));
        // A record is kept in each of its windows.
        Plan(static keyed => keyed.Window(SlidingWindows.Of(Second, Second)).Trigger(Triggers.Count<Payment>(5)).Aggregate("w", new NoMerge()));
    }

    [Fact]
    public void Everything_that_is_wrong_with_windows_is_said_at_once() => Assert.Equal(
        [
            "Window 'w': an allowed lateness of -00:00:01 is below 0.",
            "Window 'w': DeltaTrigger<Payment> does not work for windows that become one, as sessions do.",
            "Window 'w': its function keeps state of windows, which sessions cannot have: they become one; keep it by key.",
            "Window 'w': state 'last' is declared twice.",
        ],
        Refusals(static keyed => keyed.Window(SessionWindows.WithGap(Second), -Second).Trigger(Triggers.Delta<Payment>(1, static (_, _) => 0)).Process("w", static _ => new Keeping())));

    [Fact]
    public void State_of_windows_takes_no_time_to_live() => Assert.Equal(
        [
            "Window 'w': state 'of-window' has a time to live, and goes with its window anyway; leave it out.",
            "Window 'w': state 'of-key' has a time to live, which state that window functions keep by key cannot have; keep it in a Process behind the window.",
        ],
        Refusals(static keyed => keyed.Window(TumblingWindows.Of(Second)).Process("w", static _ => new Expiring())));

    [Fact]
    public void Lateness_is_refused_where_nothing_is_late() => Assert.Equal(
        ["Window 'w': no record is late for such windows; leave out the allowed lateness and the late output."],
        Refusals(static keyed => keyed.Window(TumblingWindows.Of(Second).InProcessingTime(), Second).Reduce("w", static (first, _) => first)));

    [Fact]
    public void Windows_by_number_take_no_other_trigger() => Assert.Equal(
        ["Window 'w': windows by number have a trigger and an evictor of their own; use GlobalWindows to choose others."],
        Refusals(static keyed => keyed.Window(CountWindows.Of(3)).Trigger(Triggers.Count<Payment>(2)).Reduce("w", static (first, _) => first)));

    [Fact]
    public void A_gap_that_is_read_from_other_records_is_refused() => Assert.Equal(
        ["Window 'w': its sessions read their gap from another type than Payment."],
        Refusals(static keyed => keyed.Window(SessionWindows.WithGap<string>(static _ => Second)).Reduce("w", static (first, _) => first)));

    [Fact]
    public void A_function_that_cannot_be_made_is_refused() => Assert.Equal(
        ["Window 'w': its function could not be made to read its state declarations: FormatException: no function."],
        Refusals(static keyed => keyed.Window(TumblingWindows.Of(Second)).Process<string>("w", static _ => throw new FormatException("no function"))));

    [Fact]
    public void Only_windows_in_event_time_need_event_time()
    {
        Assert.Single(Untimed(TumblingWindows.Of(Second)));
        Assert.Single(Untimed(SlidingWindows.Of(Second, Second)));
        Assert.Single(Untimed(SessionWindows.WithGap(Second)));
        Assert.Empty(Untimed(SessionWindows.WithGap(Second).InProcessingTime()));
        Assert.Empty(Untimed(CountWindows.Of(3)));
        Assert.Empty(Untimed(GlobalWindows.Instance));
    }

    [Fact]
    public void The_kind_and_sizes_of_windows_are_part_of_the_description()
    {
        Assert.Contains(
            "2. Window 'w' <- payments (by key) { accumulator: Reduced<Payment>, allowedLateness: 00:00:00, evictor: CountEvictor<Payment>, key: string, offsetMs: 0, result: Payment, sizeMs: 2000, slideMs: 1000, "
            + "state:count: ValueState<long>, trigger: CountTrigger<Payment>, windows: sliding in processing time }",
            Text(static keyed => keyed.Window(SlidingWindows.Of(Second * 2, Second).InProcessingTime()).Trigger(Triggers.Count<Payment>(2)).Evict(Evictors.Count<Payment>(5)).Reduce("w", static (first, _) => first)));
        Assert.Contains("gap: by record", Text(static keyed => keyed.Window(SessionWindows.WithGap<Payment>(static _ => Second)).Reduce("w", static (first, _) => first)));
    }

    private static string[] Refusals<TOut>(Func<KeyedStream<string, Payment>, DataStream<TOut>> window) => GraphSamples.Refusals(graph => Define(graph, window));

    private static void Plan<TOut>(Func<KeyedStream<string, Payment>, DataStream<TOut>> window) => GraphSamples.Plan(graph => Define(graph, window));

    private static string Text<TOut>(Func<KeyedStream<string, Payment>, DataStream<TOut>> window) =>
        GraphDescription.ToText(GraphSamples.Graph(graph => window(graph.From("payments", GraphSamples.Payments()).KeyBy(static payment => payment.Account)).To("out", new CollectingSink<TOut>())));

    private static IEnumerable<string> Untimed(WindowAssigner windows) => GraphCheck.Problems(GraphSamples.Graph(graph => graph.From("payments", GraphSamples.Payments())
        .KeyBy(static payment => payment.Account).Window(windows).Reduce("w", static (first, _) => first).To("out", new CollectingSink<WindowResult<string, Payment>>())));

    private static void Define<TOut>(JobGraph graph, Func<KeyedStream<string, Payment>, DataStream<TOut>> window) =>
        window(graph.From("payments", GraphSamples.Payments()).WithTimestamps(static payment => payment.Amount, Second).KeyBy(static payment => payment.Account)).To("out", new CollectingSink<TOut>());

    private sealed class NoMerge : AggregateFunction<Payment, int, int>
    {
        public override int Create() => 0;

        public override void Add(ref int accumulator, in Payment record) => accumulator++;

        public override int Result(in int accumulator) => accumulator;
    }

    private sealed class Expiring : WindowFunction<string, Payment, string>
    {
        public override IReadOnlyList<StateDeclaration> WindowStates => [new ValueState<int>("of-window") { TimeToLive = Second }];

        public override IReadOnlyList<StateDeclaration> States => [new ValueState<int>("of-key") { TimeToLive = Second }];

        public override void Process(IReadOnlyList<Payment> records, ref WindowContext<string, string> context)
        {
        }
    }

    private sealed class Keeping : WindowFunction<string, Payment, string>
    {
        private static readonly ValueState<int> Last = new("last");

        public override IReadOnlyList<StateDeclaration> WindowStates => [Last];

        public override void Process(IReadOnlyList<Payment> records, ref WindowContext<string, string> context)
        {
        }
    }
}
