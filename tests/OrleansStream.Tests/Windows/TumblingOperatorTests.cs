using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Testing;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

public sealed class TumblingOperatorTests
{
    private static readonly SideOutput<Numbered> Late = new("late");

    [Fact]
    public async Task Random_cases_give_what_the_definition_gives()
    {
        for (var seed = 0; seed < 1000; seed++)
        {
            var random = new WindowCase(seed);
            var size = 1 + random.Next(60);
            var offset = random.Next(size);
            var lateness = random.Next(3) == 0 ? 0 : random.Next(60);
            var found = await random.RunAsync<WindowResult<string, string>>((graph, input, output, late) => Define(graph, input, output, late, size, offset, lateness), WindowCase.Text);

            random.Equal($"size {size}, offset {offset}, lateness {lateness}", WindowReference.Of(random, time => WindowReference.Sliding(time, size, size, offset), lateness), found);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(12)]
    public async Task Every_way_of_running_gives_the_same(int lateness)
    {
        var random = new WindowCase(5, records: 25);
        var results = await EveryWay.RunAsync(() => Scenario.Of<Numbered, WindowResult<string, string>>(
            (graph, input, output) => Define(graph, input, output, new TestOutput<Numbered>(), 25, 3, lateness),
            [
                .. random.Steps.Select(static step => (Action<TestInput<Numbered>>)(input =>
                {
                    if (step.IsWatermark) input.Watermark(step.Record.Time);
                    else input.Add(step.Record, step.Record.Time);
                })),
                static input => input.End(),
            ]));
        Assert.NotEmpty(results["the output"]);
    }

    private static void Define(JobGraph graph, TestInput<Numbered> input, TestOutput<WindowResult<string, string>> output, TestOutput<Numbered> late, long size, long offset, int lateness)
    {
        var lists = graph.From("in", input).KeyBy(static record => record.Key)
            .Window(TumblingWindows.Of(TimeSpan.FromMilliseconds(size), TimeSpan.FromMilliseconds(offset)), TimeSpan.FromMilliseconds(lateness), Late).Aggregate("list", new Listing());
        lists.SideOutput(Late).To("late", late);
        lists.To("out", output);
    }
}
