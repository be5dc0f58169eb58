using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.State;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Testing;

public sealed class JobHarnessTests
{
    private readonly TestInput<string> _input = new();
    private readonly TestOutput<string> _output = new();

    [Fact]
    public async Task A_function_gets_what_is_fed_and_its_state_can_be_read()
    {
        await using var harness = await StartAsync();
        _input.Add("a1", 10);
        _input.Add("b1", 20);
        _input.Add("a2", 30);
        await harness.RunAsync();

        Assert.Equal([new("a:1", 10), new("b:1", 20), new("a:2", 30)], _output.Take());
        Assert.Equal(2, harness.Get("count", Counting.Count, "a"));
        Assert.Equal(0, harness.Get("count", Counting.Count, "z"));
        Assert.Equal([30 + 1000], harness.EventTimers("count", "a").Skip(1));
        Assert.Equal(2, harness.KeyCount("count"));
        Assert.Equal(long.MinValue, harness.Watermark("count"));
    }

    [Fact]
    public async Task A_watermark_is_heard_where_it_stands_among_the_records()
    {
        await using var harness = await StartAsync();
        _input.Add("a1", 10);
        _input.Watermark(1010);
        _input.Add("b1", 1020);
        await harness.RunAsync();

        Assert.Equal(["a:1", "a timed 1010", "b:1"], _output.Values);
        Assert.Equal(1010, harness.Watermark("count"));
        _input.End();
        await harness.RunAsync();

        Assert.True(harness.HasEnded);
        Assert.Equal("b timed 2020", _output.Values.Last());
        Assert.Equal(long.MaxValue, harness.Watermark("count"));
    }

    [Fact]
    public async Task A_watermark_that_comes_first_is_heard_before_the_records_behind_it()
    {
        await using var harness = await StartAsync();
        _input.Add("a1", 10);
        await harness.RunAsync();
        _input.Watermark(1010);
        _input.Add("b1", 1020);
        await harness.RunAsync();

        Assert.Equal(["a:1", "a timed 1010", "b:1"], _output.Values);
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(3, 2)]
    public async Task State_timers_and_watermark_survive_a_restore_at_another_parallelism(int before, int after)
    {
        await using var harness = await StartAsync(before);
        _input.Add("a1", 10);
        _input.Add("b1", 20);
        _input.Watermark(500);
        await harness.RestoreAsync(after);

        Assert.Equal(2, harness.Attempts);
        Assert.Equal(after, harness.Parallelism);
        Assert.Equal(500, harness.Watermark("count"));
        Assert.Equal([1010], harness.EventTimers("count", "a"));
        _input.Add("a2", 600);
        _input.Watermark(1010);
        await harness.RunAsync();
        Assert.Equal(["a timed 1010", "a:1", "a:2", "b:1"], _output.Values.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task After_a_crash_what_followed_the_checkpoint_is_read_again_and_written_once()
    {
        await using var harness = await StartAsync();
        _input.Add("a1", 10);
        await harness.CheckpointAsync();
        _input.Add("a2", 20);
        await harness.RunAsync();
        Assert.Equal(["a:1", "a:2"], _output.Values);

        await harness.CrashAsync();
        Assert.Equal(["a:1"], _output.Values);
        await harness.RunAsync();
        Assert.Equal(["a:1", "a:2"], _output.Values);
    }

    [Fact]
    public async Task The_clock_stands_at_each_timer_that_it_passes()
    {
        await using var harness = await StartAsync();
        _input.Add("a!", 1);
        _input.Add("b!!", 1);
        await harness.AdvanceProcessingTimeAsync(TimeSpan.FromMilliseconds(100));

        Assert.Equal(["a at 50", "b at 60"], _output.Values);
        Assert.Equal(100, harness.ProcessingTime);
    }

    [Fact]
    public async Task A_function_that_throws_is_reported_and_only_a_crash_goes_on()
    {
        await using var harness = await StartAsync();
        _input.Add("a1", 1);
        await harness.CheckpointAsync();
        _input.Add("a?", 2);

        Assert.Contains("operator 'count'", (await Assert.ThrowsAnyAsync<StreamException>(harness.RunAsync)).Message);
        Assert.Contains("has failed", (await Assert.ThrowsAsync<InvalidOperationException>(harness.RunAsync)).Message);
        await harness.CrashAsync();
        Assert.Equal(1, harness.Get("count", Counting.Count, "a"));
    }

    [Fact]
    public async Task An_idle_split_holds_back_no_watermark_until_its_next_record()
    {
        var input = new TestInput<string>(splits: 2);
        await using var harness = await JobHarness.StartAsync(graph => Define(graph, input, _output));
        input.Watermark(100, split: 0);
        await harness.RunAsync();
        Assert.Equal(long.MinValue, harness.Watermark("count"));
        input.Idle(split: 1);
        await harness.RunAsync();
        Assert.Equal(100, harness.Watermark("count"));
        input.Add("a1", 50, split: 1);
        input.Watermark(200, split: 0);
        await harness.RunAsync();
        Assert.Equal(100, harness.Watermark("count"));
    }

    [Fact]
    public async Task Every_way_of_running_a_job_gives_the_same()
    {
        var results = await EveryWay.RunAsync(static () => Scenario.Of<string, string>(Define, Steps()));

        Assert.Equal(["a timed 1010 @1010", "a timed 1030 @1030", "a:1 @10", "a:2 @30", "b timed 1020 @1020", "b:1 @20"], results["the output"]);
    }

    [Fact]
    public async Task State_that_is_not_declared_is_found_by_running_a_job_in_every_way()
    {
        var error = await Assert.ThrowsAsync<DifferentResultsException>(static () => EveryWay.RunAsync(static () => Scenario.Of<string, string>(
            static (graph, input, output) => graph.From("in", input).KeyBy(static record => record[..1]).Process("count", static _ => new Forgetting()).To("out", output),
            Steps())));

        Assert.Contains("restored after every step", error.Message);
        Assert.Contains("missing:", error.Message);
    }

    private static List<Action<TestInput<string>>> Steps() =>
    [
        static input => input.Add("a1", 10), static input => input.Add("b1", 20), static input => input.Watermark(25), static input => input.Add("a2", 30), static input => input.End(),
    ];

    private Task<JobHarness> StartAsync(int parallelism = 1) =>
        JobHarness.StartAsync(graph => Define(graph, _input, _output), new HarnessOptions { Parallelism = parallelism });

    private static void Define(JobGraph graph, TestInput<string> input, TestOutput<string> output) => graph
        .From("in", input)
        .KeyBy(static record => record[..1])
        .Process("count", static _ => new Counting())
        .To("out", output);

    private sealed class Counting : KeyedFunction<string, string, string>
    {
        public static readonly ValueState<int> Count = new("count");

        public override IReadOnlyList<StateDeclaration> States => [Count];

        public override void Process(in string record, ref KeyedContext<string, string> context)
        {
            if (record.EndsWith('?')) throw new FormatException("no number");
            if (record.EndsWith('!'))
            {
                context.RegisterProcessingTimer(context.ProcessingTime + 30 + (10 * record.Length));
                return;
            }

            context.RegisterEventTimer(context.Timestamp + 1000);
            context.Emit($"{context.Key}:{context.Update(Count, static n => n + 1)}");
        }

        public override void OnEventTimer(long timestamp, ref KeyedContext<string, string> context) => context.Emit($"{context.Key} timed {timestamp}");

        public override void OnProcessingTimer(long timestamp, ref KeyedContext<string, string> context) => context.Emit($"{context.Key} at {context.ProcessingTime}");
    }

    /// <summary>Keeps its count in a field.</summary>
    private sealed class Forgetting : KeyedFunction<string, string, string>
    {
        private readonly Dictionary<string, int> _counts = [];

        public override IReadOnlyList<StateDeclaration> States => [];

        public override void Process(in string record, ref KeyedContext<string, string> context) =>
            context.Emit($"{context.Key}:{_counts[context.Key] = _counts.GetValueOrDefault(context.Key) + 1}");
    }
}
