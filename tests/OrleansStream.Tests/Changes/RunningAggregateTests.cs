using OrleansStream.Changes;
using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Changes;

public sealed class RunningAggregateTests
{
    [Fact]
    public Task An_aggregate_tells_its_result_after_each_record() => UpdatesAsync(
        static rows => rows.Aggregate("average", (Sum: 0, Count: 0), static (all, row) => (all.Sum + row.Value, all.Count + 1), static all => (double)all.Sum / all.Count),
        static rows => rows.Average(static row => row.Value));

    [Fact]
    public Task A_count_is_told_after_each_record() => UpdatesAsync(static rows => rows.Count("count"), static rows => (long)rows.Count);

    [Fact]
    public Task A_sum_is_told_after_each_record() => UpdatesAsync(static rows => rows.Sum("sum", static row => row.Value), static rows => rows.Sum(static row => row.Value));

    [Fact]
    public Task The_smallest_value_is_told_after_each_record() => UpdatesAsync(static rows => rows.Min("min", static row => row.Value), static rows => rows.Min(static row => row.Value));

    [Fact]
    public Task The_largest_value_is_told_after_each_record() => UpdatesAsync(static rows => rows.Max("max", static row => row.Value), static rows => rows.Max(static row => row.Value));

    [Fact]
    public Task A_reduction_begins_with_the_first_record_as_it_is() => UpdatesAsync(
        static rows => rows.Reduce("reduce", static (one, other) => other with { Value = (one.Value * 3) + other.Value }),
        static rows => rows.Aggregate(static (one, other) => other with { Value = (one.Value * 3) + other.Value }));

    [Fact]
    public Task Changes_of_an_aggregate_tell_only_results_that_differ() => ChangeCases.RunAsync(
        ChangeCases.Rows,
        static rows => rows.KeyBy(static row => row.Key).AggregateChanges("max", int.MinValue, static (max, row) => Math.Max(max, row.Value), static max => max),
        static row => row.Key,
        static change => change.Value.Key,
        static given => ChangeCases.ResultChanges(given.First(static one => !one.IsWatermark).Value.Key, Prefixes(given).Select(static rows => (int?)rows.Max(static row => row.Value))));

    [Fact]
    public Task A_sum_follows_rows_that_come_and_go() => ChangesAsync(static rows => rows.Sum("sum", static row => row.Value), static rows => rows.Sum(static row => row.Value));

    [Fact]
    public Task A_count_follows_rows_that_come_and_go() => ChangesAsync(static rows => rows.Count("count"), static rows => (long)rows.Count);

    [Fact]
    public Task The_smallest_value_follows_rows_that_come_and_go() => ChangesAsync(static rows => rows.Min("min", static row => row.Value), static rows => rows.Min(static row => row.Value));

    [Fact]
    public Task The_largest_value_follows_rows_that_come_and_go() => ChangesAsync(static rows => rows.Max("max", static row => row.Value), static rows => rows.Max(static row => row.Value));

    [Fact]
    public Task An_aggregate_follows_rows_that_come_and_go() => ChangesAsync(
        static rows => rows.Aggregate(
            "average",
            (Sum: 0, Count: 0),
            static (all, row) => (all.Sum + row.Value, all.Count + 1),
            static (all, row) => (all.Sum - row.Value, all.Count - 1),
            static all => (double)all.Sum / all.Count),
        static rows => rows.Average(static row => row.Value));

    /// <summary>How many keys have each count: a change of one row moves a key from one to another.</summary>
    [Fact]
    public async Task Changes_of_one_aggregate_are_the_input_of_another()
    {
        var input = new TestInput<string>();
        var output = new TestOutput<Change<KeyedResult<long, long>>>();
        await using var harness = await JobHarness.StartAsync(
            graph => graph.From("in", input).KeyBy(static word => word).AggregateChanges("words", 0L, static (count, _) => count + 1, static count => count)
                .KeyChangesBy(static result => result.Value).Count("counts").To("out", output),
            new HarnessOptions { Parallelism = 2 });
        foreach (var word in new[] { "a", "b", "a", "c", "b", "a" })
        {
            input.Add(word, 1);
            await harness.RunAsync();
        }

        var table = new Dictionary<long, long>();
        foreach (var change in output.Values)
        {
            if (change.IsRetraction) Assert.True(table.Remove(change.Value.Key, out var was) && was == change.Value.Value);
            else table.Add(change.Value.Key, change.Value.Value);
        }

        Assert.Equal([(1L, 1L), (2L, 1L), (3L, 1L)], table.Select(static entry => (entry.Key, entry.Value)).Order());
        Assert.Equal(3, harness.KeyCount("counts"));
    }

    [Fact]
    public async Task A_key_without_rows_keeps_nothing()
    {
        var input = new TestInput<Change<Row>>();
        var output = new TestOutput<Change<KeyedResult<string, int>>>();
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", input).KeyChangesBy(static row => row.Key).Max("max", static row => row.Value).To("out", output));
        input.Add(Change.Insert(new Row("a", 1, 0)), 1);
        input.Add(Change.Delete(new Row("a", 1, 0)), 2);
        await harness.RunAsync();

        Assert.Equal([ChangeKind.Insert, ChangeKind.Delete], output.Values.Select(static change => change.Kind));
        Assert.Equal(0, harness.KeyCount("max"));
    }

    [Theory]
    [InlineData("sum")]
    [InlineData("max")]
    [InlineData("top")]
    public async Task A_row_that_goes_and_was_not_there_is_an_error_and_leaves_everything_as_it_was(string kind)
    {
        var input = new TestInput<Change<Row>>();
        var output = new TestOutput<string>();
        var letters = new TestOutput<DeadLetter<Change<Row>>>();
        await using var harness = await JobHarness.StartAsync(graph =>
        {
            var rows = graph.From("in", input).KeyChangesBy(static row => row.Key);
            if (kind == "sum") Read(rows.Sum("follow", static row => row.Value, OnError.DeadLetter));
            else if (kind == "max") Read(rows.Max("follow", static row => row.Value, OnError.DeadLetter));
            else Read(rows.TopN("follow", 1, static row => row.Value, onError: OnError.DeadLetter));

            void Read<T>(DataStream<T> stream)
            {
                stream.Select(static change => $"{change}").To("out", output);
                stream.DeadLetters<Change<Row>>().To("letters", letters);
            }
        });
        input.Add(Change.Delete(new Row("a", 1, 0)), 1);
        await harness.RunAsync();

        Assert.Empty(output.Values);
        Assert.Contains("Delete of Row", Assert.Single(letters.Values).Error, StringComparison.Ordinal);
        Assert.Contains("which is not there", letters.Values.Single().Error, StringComparison.Ordinal);
        Assert.Equal(0, harness.KeyCount("follow"));
    }

    [Fact]
    public async Task A_sum_that_overflows_is_an_error_of_the_record_and_never_wrong()
    {
        var input = new TestInput<int>();
        var output = new TestOutput<KeyedResult<string, int>>();
        var letters = new TestOutput<DeadLetter<int>>();
        await using var harness = await JobHarness.StartAsync(graph =>
        {
            var sums = graph.From("in", input).KeyBy(static _ => "all").Sum("sum", static number => number, OnError.DeadLetter);
            sums.To("out", output);
            sums.DeadLetters<int>().To("letters", letters);
        });
        foreach (var number in new[] { int.MaxValue, 1, -1 }) input.Add(number, 1);
        await harness.RunAsync();

        Assert.Equal([int.MaxValue, int.MaxValue - 1], output.Values.Select(static result => result.Value));
        Assert.Contains("OverflowException", Assert.Single(letters.Values).Error, StringComparison.Ordinal);
    }

    private static Task UpdatesAsync<TResult>(Func<KeyedStream<string, Row>, DataStream<KeyedResult<string, TResult>>> operate, Func<IReadOnlyList<Row>, TResult> reference) => ChangeCases.RunAsync(
        ChangeCases.Rows,
        rows => operate(rows.KeyBy(static row => row.Key)),
        static row => row.Key,
        static result => result.Key,
        given => Prefixes(given).Select(rows => new KeyedResult<string, TResult>(rows[0].Key, reference(rows))));

    private static Task ChangesAsync<TResult>(Func<KeyedChanges<string, Row>, DataStream<Change<KeyedResult<string, TResult>>>> operate, Func<IReadOnlyList<Row>, TResult> reference)
        where TResult : struct => ChangeCases.RunAsync(
            ChangeCases.Changes,
            changes => operate(changes.KeyChangesBy(static row => row.Key)),
            static change => change.Value.Key,
            static change => change.Value.Key,
            given => ChangeCases.ResultChanges(given[0].Value.Value.Key, ChangeCases.Tables(given).Select(rows => rows.Count == 0 ? (TResult?)null : reference(rows))));

    private static IEnumerable<List<Row>> Prefixes(IReadOnlyList<Given<Row>> given)
    {
        var rows = given.Where(static one => !one.IsWatermark).Select(static one => one.Value).ToList();
        return Enumerable.Range(1, rows.Count).Select(count => rows[..count]);
    }
}
