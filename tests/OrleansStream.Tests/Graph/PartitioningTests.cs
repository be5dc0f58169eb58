using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.State;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Graph;

/// <summary>Which subtask records go to, and streams put together and taken apart.</summary>
public sealed class PartitioningTests
{
    private readonly TestInput<int> _input = new();

    [Theory]
    [InlineData(1, new long[] { 30 })]
    [InlineData(2, new long[] { 15, 15 })]
    [InlineData(3, new long[] { 9, 9, 12 })]
    public async Task Records_go_to_the_subtask_that_is_chosen_by_hand(int parallelism, long[] counts)
    {
        var sink = new CountingSink<int>();
        await RunAsync(parallelism, graph => graph.From("in", _input).PartitionBy(static (number, subtasks) => subtasks == 3 && number < 3 ? 2 : number % subtasks).To("count", sink));

        Assert.Equal(counts, Enumerable.Range(0, parallelism).Select(sink.CountOf));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    public async Task A_subtask_that_is_not_there_ends_the_attempt_with_the_place(int chosen)
    {
        var error = await Assert.ThrowsAnyAsync<StreamException>(() => RunAsync(2, graph => graph.From("in", _input).PartitionBy((number, _) => number == 7 ? chosen : 0).To("count", new CountingSink<int>())));

        Assert.Contains("Job 'test', stage 'in', operator 'count', subtask 0, event time 1970-01-01T00:00:00.007Z", error.Message, StringComparison.Ordinal);
        Assert.Contains($"PartitionBy chose subtask {chosen}; there are 2, from 0 to 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_function_that_throws_while_it_chooses_ends_the_attempt_with_the_place() => Assert.Contains(
        "operator 'count', subtask 0, event time 1970-01-01T00:00:00.000Z",
        (await Assert.ThrowsAnyAsync<StreamException>(() => RunAsync(2, graph => graph.From("in", _input).PartitionBy(static (_, _) => throw new FormatException("no")).To("count", new CountingSink<int>())))).Message,
        StringComparison.Ordinal);

    [Fact]
    public async Task A_rebalanced_stream_reaches_all_subtasks_and_a_broadcast_one_is_whole_at_each()
    {
        var spread = new CountingSink<int>();
        var whole = new CountingSink<int>();
        await RunAsync(3, graph =>
        {
            var numbers = graph.From("in", _input);
            numbers.Rebalance().To("spread", spread);
            numbers.Broadcast().To("whole", whole);
        });

        Assert.Equal(30, spread.Count);
        Assert.All(Enumerable.Range(0, 3), subtask => Assert.True(spread.CountOf(subtask) > 0));
        Assert.Equal([30L, 30, 30], Enumerable.Range(0, 3).Select(whole.CountOf));
    }

    [Theory]
    [InlineData("rebalance")]
    [InlineData("by-hand")]
    [InlineData("merge")]
    [InlineData("merge-partitioned")]
    public async Task Records_are_there_once_in_every_way_of_running_it(string kind)
    {
        var results = await EveryWay.RunAsync(() => Scenario.Of<int, string>(
            (graph, input, output) =>
            {
                var numbers = graph.From("in", input);
                (kind switch
                {
                    "rebalance" => numbers.Rebalance(),
                    "by-hand" => numbers.PartitionBy(static (number, subtasks) => number * 7 % subtasks),
                    "merge" => Where(1).Merge(Where(0)),
                    _ => Where(1).Rebalance().Merge(Where(0).PartitionBy(static (_, subtasks) => subtasks - 1)),
                }).Select(static number => $"{number}").To("out", output);

                OrleansStream.Graph.DataStream<int> Where(int rest) => numbers.Where(number => number % 2 == rest);
            },
            [.. Enumerable.Range(0, 20).Select(static number => (Action<TestInput<int>>)(input => input.Add(number, number))), static input => input.End()]));

        Assert.Equal(Enumerable.Range(0, 20).Select(static number => $"{number} @{number}").Order(StringComparer.Ordinal), results["the output"]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task The_watermark_of_a_merged_stream_is_the_lowest_of_its_streams(int parallelism)
    {
        var other = new TestInput<int>();
        await using var harness = await JobHarness.StartAsync(
            graph => graph.From("in", _input).Merge(graph.From("other", other)).KeyBy(static number => number).Process("note", static _ => new Noting()).To("out", new TestOutput<string>()),
            new HarnessOptions { Parallelism = parallelism });
        _input.Watermark(100);
        await harness.RunAsync();
        Assert.Equal(long.MinValue, harness.Watermark("note"));
        other.Watermark(40);
        await harness.RestoreAsync(2);
        Assert.Equal(40, harness.Watermark("note"));
        other.End();
        await harness.RunAsync();

        Assert.Equal(100, harness.Watermark("note"));
    }

    [Fact]
    public async Task Side_outputs_are_the_same_in_every_way_of_running_a_job()
    {
        var results = await EveryWay.RunAsync(static () =>
        {
            var input = new TestInput<int>();
            var output = new TestOutput<string>();
            var side = new TestOutput<int>();
            return new Scenario(
                graph =>
                {
                    var noted = graph.From("in", input).KeyBy(static number => number % 4).Process("note", static _ => new Noting());
                    noted.To("out", output);
                    noted.SideOutput(Noting.Odd).To("odd", side);
                },
                [.. Enumerable.Range(0, 12).Select(number => (Action)(() => input.Add(number, number))), () => input.End()],
                new Dictionary<string, Func<IEnumerable<string>>> { ["the output"] = () => Scenario.Text(output), ["the side output"] = () => Scenario.Text(side) });
        });

        Assert.Equal(12, results["the output"].Count);
        Assert.Equal(["1 @1", "11 @11", "3 @3", "5 @5", "7 @7", "9 @9"], results["the side output"]);
    }

    private async Task RunAsync(int parallelism, Action<OrleansStream.Graph.JobGraph> define)
    {
        await using var harness = await JobHarness.StartAsync(define, new HarnessOptions { Parallelism = parallelism });
        for (var number = 0; number < 30; number++)
        {
            _input.Add(number, number);
            await harness.RunAsync();
        }

        _input.End();
        await harness.RunAsync();
        await harness.CheckpointAsync();
    }

    private sealed class Noting : KeyedFunction<int, int, string>
    {
        public static readonly SideOutput<int> Odd = new("odd");
        private static readonly ValueState<int> Count = new("count");

        public override IReadOnlyList<StateDeclaration> States => [Count];

        public override void Process(in int number, ref KeyedContext<int, string> context)
        {
            context.Emit($"{number}, {context.Update(Count, static count => count + 1)} of {context.Key}");
            if (number % 2 == 1) context.Emit(Odd, number);
        }
    }
}
