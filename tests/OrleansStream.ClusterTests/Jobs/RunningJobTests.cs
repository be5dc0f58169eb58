using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.Windows;

namespace OrleansStream.ClusterTests.Jobs;

public sealed class RunningJobTests
{
    private const int Records = 20_000;
    private const int Keys = 50;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 2)]
    public async Task A_bounded_job_gives_the_same_windows_as_a_plain_loop(int parallelism, int silos)
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<WindowResult<string, long>>();
        await using var cluster = await TestSilos.StartAsync(folder["checkpoints"], (graph, _) => graph
            .From("numbers", Generator.Of(static n => new Number(n, $"key-{n % Keys}"), Records, splits: 3, timestamp: static n => n))
            .WithTimestamps(TimeSpan.FromMilliseconds(10))
            .Where(static number => number.Value % 7 != 0)
            .KeyBy(static number => number.Key)
            .Window(TumblingWindows.Of(TimeSpan.FromSeconds(1)))
            .Aggregate("sum", 0L, static (sum, number) => sum + number.Value, static sum => sum)
            .To("results", results), silos);

        var status = await cluster.RunAsync(parallelism);

        Assert.Equal(JobPhase.Finished, status.Phase);
        Assert.Equal(Expected(), results.Committed.Select(static result => (result.Key, result.Window.Start, result.Value)).Order());
    }

    private static IEnumerable<(string, long, long)> Expected() => Enumerable.Range(0, Records)
        .Where(static n => n % 7 != 0)
        .GroupBy(static n => ($"key-{n % Keys}", n / 1000 * 1000L), static n => (long)n)
        .Select(static group => (group.Key.Item1, group.Key.Item2, group.Sum()))
        .Order();

    [GenerateSerializer]
    internal readonly record struct Number([property: Id(0)] long Value, [property: Id(1)] string Key);
}
