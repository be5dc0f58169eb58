using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Sinks;
using OrleansStream.State;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Graph;

public sealed class TwoInputRefusalTests
{
    [Fact]
    public void Everything_that_is_wrong_with_joins_is_said_at_once_each_with_its_place()
    {
        var refusals = GraphSamples.Refusals(static graph =>
        {
            var left = Timed(graph, "left").KeyBy(static payment => payment.Account);
            var right = Timed(graph, "right").KeyBy(static payment => payment.Account);
            left.Join(right).Between(Ms(5), Ms(4)).Select("above", Sum).To("out-1", new CollectingSink<long>());
            left.Join(right).Between(Ms(5), Ms(6), excludeLower: true, excludeUpper: true).Select("empty", Sum).To("out-2", new CollectingSink<long>());
            left.Join(right).Between(TimeSpan.FromTicks(1), TimeSpan.FromTicks(3)).Select("ticks", Sum).To("out-3", new CollectingSink<long>());
            left.Join(right).Window(TumblingWindows.Of(TimeSpan.Zero), Ms(-1)).Select("windows", Sum).To("out-4", new CollectingSink<long>());
            left.Join(right).AsOf().Select("Versions!", Sum).To("out-5", new CollectingSink<long>());
            left.Join(right).AsOf().Select(null!, Sum).To("out-6", new CollectingSink<long>());
            left.Join(right).AsOf().Select("unread", Sum);
        });

        Assert.Equal(
            [
                "IntervalJoin 'above': impossible interval: its lower bound, 00:00:00.0050000, is above its upper bound, 00:00:00.0040000.",
                "IntervalJoin 'empty': impossible interval: no time is between 00:00:00.0050000 and 00:00:00.0060000 when bounds are excluded.",
                "IntervalJoin 'ticks': its lower bound, 00:00:00.0000001, is not a whole number of milliseconds.",
                "IntervalJoin 'ticks': its upper bound, 00:00:00.0000003, is not a whole number of milliseconds.",
                "WindowJoin 'windows': impossible windows: the size must be a whole number of milliseconds, 1 or more.",
                "WindowJoin 'windows': an allowed lateness of -00:00:00.0010000 is below 0.",
                "TemporalJoin 'Versions!': a name has 1 to 64 characters of a-z, 0-9 and '-'.",
                "TemporalJoin '': a name has 1 to 64 characters of a-z, 0-9 and '-'.",
                "TemporalJoin 'unread': nobody reads its results; end the stream with To.",
            ],
            refusals);
    }

    [Fact]
    public void Windows_in_which_two_sides_cannot_meet_are_refused()
    {
        var refusals = GraphSamples.Refusals(static graph =>
        {
            var left = Timed(graph, "left").KeyBy(static payment => payment.Account);
            var right = Timed(graph, "right").KeyBy(static payment => payment.Account);
            WindowAssigner[] windows =
            [
                GlobalWindows.Instance, CountWindows.Of(3), TumblingWindows.Of(Ms(5)).InProcessingTime(), SessionWindows.WithGap<Payment>(static payment => Ms((int)payment.Amount)),
                SlidingWindows.Of(Ms(5), Ms(0)), SessionWindows.WithGap(Ms(0)),
            ];
            foreach (var (index, one) in windows.Index()) left.Join(right).Window(one).Select($"join-{index}", Sum).To($"out-{index}", new CollectingSink<long>());
        });

        Assert.Equal(
            [
                "WindowJoin 'join-0': impossible windows: a join needs windows that end by time.",
                "WindowJoin 'join-1': impossible windows: a join needs windows that end by time.",
                "WindowJoin 'join-2': impossible windows: a join needs windows of event time, which are the same on both sides.",
                "WindowJoin 'join-3': impossible windows: sessions of a join have one gap for both sides.",
                "WindowJoin 'join-4': impossible windows: the slide must be a whole number of milliseconds, 1 or more.",
                "WindowJoin 'join-5': impossible windows: the gap must be a whole number of milliseconds, 1 or more.",
            ],
            refusals);
    }

    [Fact]
    public void A_join_of_records_without_event_time_is_refused()
    {
        var refusals = GraphSamples.Refusals(static graph => Timed(graph, "left").KeyBy(static payment => payment.Account)
            .Join(graph.From("right", GraphSamples.Payments()).KeyBy(static payment => payment.Account)).Between(Ms(0), Ms(4)).Select("join", Sum).To("out", new CollectingSink<long>()));

        Assert.Equal(["IntervalJoin 'join': records reach it without event time; put WithTimestamps after the source."], refusals);
    }

    [Fact]
    public void A_key_that_is_none_is_refused_once_for_both_sides()
    {
        var refusals = GraphSamples.Refusals(static graph => Timed(graph, "left").KeyBy(static payment => (double)payment.Amount)
            .Join(Timed(graph, "right").KeyBy(static payment => (double)payment.Amount)).AsOf().Select("join", Sum).To("out", new CollectingSink<long>()));

        Assert.Equal(["TemporalJoin 'join': its key is a double; a key is a string, an integer, a Guid, or a tuple of these."], refusals);
    }

    [Fact]
    public void A_record_that_cannot_rest_is_refused_by_the_side_that_it_comes_from()
    {
        var refusals = GraphSamples.Refusals(static graph => Timed(graph, "left").Select(static payment => new List<long> { payment.Amount }).KeyBy(static list => list.Count)
            .Join(Timed(graph, "right").KeyBy(static _ => 1)).AsOf().Select("join", static (list, _) => list.Count).To("out", new CollectingSink<int>()));

        Assert.Equal(
            [
                "TemporalJoin 'join': state 'left' holds JoinRow<List<long>>, which can be changed without the engine seeing it (List<long> is a mutable collection); "
                    + "use a struct, an immutable record, an immutable collection, or list and map state.",
            ],
            refusals);
    }

    [Fact]
    public void Side_outputs_that_a_join_does_not_have_are_refused()
    {
        var refusals = GraphSamples.Refusals(static graph =>
        {
            var left = Timed(graph, "left").KeyBy(static payment => payment.Account);
            var words = Timed(graph, "right").Select(static payment => payment.Account).KeyBy(static word => word);
            var without = left.Join(words).AsOf().Select("without", static (payment, _) => payment.Amount);
            without.To("out-1", new CollectingSink<long>());
            without.SideOutput(new SideOutput<Payment>("late")).To("late-1", new CollectingSink<Payment>());
            var other = left.Join(words).AsOf(new SideOutput<Payment>("late-left"), new SideOutput<string>("late-right")).Select("other", static (payment, _) => payment.Amount);
            other.To("out-2", new CollectingSink<long>());
            other.SideOutput(new SideOutput<string>("late-left")).To("late-2", new CollectingSink<string>());
            var same = left.Join(words).AsOf(new SideOutput<Payment>("late"), new SideOutput<string>("late")).Select("same", static (payment, _) => payment.Amount);
            same.To("out-3", new CollectingSink<long>());
            same.DeadLetters<Payment>().To("letters", new CollectingSink<DeadLetter<Payment>>());
        });

        Assert.Equal(
            [
                "TemporalJoin 'without': side output 'late' of Payment is read from it, but it has none; give the join an output for late records.",
                "TemporalJoin 'other': side output 'late-left' of string is read from it, but it emits late records only, to 'late-left' of Payment and 'late-right' of string.",
                "TemporalJoin 'same': late records of both sides go to 'late', but they are Payment and string; give each side an output of its own.",
                "TemporalJoin 'same': its dead letters are read, but it ends the attempt instead of writing any; give it OnError.DeadLetter.",
            ],
            refusals);
    }

    [Fact]
    public void Streams_of_two_graphs_cannot_be_connected()
    {
        var other = GraphSamples.Graph(static _ => { });
        var refusals = GraphSamples.Refusals(graph =>
            graph.From("here", GraphSamples.Payments()).Connect(other.From("there", GraphSamples.Payments())).Process("both", static _ => new Both()).To("out", new CollectingSink<int>()));

        Assert.Contains("Process 'both': it takes records from 'there', which belongs to another graph.", refusals);
    }

    [Fact]
    public void What_is_wrong_with_broadcast_state_is_said_at_once()
    {
        var refusals = GraphSamples.Refusals(static graph =>
        {
            var payments = graph.From("payments", GraphSamples.Payments());
            payments.KeyBy(static payment => payment.Account)
                .Connect(graph.From("rules", GraphSamples.Payments()).Broadcast(
                    new BroadcastState<double, int>("by-number"), new BroadcastState<int, List<int>>("lists"), new BroadcastState<int, int>("kept"), new BroadcastState<int, int>("No!")))
                .Process("keyed", static _ => new Rules()).To("out-1", new CollectingSink<int>());
            payments.Connect(graph.From("others", GraphSamples.Payments()).Broadcast([])).Process("nothing", static _ => new PlainRules()).To("out-2", new CollectingSink<int>());
        });

        Assert.Equal(
            [
                "Process 'keyed': broadcast state 'by-number' has map keys of double; a key is a string, an integer, a Guid, or a tuple of these.",
                "Process 'keyed': broadcast state 'lists' holds List<int>, which can be changed without the engine seeing it (List<int> is a mutable collection); "
                    + "use a struct, an immutable record, an immutable collection, or list and map state.",
                "Process 'keyed': state 'kept' is declared twice.",
                "Process 'keyed': the name of broadcast state 'No!' must have 1 to 64 characters of a-z, 0-9 and '-'.",
                "Process 'nothing': its broadcast side writes no state; give Broadcast the states that it writes.",
            ],
            refusals);
    }

    [Fact]
    public void An_operator_of_two_inputs_begins_a_stage_and_the_fingerprint_tells_its_inputs_apart()
    {
        var plan = GraphSamples.Plan(static graph => Both(graph, swapped: false));

        Assert.Equal(["a", "b", "c", "both"], plan.Stages.Select(static stage => stage.Name));
        Assert.Equal(["a", "b", "c"], plan.Stages[3].Above.Select(static stage => stage.Name));
        Assert.NotEqual(plan.Fingerprint, GraphSamples.Fingerprint(static graph => Both(graph, swapped: true)));

        static void Both(JobGraph graph, bool swapped)
        {
            var (a, b, c) = (graph.From("a", GraphSamples.Payments()), graph.From("b", GraphSamples.Payments()), graph.From("c", GraphSamples.Payments()));
            var both = swapped ? a.Connect(b.Merge(c)) : a.Merge(b).Connect(c);
            both.Process("both", static _ => new Both()).To("out", new CollectingSink<int>());
        }
    }

    private static DataStream<Payment> Timed(JobGraph graph, string name) => graph.From(name, GraphSamples.Payments()).WithTimestamps(static payment => payment.Amount, TimeSpan.Zero);

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private static long Sum(Payment left, Payment right) => left.Amount + right.Amount;

    private sealed class Both : CoFunction<Payment, Payment, int>
    {
        public override void ProcessFirst(in Payment record, ref FunctionContext<int> context) => context.Emit(1);

        public override void ProcessSecond(in Payment record, ref FunctionContext<int> context) => context.Emit(2);
    }

    private sealed class PlainRules : BroadcastFunction<Payment, Payment, int>
    {
        public override void Process(in Payment record, ref FunctionContext<int> context) => context.Emit(1);

        public override void ProcessBroadcast(in Payment record, ref BroadcastContext<int> context)
        {
        }
    }

    private sealed class Rules : KeyedBroadcastFunction<string, Payment, Payment, int>
    {
        public override IReadOnlyList<StateDeclaration> States => [new ValueState<int>("kept")];

        public override void Process(in Payment record, ref KeyedContext<string, int> context) => context.Emit(1);

        public override void ProcessBroadcast(in Payment record, ref BroadcastContext<int> context, SubtaskKeys<string, int> keys)
        {
        }
    }
}
