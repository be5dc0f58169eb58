using OrleansStream.Changes;
using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Sinks;

namespace OrleansStream.Tests.Graph;

public sealed class RelationalRefusalTests
{
    [Fact]
    public void Everything_that_is_impossible_about_asynchronous_calls_is_said_at_once() => Assert.Equal(
        [
            "SelectAsync 'ask': a capacity of 0 is not between 1 and 1,000,000.",
            "SelectAsync 'ask': a time-out of 00:00:00 is below 1 ms.",
            "SelectAsync 'ask': there is no order 7.",
            "SelectAsync 'ask': 0 attempts are fewer than 1.",
            "SelectAsync 'ask': a retry delay of -00:00:01 is below 0.",
            "SelectAsync 'ask': a retry factor of 0.5 is not a number from 1 up.",
            "SelectAsync 'ask': the longest retry delay, -00:00:02, is below the first, -00:00:01.",
        ],
        Refusals(static payments => payments.SelectAsync("ask", Answer<Payment>, new AsyncOptions
        {
            Capacity = 0,
            Timeout = TimeSpan.Zero,
            Order = (AsyncOrder)7,
            Retry = new AsyncRetry { Attempts = 0, Delay = TimeSpan.FromSeconds(-1), Factor = 0.5, LongestDelay = TimeSpan.FromSeconds(-2) },
        })));

    [Fact]
    public void Records_in_flight_rest_in_checkpoints_and_so_must_have_serializers() => Assert.Equal(
        ["SelectAsync 'ask': a record in flight holds object: object is open: anything could be in it; name a sealed type."],
        Refusals(static payments => payments.Select(static payment => (object)payment).SelectAsync("ask", Answer<object>)));

    [Fact]
    public void Dead_letters_of_calls_are_read_only_where_there_are_any() => Assert.Equal(
        ["SelectAsync 'ask': its dead letters are read, but it ends the attempt instead of writing any; give it OnError.DeadLetter."],
        Refusals(static payments =>
        {
            var asked = payments.SelectAsync("ask", Answer<Payment>);
            asked.DeadLetters<Payment>().To("letters", new CollectingSink<DeadLetter<Payment>>());
            return asked;
        }));

    [Theory]
    [InlineData(0)]
    [InlineData(10_001)]
    public void An_impossible_number_of_first_rows_is_refused(int n) => Assert.Equal(
        [$"TopN 'top': an n of {n} is not between 1 and 10,000."],
        Refusals(payments => payments.KeyBy(static payment => payment.Account).TopN("top", n, static payment => payment.Amount)));

    [Fact]
    public void Impossible_spans_of_duplicates_are_refused() => Assert.Equal(
        [
            "Deduplicate 'first': a within of 00:00:00 is not a whole number of milliseconds, 1 or more.",
            "DeduplicateChanges 'last': there is no 5 to keep.",
            "DeduplicateChanges 'last': a within of 00:00:00.0000001 is not a whole number of milliseconds, 1 or more.",
        ],
        Refusals(static payments =>
        {
            var timed = payments.WithTimestamps(TimeSpan.Zero);
            timed.KeyBy(static payment => payment.Account).Deduplicate("first", within: TimeSpan.Zero).To("one", new CollectingSink<Payment>());
            return timed.KeyBy(static payment => payment.Account).DeduplicateChanges("last", (Keep)5, TimeSpan.FromTicks(1));
        }));

    [Fact]
    public void Duplicates_within_a_time_need_event_time() => Assert.Equal(
        ["Deduplicate 'first': records reach it without event time; put WithTimestamps after the source."],
        Refusals(static payments => payments.KeyBy(static payment => payment.Account).Deduplicate("first", within: TimeSpan.FromSeconds(1))));

    [Fact]
    public void A_value_without_byte_encoding_cannot_be_distinct() => Assert.Equal(
        ["Distinct 'payments-once': state 'seen' has map keys of Payment; a key is a string, an integer, a Guid, or a tuple of these."],
        Refusals(static payments => payments.KeyBy(static payment => payment.Account).Distinct("payments-once")));

    [Fact]
    public void Rows_and_accumulators_that_cannot_be_kept_are_refused()
    {
        Assert.Contains("TopN 'top': state 'rows' holds Mutable, which can be changed without the engine seeing it", string.Join('\n', Refusals(static payments => payments
            .Select(static _ => new Mutable()).KeyBy(static _ => "all").TopN("top", 3, static row => row.Value))), StringComparison.Ordinal);
        Assert.Contains("Aggregate 'list': state 'accumulator' holds List<int>, which can be changed", string.Join('\n', Refusals(static payments => payments
            .KeyBy(static payment => payment.Account).Aggregate("list", new List<int>(), static (list, _) => list, static list => list.Count))), StringComparison.Ordinal);
    }

    [Fact]
    public void What_emits_to_no_side_output_has_none_to_read() => Assert.Equal(
        ["Count 'count': side output 'late' of int is read from it, but it has none."],
        Refusals(static payments =>
        {
            var counts = payments.KeyBy(static payment => payment.Account).Count("count");
            counts.SideOutput(new SideOutput<int>("late")).To("late", new CollectingSink<int>());
            return counts;
        }));

    [Fact]
    public void A_stream_merged_with_itself_is_refused() => Assert.Equal(
        ["From 'payments': a Merge has its records 3 times; to double them on purpose, let SelectMany make two of one."],
        Refusals(static payments => payments.Merge(payments, payments)));

    [Fact]
    public void Divisions_that_are_at_once_undone_are_refused() => Assert.Equal(
        [
            "From 'payments': its records are divided by Rebalance and at once anew by Broadcast; only the last has an effect, so leave the first out.",
            "From 'payments': its records are divided by PartitionBy and at once anew by KeyBy; only the last has an effect, so leave the first out.",
        ],
        Refusals(static payments =>
        {
            payments.Rebalance().Broadcast().To("one", new CollectingSink<Payment>());
            return payments.PartitionBy(static (_, _) => 0).KeyBy(static payment => payment.Account).Count("count");
        }));

    [Fact]
    public void A_description_says_what_is_divided_by_hand() => Assert.Contains(
        "To 'results' <- payments (by hand)",
        GraphDescription.ToText(GraphSamples.Graph(static graph => graph.From("payments", GraphSamples.Payments()).PartitionBy(static (_, _) => 0).To("results", new CollectingSink<Payment>()))),
        StringComparison.Ordinal);

    private static Task<T> Answer<T>(T question, CancellationToken cancellation) => Task.FromResult(question);

    private static string[] Refusals<T>(Func<DataStream<Payment>, DataStream<T>> define) =>
        GraphSamples.Refusals(graph => define(graph.From("payments", GraphSamples.Payments())).To("results", new CollectingSink<T>()));
}
