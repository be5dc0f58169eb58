using OrleansStream.Changes;
using OrleansStream.Graph;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Changes;

public sealed class TopRowsTests
{
    [Theory]
    [InlineData(1, true)]
    [InlineData(3, true)]
    [InlineData(3, false)]
    public Task Members_of_the_first_follow_rows_that_come(int n, bool descending) => ChangeCases.RunAsync(
        ChangeCases.Rows,
        rows => rows.KeyBy(static row => row.Key).TopN("top", n, static row => row.Value, descending),
        static row => row.Key,
        static change => change.Value.Key,
        given => Members(Tables(given).Select(rows => First(rows, n, descending))));

    [Theory]
    [InlineData(1, true)]
    [InlineData(3, true)]
    [InlineData(3, false)]
    public Task Members_of_the_first_follow_rows_that_come_and_go(int n, bool descending) => ChangeCases.RunAsync(
        ChangeCases.Changes,
        changes => changes.KeyChangesBy(static row => row.Key).TopN("top", n, static row => row.Value, descending),
        static change => change.Value.Key,
        static change => change.Value.Key,
        given => Members(ChangeCases.Tables(given).Select(rows => First(rows, n, descending))));

    [Fact]
    public Task Ranks_follow_rows_that_come() => ChangeCases.RunAsync(
        ChangeCases.Rows,
        static rows => rows.KeyBy(static row => row.Key).RankedTopN("top", 3, static row => row.Value),
        static row => row.Key,
        static change => change.Value.Value.Key,
        static given => Ranks(Tables(given).Select(static rows => First(rows, 3, descending: true))));

    [Fact]
    public Task Ranks_follow_rows_that_come_and_go() => ChangeCases.RunAsync(
        ChangeCases.Changes,
        static changes => changes.KeyChangesBy(static row => row.Key).RankedTopN("top", 3, static row => row.Value),
        static change => change.Value.Key,
        static change => change.Value.Value.Key,
        static given => Ranks(ChangeCases.Tables(given).Select(static rows => First(rows, 3, descending: true))));

    [Fact]
    public async Task No_more_rows_are_kept_than_are_asked_for_where_rows_only_come()
    {
        var input = new TestInput<Row>();
        var output = new TestOutput<Change<Row>>();
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", input).KeyBy(static row => row.Key).TopN("top", 2, static row => row.Value).To("out", output));
        for (var value = 0; value < 100; value++) input.Add(new Row("a", value, 0), value);
        await harness.RunAsync();

        Assert.Equal([99, 98], harness.Items("top", TopInserts<string, Row, int, Row>.Rows, "a").Select(static row => row.Value));
    }

    /// <summary>The first rows by value, equal values in the order of arrival.</summary>
    private static List<Row> First(IEnumerable<Row> rows, int n, bool descending) =>
        [.. (descending ? rows.OrderByDescending(static row => row.Value) : rows.OrderBy(static row => row.Value)).Take(n)];

    private static IEnumerable<List<Row>> Tables(IReadOnlyList<Given<Row>> given)
    {
        var rows = given.Where(static one => !one.IsWatermark).Select(static one => one.Value).ToList();
        return Enumerable.Range(1, rows.Count).Select(count => rows[..count]);
    }

    /// <summary>What leaves and what comes from one step to the next, as bags.</summary>
    private static IEnumerable<Change<Row>> Members(IEnumerable<List<Row>> steps)
    {
        List<Row> before = [];
        foreach (var after in steps)
        {
            foreach (var gone in Minus(before, after)) yield return Change.Delete(gone);
            foreach (var come in Minus(after, before)) yield return Change.Insert(come);
            before = after;
        }
    }

    private static List<Row> Minus(List<Row> rows, List<Row> others)
    {
        var left = rows.ToList();
        foreach (var other in others) left.Remove(other);
        return left;
    }

    private static IEnumerable<Change<Ranked<Row>>> Ranks(IEnumerable<List<Row>> steps)
    {
        List<Row> before = [];
        foreach (var after in steps)
        {
            for (var place = 0; place < Math.Max(before.Count, after.Count); place++)
            {
                var was = place < before.Count ? before[place] : (Row?)null;
                var now = place < after.Count ? after[place] : (Row?)null;
                if (was == now) continue;
                if (was is { } old) yield return now is null ? Change.Delete(new Ranked<Row>(place + 1, old)) : Change.UpdateBefore(new Ranked<Row>(place + 1, old));
                if (now is { } next) yield return was is null ? Change.Insert(new Ranked<Row>(place + 1, next)) : Change.UpdateAfter(new Ranked<Row>(place + 1, next));
            }

            before = after;
        }
    }
}
