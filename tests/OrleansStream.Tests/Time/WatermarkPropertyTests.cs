using System.Globalization;
using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.State;
using OrleansStream.Testing;
using OrleansStream.Time;

namespace OrleansStream.Tests.Time;

/// <summary>
/// Whole jobs against <see cref="WatermarkModel"/>: one source or two merged, several splits each, disorder, idleness, ends, restores at any parallelism; after every step the watermark is the
/// model's, and every record is late or on time as the model says. A case that fails is named by its seed.
/// </summary>
public sealed class WatermarkPropertyTests
{
    private const int Cases = 1_000;

    [Fact]
    public async Task The_watermark_is_what_its_definition_says_whatever_happens()
    {
        var (lates, behinds, exacts) = (0, 0, 0);
        for (var seed = 1; seed <= Cases; seed++)
        {
            var story = new List<string>();
            try
            {
                var (late, behind, exact) = await RunAsync(seed, story);
                lates += late;
                behinds += behind;
                exacts += exact;
            }
            catch (Exception error)
            {
                Assert.Fail($"Seed {seed}: {error.Message}\nAfter: {string.Join("; ", story)}");
            }
        }

        Assert.True(
            lates > Cases && behinds > Cases / 4 && exacts > 10 * Cases,
            $"The cases are too tame: {lates} late records, {behinds} in splits whose own watermark was behind, {exacts} steps after which there was one right answer.");
    }

    private static async Task<(int Late, int Behind, int Exact)> RunAsync(int seed, List<string> story)
    {
        var random = new Random(seed);
        var splits = Enumerable.Range(0, random.Next(1, 3)).Select(_ => random.Next(1, 4)).ToArray();
        var inputs = splits.Select(static count => new TestInput<long>(count)).ToArray();
        var output = new TestOutput<string>();
        var parallelism = random.Next(1, 4);
        var bound = random.Next(0, 40);
        long? idleAfter = random.Next(3) == 0 ? null : random.Next(5, 60);
        var (strategy, watermarkOf) = random.Next(3) switch
        {
            0 => (WatermarkStrategy.Monotonous<long>(), (Func<int, long, long?>)((_, timestamp) => timestamp - 1)),
            1 => (WatermarkStrategy.BoundedOutOfOrderness<long>(TimeSpan.FromMilliseconds(bound)), (_, timestamp) => timestamp - bound - 1),
            _ => (WatermarkStrategy.Punctuated<long>(static (record, timestamp) => record % 3 == 0 ? timestamp : null), (record, timestamp) => record % 3 == 0 ? timestamp : null),
        };
        if (idleAfter is { } after) strategy = strategy.WithIdleness(TimeSpan.FromMilliseconds(after));
        var model = new WatermarkModel(splits, watermarkOf, idleAfter, parallelism);
        await using var harness = await JobHarness.StartAsync(graph => Define(graph, inputs, strategy, output), new HarnessOptions { Parallelism = parallelism });
        await harness.RunAsync();
        model.Settle();

        var open = splits.SelectMany(static (count, source) => Enumerable.Range(0, count).Select(split => (source, split))).ToList();
        var (late, behind, exact, time) = (0, 0, 0, 0L);
        story.Add(string.Create(CultureInfo.InvariantCulture, $"splits {string.Join('+', splits)}, parallelism {parallelism}, idle after {idleAfter}, bound {bound}"));
        for (var step = 0; step < 40 && open.Count > 0; step++)
        {
            switch (random.Next(12))
            {
                case 0 or 1:
                    var to = harness.ProcessingTime + random.Next(1, 80);
                    await harness.AdvanceProcessingTimeAsync(to);
                    model.Advance(to);
                    story.Add(string.Create(CultureInfo.InvariantCulture, $"now {to}"));
                    break;
                case 2:
                    parallelism = random.Next(1, 4);
                    await harness.RestoreAsync(parallelism);
                    model.Restore(parallelism);
                    story.Add(string.Create(CultureInfo.InvariantCulture, $"restored at {parallelism}"));
                    await harness.RunAsync();
                    break;
                case 3 when random.Next(4) == 0:
                    var ended = open[random.Next(open.Count)];
                    open.Remove(ended);
                    inputs[ended.source].End(ended.split);
                    model.End(ended.source, ended.split);
                    story.Add(string.Create(CultureInfo.InvariantCulture, $"end of {ended.source}/{ended.split}"));
                    await harness.RunAsync();
                    break;
                default:
                    var (source, split) = open[random.Next(open.Count)];
                    time += random.Next(0, 20);
                    var timestamp = Math.Max(0, time - random.Next(0, 60));
                    inputs[source].Add(timestamp % 1000, timestamp, split);
                    await harness.RunAsync();
                    var (value, at) = Assert.Single(output.Take());
                    Assert.Equal(timestamp, at);
                    if (timestamp <= model.Watermark || timestamp > model.Highest) Assert.Equal(timestamp <= model.Watermark ? "late" : "on time", value);
                    if (value == "late") late++;
                    if (value == "late" && watermarkOf((int)(timestamp % 1000), timestamp) < model.Watermark - bound - 1) behind++;
                    model.Record(source, split, timestamp);
                    story.Add(string.Create(CultureInfo.InvariantCulture, $"{timestamp} in {source}/{split}"));
                    break;
            }

            var found = harness.Watermark("late");
            Assert.True(found >= model.Watermark && found <= model.Highest, $"the watermark is {found}, and should be {model.Watermark} to {model.Highest}");
            if (model.Watermark == model.Highest) exact++;
        }

        return (late, behind, exact);
    }

    private static void Define(JobGraph graph, TestInput<long>[] inputs, WatermarkStrategy<long> strategy, TestOutput<string> output)
    {
        var streams = inputs.Select((input, index) => graph.From($"in-{index}", input).WithTimestamps(strategy)).ToList();
        streams[0].Merge(streams.Skip(1)).KeyBy(static record => record).Process("late", static _ => new Judge()).To("out", output);
    }

    private sealed class Judge : KeyedFunction<long, long, string>
    {
        public override IReadOnlyList<StateDeclaration> States => [];

        public override void Process(in long record, ref KeyedContext<long, string> context) =>
            context.Emit(context.Timestamp <= context.Watermark ? "late" : "on time");
    }
}
