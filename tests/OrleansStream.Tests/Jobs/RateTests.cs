using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;

namespace OrleansStream.Tests.Jobs;

public sealed class RateTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 3)]
    [InlineData(2, 3)]
    [InlineData(3, 3)]
    [InlineData(7, 3)]
    [InlineData(0, 3)]
    public void Subtasks_that_have_splits_read_the_whole_rate_together(int splits, int parallelism)
    {
        using var services = new ServiceCollection().BuildServiceProvider();
        var graph = new JobGraph(services);
        graph.From("numbers", Generator.Of(static n => n, count: 10)).To("counts", new CountingSink<long>());
        var stage = JobPlan.Create("job", graph, parallelism, maxParallelism: 128).Stages[0];
        var inputs = new Dictionary<string, IReadOnlyList<SourceSplit>> { ["numbers"] = [.. Enumerable.Range(0, splits).Select(static split => new SourceSplit($"{split}", ""))] };

        var share = RecoveryPlan.RateOf(600, stage, inputs)!.Value / parallelism;

        Assert.Equal(600, share * Math.Clamp(splits, 1, parallelism), precision: 6);
        Assert.Null(RecoveryPlan.RateOf(null, stage, inputs));
    }
}
