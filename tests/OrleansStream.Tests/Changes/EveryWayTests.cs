using OrleansStream.Changes;
using OrleansStream.Graph;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Changes;

/// <summary>Every operator, step by step and in bulk, restored and crashed after every step, at parallelism 1, 2 and 3.</summary>
public sealed class EveryWayTests
{
    [Theory]
    [InlineData("deduplicate")]
    [InlineData("deduplicate-within")]
    [InlineData("deduplicate-last")]
    [InlineData("deduplicate-changes")]
    [InlineData("distinct-by")]
    [InlineData("aggregate")]
    [InlineData("aggregate-changes")]
    [InlineData("retract")]
    [InlineData("top-n")]
    [InlineData("ranked-top-n")]
    [InlineData("ask")]
    [InlineData("ask-keyed")]
    [InlineData("partition")]
    public async Task An_operator_gives_the_same_in_every_way_of_running_it(string kind)
    {
        var results = await EveryWay.RunAsync(() => Scenario.Of<Row, string>((graph, input, output) => Define(kind, graph.From("in", input)).To("out", output), Steps()));

        Assert.NotEmpty(results["the output"]);
    }

    private static DataStream<string> Define(string kind, DataStream<Row> rows)
    {
        var keyed = rows.KeyBy(static row => row.Key);
        return kind switch
        {
            "deduplicate" => Text(keyed.Deduplicate(kind)),
            "deduplicate-within" => Text(keyed.Deduplicate(kind, within: TimeSpan.FromMilliseconds(10))),
            "deduplicate-last" => Text(keyed.Deduplicate(kind, Keep.Last, TimeSpan.FromMilliseconds(10))),
            "deduplicate-changes" => Text(keyed.DeduplicateChanges(kind, Keep.First, TimeSpan.FromMilliseconds(10))),
            "distinct-by" => Text(keyed.DistinctBy(kind, static row => row.Value)),
            "aggregate" => Text(keyed.Sum(kind, static row => row.Value)),
            "aggregate-changes" => Text(keyed.AggregateChanges(kind, 0, static (max, row) => Math.Max(max, row.Value), static max => max)),
            "retract" => Text(keyed.AggregateChanges("totals", 0, static (sum, row) => sum + row.Value, static sum => sum).KeyChangesBy(static total => total.Key).Min(kind, static total => total.Value)),
            "top-n" => Text(keyed.TopN(kind, 2, static row => row.Value)),
            "ranked-top-n" => Text(keyed.RankedTopN(kind, 2, static row => row.Value)),
            "ask" => rows.SelectAsync(kind, static async (row, _) =>
            {
                await Task.CompletedTask;
                return $"{row}";
            }),
            "ask-keyed" => keyed.SelectAsync(kind, static (row, _) => Task.FromResult($"{row}")),
            _ => Text(rows.PartitionBy(static (row, partitions) => row.Value % partitions)),
        };
    }

    private static DataStream<string> Text<T>(DataStream<T> stream) => stream.Select(static record => $"{record}");

    private static List<Action<TestInput<Row>>> Steps()
    {
        var steps = new List<Action<TestInput<Row>>>();
        foreach (var (key, value, time) in new[] { ("a", 1, 5L), ("b", 3, 7), ("a", 1, 9), ("a", 4, 4), ("c", 2, 11), ("a", 0, 15), ("b", 3, 16), ("b", 5, 30), ("a", 2, 14), ("c", 1, 40) })
        {
            steps.Add(input => input.Add(new Row(key, value, (int)time), time));
            if (time is 9 or 30) steps.Add(input => input.Watermark(time - 2));
        }

        steps.Add(static input => input.End());
        return steps;
    }
}
