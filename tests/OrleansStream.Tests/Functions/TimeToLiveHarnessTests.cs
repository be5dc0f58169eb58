using System.Globalization;
using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.State;
using OrleansStream.Testing;
using OrleansStream.Tests.State;

namespace OrleansStream.Tests.Functions;

/// <summary>Whole jobs with state that expires in event time: what records on time see depends on nothing but their times and order.</summary>
public sealed class TimeToLiveHarnessTests
{
    private static readonly Policy[] Policies = [new(10, true, false), new(15, true, false), new(12, true, true), new(8, true, true)];

    [Fact]
    public async Task Records_on_time_see_the_same_state_however_the_job_is_run()
    {
        for (var seed = 0; seed < 15; seed++)
        {
            var results = await EveryWay.RunAsync(() => Scenario.Of<string, string>(Define, Feed(seed, 12)));
            Assert.Equal(Reference(seed, 12).Order(StringComparer.Ordinal), results["the output"].Select(static line => line[..line.IndexOf(" @", StringComparison.Ordinal)]));
        }
    }

    [Fact]
    public async Task Records_on_time_see_what_a_reference_over_the_whole_input_has()
    {
        for (var seed = 0; seed < 1000; seed++)
        {
            var input = new TestInput<string>();
            var output = new TestOutput<string>();
            await using var harness = await JobHarness.StartAsync(graph => Define(graph, input, output), new HarnessOptions { Parallelism = 1 + (seed % 3) });
            foreach (var step in Feed(seed, 60)) step(input);
            await harness.RunAsync();
            var (expected, found) = (Reference(seed, 60).Order(StringComparer.Ordinal), output.Values.Order(StringComparer.Ordinal));
            Assert.True(expected.SequenceEqual(found), $"Seed {seed}: {string.Join(" | ", found.Except(expected))} instead of {string.Join(" | ", expected.Except(found))}");
        }
    }

    [Fact]
    public async Task A_job_at_rest_loses_what_expires_by_its_watermark_and_the_test_sees_it_go()
    {
        var input = new TestInput<string>();
        await using var harness = await JobHarness.StartAsync(graph => Define(graph, input, new TestOutput<string>()));
        input.Add("a1", 100);
        input.Add("b2", 104);
        input.Watermark(109);
        await harness.RunAsync();
        Assert.Equal((1, 1), (harness.Get("score", Sums.Value, "a"), harness.Get("score", Sums.Sum, "a")));
        Assert.Equal([1], harness.Items("score", Sums.List, "a"));
        Assert.Empty(harness.Entries("score", Sums.Map, "a"));
        await harness.RestoreAsync(2);
        input.Watermark(110);
        await harness.RunAsync();
        Assert.Equal((0, 1), (harness.Get("score", Sums.Value, "a"), harness.Get("score", Sums.Sum, "a")));
        input.Watermark(117);
        await harness.RunAsync();

        Assert.Equal(1, harness.KeyCount("score"));
        Assert.False(harness.HasState("score", "a"));
    }

    private static void Define(JobGraph graph, TestInput<string> input, TestOutput<string> output) => graph
        .From("records", input)
        .KeyBy(static record => record[..1])
        .Process("score", static _ => new Sums())
        .To("results", output);

    /// <summary>Records in disorder, none behind the watermark, with repeats of one time.</summary>
    private static List<(string Record, long At, bool IsWatermark)> Input(int seed, int steps)
    {
        var random = new Random(seed);
        var (watermark, made) = (0L, new List<(string, long, bool)>());
        for (var step = 0; step < steps; step++)
        {
            if (random.Next(5) == 0) made.Add(("", watermark += random.Next(12), true));
            else made.Add(($"{(char)('a' + random.Next(3))}{step}", watermark + 1 + random.Next(25), false));
        }

        return made;
    }

    private static List<Action<TestInput<string>>> Feed(int seed, int steps) =>
    [
        .. Input(seed, steps).Select(static step => (Action<TestInput<string>>)(input =>
        {
            if (step.IsWatermark) input.Watermark(step.At);
            else input.Add(step.Record, step.At);
        })),
    ];

    private static List<string> Reference(int seed, int steps)
    {
        var model = new ExpiryModel { Policies = Policies };
        var results = new List<string>();
        foreach (var (record, at, isWatermark) in Input(seed, steps))
        {
            // Watermarks take nothing from records that are on time; the reference goes without.
            if (isWatermark) continue;
            var (key, number) = (record[0], int.Parse(record.AsSpan(1), CultureInfo.InvariantCulture));
            var before = model.Read(ExpiryModel.Value, key, at, isRead: true).Select(static p => p.Value).DefaultIfEmpty(0).Single();
            model.Set(ExpiryModel.Value, key, 0, number, at);
            model.Set(ExpiryModel.Sum, key, 0, number + model.Read(ExpiryModel.Sum, key, at, isRead: true).Sum(static p => p.Value), at);
            model.Append(ExpiryModel.List, key, number, at);
            model.Set(ExpiryModel.Map, key, number % 4, number, at);
            results.Add(Sums.Line(
                record, before, model.Read(ExpiryModel.Sum, key, at, isRead: true).Single().Value,
                model.Read(ExpiryModel.List, key, at, isRead: true).Select(static p => p.Value), model.Read(ExpiryModel.Map, key, at, isRead: true).Select(static p => p.Value)));
        }

        return results;
    }

    private sealed class Sums : KeyedFunction<string, string, string>
    {
        public static readonly ValueState<int> Value = new("value") { TimeToLive = Policies[ExpiryModel.Value].Make() };
        public static readonly ReducingState<int> Sum = new("sum", static (have, item) => have + item) { TimeToLive = Policies[ExpiryModel.Sum].Make() };
        public static readonly ListState<int> List = new("list") { TimeToLive = Policies[ExpiryModel.List].Make() };
        public static readonly MapState<int, int> Map = new("map") { TimeToLive = Policies[ExpiryModel.Map].Make() };

        public override IReadOnlyList<StateDeclaration> States => [Value, Sum, List, Map];

        public static string Line(string record, int before, int sum, IEnumerable<int> items, IEnumerable<int> entries) => $"{record}: {before} {sum} [{string.Join(' ', items)}] [{string.Join(' ', entries)}]";

        public override void Process(in string record, ref KeyedContext<string, string> context)
        {
            var number = int.Parse(record.AsSpan(1), CultureInfo.InvariantCulture);
            var before = context.Get(Value);
            context.Set(Value, number);
            context.Add(Sum, number);
            context.Add(List, number);
            context.Set(Map, number % 4, number);
            context.Emit(Line(record, before, context.Get(Sum), context.Items(List).ToArray(), context.Entries(Map).Select(static entry => entry.Value)));
        }
    }
}
