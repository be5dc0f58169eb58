using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Sinks;
using OrleansStream.State;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Graph;

public sealed class GraphRefusalTests
{
    [Fact]
    public void Everything_that_is_wrong_is_said_at_once_each_with_its_place()
    {
        var refusals = GraphSamples.Refusals(static graph =>
        {
            var payments = graph.From("Payments!", GraphSamples.Payments(), recordsPerSecond: 0);
            payments.KeyBy(static payment => payment.Account)
                .Window(TumblingWindows.Of(TimeSpan.Zero), allowedLateness: TimeSpan.FromSeconds(-1))
                .Aggregate("sum", new List<int>(), static (list, _) => list, static list => list.Count);
            payments.To("sum", new CollectingSink<Payment>());
        });

        Assert.Equal(
            [
                "From 'Payments!': a name has 1 to 64 characters of a-z, 0-9 and '-'.",
                "From 'Payments!': the rate of 0 records per second must be above 0.",
                "Window 'sum': impossible windows: the size must be a whole number of milliseconds, 1 or more.",
                "Window 'sum': an allowed lateness of -00:00:01 is below 0.",
                "Window 'sum': accumulator holds List<int>, which can be changed without the engine seeing it (List<int> is a mutable collection); "
                    + "use a struct, an immutable record, an immutable collection, or list and map state.",
                "To 'sum': another operator has this name; every source, sink and state-holding operator needs one of its own.",
                "Window 'sum': nobody reads its results; end the stream with To.",
                "Window 'sum': records reach it without event time; put WithTimestamps after the source.",
            ],
            refusals);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("Upper")]
    [InlineData("with space")]
    [InlineData("line\n")]
    [InlineData("../up")]
    [InlineData("a234567890123456789012345678901234567890123456789012345678901234x")]
    public void A_name_that_is_none_is_refused(string? name) => Assert.Contains(
        GraphSamples.Refusals(graph => graph.From(name!, GraphSamples.Payments()).To("results", new CollectingSink<Payment>())),
        static refusal => refusal.EndsWith("a name has 1 to 64 characters of a-z, 0-9 and '-'.", StringComparison.Ordinal));

    [Fact]
    public void A_graph_without_source_or_sink_says_how_to_begin_and_end() => Assert.Equal(
        ["The graph has no source: begin with From.", "The graph has no sink: end each stream with To."], GraphSamples.Refusals(static _ => { }));

    [Fact]
    public void An_operator_that_nobody_reads_is_refused_by_what_it_follows() => Assert.Equal(
        ["Select after 'payments': nobody reads its results; end the stream with To."],
        GraphSamples.Refusals(static graph =>
        {
            var payments = graph.From("payments", GraphSamples.Payments());
            payments.Select(static payment => payment.Amount);
            payments.To("results", new CollectingSink<Payment>());
        }));

    [Fact]
    public void A_window_above_which_only_some_paths_have_event_time_is_refused() => Assert.Equal(
        ["Window 'sum': records reach it without event time; put WithTimestamps after the source."],
        GraphSamples.Refusals(static graph => graph
            .From("payments", GraphSamples.Payments())
            .WithTimestamps(static payment => payment.Amount, TimeSpan.Zero)
            .Merge(graph.From("others", GraphSamples.Payments()))
            .KeyBy(static payment => payment.Account)
            .Window(TumblingWindows.Of(TimeSpan.FromSeconds(1)))
            .Aggregate("sum", 0L, static (sum, _) => sum, static sum => sum)
            .To("results", new CollectingSink<WindowResult<string, long>>())));

    [Theory]
    [InlineData(0, 128, "parallelism is 0; it must be from 1 to maxParallelism, 128.")]
    [InlineData(9, 8, "parallelism is 9; it must be from 1 to maxParallelism, 8.")]
    [InlineData(1, 0, "maxParallelism is 0; it must be from 1 to 32768.")]
    [InlineData(1, 40_000, "maxParallelism is 40000; it must be from 1 to 32768.")]
    public void An_impossible_parallelism_is_refused(int parallelism, int maxParallelism, string refusal) =>
        Assert.Equal([refusal], GraphSamples.Refusals(GraphSamples.Averages, parallelism, maxParallelism));

    [Fact]
    public void A_record_that_travels_as_an_open_type_is_refused_and_one_that_stays_in_its_stage_is_not()
    {
        Assert.Equal(
            ["Process 'score': a record from 'select-2' holds object: object is open: anything could be in it; name a sealed type."],
            GraphSamples.Refusals(static graph => graph
                .From("payments", GraphSamples.Payments())
                .Select(static payment => (object)payment)
                .KeyBy(static _ => "key")
                .Process("score", GraphSamples.Keep<object>())
                .To("results", new CollectingSink<string>())));
        GraphSamples.Plan(static graph => graph.From("payments", GraphSamples.Payments()).Select(static payment => (object)payment).To("results", new CollectingSink<object>()));
    }

    [Fact]
    public void Types_without_serializers_or_open_to_others_are_refused_however_deep()
    {
        Assert.Contains("NotSerialized has no [GenerateSerializer]; add it, and [Id] to its members", State<NotSerialized>(), StringComparison.Ordinal);
        Assert.Contains("NotSerialized has no [GenerateSerializer]", State<Nested>(), StringComparison.Ordinal);
        Assert.Contains("NotSerialized has no [GenerateSerializer]", State<System.Collections.Immutable.ImmutableList<Nested?>>(), StringComparison.Ordinal);
        Assert.Contains("OpenClass is an open class; seal it", State<OpenClass>(), StringComparison.Ordinal);
        Assert.Contains("IComparable is open: anything could be in it", State<IComparable>(), StringComparison.Ordinal);
        Assert.Contains("object is open: anything could be in it", State<(int, object)>(), StringComparison.Ordinal);
        Assert.Contains("is code; lambdas never travel", State<Func<int>>(), StringComparison.Ordinal);
        Assert.Contains("WithoutAlias, a kind of LooseShape, has no [Alias]", State<LooseShape>(), StringComparison.Ordinal);
    }

    [Fact]
    public void State_that_could_be_changed_behind_the_engines_back_is_refused()
    {
        Assert.Contains("Mutable.Value can be set", State<Mutable>(), StringComparison.Ordinal);
        Assert.Contains("an array", State<int[]>(), StringComparison.Ordinal);
        Assert.Contains("Dictionary<string, int> is a mutable collection", State<Dictionary<string, int>>(), StringComparison.Ordinal);
        Assert.Contains("Mutable.Value can be set", State<(int, Mutable)>(), StringComparison.Ordinal);
        Assert.Contains("MutableRoot.Changed can be set", State<MutableKind>(), StringComparison.Ordinal);
        Assert.Contains("MutableRoot.Changed can be set", State<MutableRoot>(), StringComparison.Ordinal);
    }

    [Fact]
    public void Types_that_can_rest_are_accepted()
    {
        foreach (var state in new StateDeclaration[]
        {
            new ValueState<Payment>("a"), new ValueState<Shape>("b"), new ValueState<(string, int?)>("c"), new ValueState<decimal>("d"), new ListState<Circle>("e"),
            new MapState<(string, Guid), DateTimeOffset>("f"), new ValueState<System.Collections.Immutable.ImmutableDictionary<string, Payment>>("g"), new ValueState<Generic<int>.Part>("h"),
        })
        {
            GraphSamples.Plan(graph => Define(graph, state));
        }
    }

    [Fact]
    public void State_is_declared_once_by_a_name_and_its_map_keys_have_a_byte_encoding()
    {
        var refusals = GraphSamples.Refusals(static graph => Define(graph, new ValueState<int>("twice"), new ListState<int>("twice"), new ValueState<int>("Bad"), new MapState<double, int>("map")));

        Assert.Equal(
            [
                "Process 'score': state 'twice' is declared twice.",
                "Process 'score': the name of state 'Bad' must have 1 to 64 characters of a-z, 0-9 and '-'.",
                "Process 'score': state 'map' has map keys of double; a key is a string, an integer, a Guid, or a tuple of these.",
            ],
            refusals);
    }

    [Fact]
    public void A_key_without_byte_encoding_is_refused() => Assert.Contains(
        "Process 'score': its key is a DateTime; a key is a string, an integer, a Guid, or a tuple of these.",
        GraphSamples.Refusals(static graph => graph.From("payments", GraphSamples.Payments()).KeyBy(static _ => DateTime.UnixEpoch)
            .Process<string>("score", static _ => throw new NotSupportedException("no rules")).To("results", new CollectingSink<string>())));

    [Fact]
    public void A_function_that_cannot_be_made_is_refused_with_the_reason() => Assert.Equal(
        ["Process 'score': its function could not be made to read its state declarations: NotSupportedException: no rules."],
        GraphSamples.Refusals(static graph => graph.From("payments", GraphSamples.Payments()).KeyBy(static payment => payment.Account)
            .Process<string>("score", static _ => throw new NotSupportedException("no rules")).To("results", new CollectingSink<string>())));

    [Fact]
    public void Side_outputs_are_read_from_who_emits_them_as_what_they_are()
    {
        var refusals = GraphSamples.Refusals(static graph =>
        {
            var payments = graph.From("payments", GraphSamples.Payments());
            payments.Select(static payment => payment.Amount).SideOutput(new SideOutput<int>("late")).To("one", new CollectingSink<int>());
            var scored = payments.KeyBy(static payment => payment.Account).Process("score", GraphSamples.Keep<Payment>());
            scored.SideOutput(new SideOutput<int>("alerts")).To("two", new CollectingSink<int>());
            scored.SideOutput(new SideOutput<string>("alerts")).To("three", new CollectingSink<string>());
            scored.SideOutput(new SideOutput<string>("Bad Name")).To("four", new CollectingSink<string>());
            scored.DeadLetters<int>().To("five", new CollectingSink<DeadLetter<int>>());
        });

        Assert.Equal(
            [
                "Select after 'payments': side output 'late' is read from it, but it has none; ask the operator that emits to it, before Select, Where or Merge.",
                "Process 'score': side output 'alerts' is declared with two record types.",
                "Process 'score': the name of side output 'Bad Name' must have 1 to 64 characters of a-z, 0-9 and '-'.",
                "Process 'score': dead letters of int are read from it, but it takes no such records.",
            ],
            refusals);
    }

    [Theory]
    [InlineData("other")]
    [InlineData("late")]
    public void A_window_has_no_side_output_but_its_late_records(string read)
    {
        var late = new SideOutput<Payment>("late");

        Assert.Equal(
            [$"Window 'sum': side output '{read}' of long is read from it, but it emits late records only, to 'late' of Payment."],
            GraphSamples.Refusals(graph =>
            {
                var sums = graph.From("payments", GraphSamples.Payments()).WithTimestamps(TimeSpan.Zero).KeyBy(static payment => payment.Account)
                    .Window(TumblingWindows.Of(TimeSpan.FromSeconds(1)), late: late).Aggregate("sum", 0L, static (sum, _) => sum, static sum => sum);
                sums.To("results", new CollectingSink<WindowResult<string, long>>());
                sums.SideOutput(new SideOutput<long>(read)).To("late", new CollectingSink<long>());
            }));
    }

    [Fact]
    public void Dead_letters_of_an_operator_that_ends_the_attempt_instead_are_refused() => Assert.Equal(
        ["Select after 'payments': its dead letters are read, but it ends the attempt instead of writing any; give it OnError.DeadLetter."],
        GraphSamples.Refusals(static graph =>
        {
            var amounts = graph.From("payments", GraphSamples.Payments()).Select(static payment => payment.Amount);
            amounts.To("results", new CollectingSink<long>());
            amounts.DeadLetters<Payment>().To("failed", new CollectingSink<DeadLetter<Payment>>());
        }));

    [Fact]
    public void Impossible_times_are_refused()
    {
        var refusals = GraphSamples.Refusals(static graph => graph.From("payments", GraphSamples.Payments())
            .WithTimestamps(static payment => payment.Amount, TimeSpan.FromSeconds(-1), idleAfter: TimeSpan.Zero).To("results", new CollectingSink<Payment>()));

        Assert.Equal(
            ["WithTimestamps after 'payments': a maxOutOfOrderness of -00:00:01 is not between 0 and 100 years.", "WithTimestamps after 'payments': an idleAfter of 00:00:00 must be above 0."],
            refusals);
    }

    [Fact]
    public void State_lives_for_a_millisecond_at_least()
    {
        var refusals = GraphSamples.Refusals(static graph => Define(
            graph,
            new ValueState<int>("never") { TimeToLive = TimeSpan.Zero },
            new ListState<int>("back") { TimeToLive = TimeToLive.InProcessingTime(TimeSpan.FromSeconds(-1)) },
            new ValueState<int>("briefly") { TimeToLive = TimeSpan.FromTicks(1) }));

        Assert.Equal(
            [
                "Process 'score': state 'never' has a time to live of 00:00:00; it lives for a millisecond at least, or without one.",
                "Process 'score': state 'back' has a time to live of -00:00:01; it lives for a millisecond at least, or without one.",
            ],
            refusals);
    }

    [Fact]
    public void What_is_folded_into_must_be_able_to_rest()
    {
        var refusals = GraphSamples.Refusals(static graph => Define(graph, new ReducingState<int[]>("sum", static (have, _) => have)));

        Assert.Contains("an array", Assert.Single(refusals), StringComparison.Ordinal);
    }

    [Fact]
    public void A_time_to_live_does_not_make_another_graph()
    {
        var with = GraphSamples.Plan(static graph => Define(graph, new ValueState<int>("kept") { TimeToLive = TimeSpan.FromDays(1) }));
        var without = GraphSamples.Plan(static graph => Define(graph, new ValueState<int>("kept")));

        Assert.Equal(without.Fingerprint, with.Fingerprint);
    }

    private static string State<T>() => string.Join('\n', GraphSamples.Refusals(static graph => Define(graph, new ValueState<T>("kept"))));

    private static void Define(JobGraph graph, params StateDeclaration[] states) => graph
        .From("payments", GraphSamples.Payments())
        .KeyBy(static payment => payment.Account)
        .Process("score", GraphSamples.Keep<Payment>(states))
        .To("results", new CollectingSink<string>());
}
