using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.State;

namespace OrleansStream.ClusterTests.Jobs;

/// <summary>What a silo reads as soon as another seems to have gone.</summary>
public sealed class ReadingAheadTests
{
    private const long Records = 100_000;

    [Fact]
    public async Task What_a_recovery_brings_to_a_silo_is_read_when_another_is_suspected_and_used_when_it_is_dead()
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        await using var cluster = await StartAsync(folder, results);
        var (survivor, suspect) = (cluster.AllServices.First(), AddressOf(cluster.AllServices.Last()));

        survivor.GetRequiredService<SuspectedSilos>().Add(suspect);
        await survivor.GetRequiredService<ReadingAhead>().ReadForRecoveryAsync();
        await cluster.RemoveAsync(silo: 1, gracefully: false);

        await cluster.WaitAsync(static status => status is { Phase: JobPhase.Running, Attempt: > 1 });
        Assert.True(survivor.GetRequiredService<TablesAhead>().Taken > 0, "No tables were read ahead.");
        Assert.Equal(JobPhase.Finished, (await cluster.EndAsync()).Phase);
        Assert.Equal(SequenceJob.Expected(Records), results.Committed.OrderBy(static counted => counted.Key));
    }

    [Fact]
    public async Task A_silo_that_was_suspected_by_mistake_costs_a_job_nothing()
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        await using var cluster = await StartAsync(folder, results);
        foreach (var (here, other) in cluster.AllServices.Zip(cluster.AllServices.Reverse()))
        {
            here.GetRequiredService<SuspectedSilos>().Add(AddressOf(other));
            await here.GetRequiredService<ReadingAhead>().ReadForRecoveryAsync();
            Assert.NotEqual(0, here.GetRequiredService<TablesAhead>().Count);
            here.GetRequiredService<SuspectedSilos>().Remove(AddressOf(other));
            await here.GetRequiredService<ReadingAhead>().ForgetAsync();
            Assert.Equal(0, here.GetRequiredService<TablesAhead>().Count);
        }

        var status = await cluster.EndAsync();
        Assert.Equal((JobPhase.Finished, 1, 0), (status.Phase, status.Attempt, status.Failures));
        Assert.Equal(SequenceJob.Expected(Records), results.Committed.OrderBy(static counted => counted.Key));
    }

    private static string AddressOf(IServiceProvider silo) => silo.GetRequiredService<ILocalSiloDetails>().SiloAddress.ToParsableString();

    /// <summary>A job that runs on two silos, behind its first checkpoint.</summary>
    private static async Task<TestSilos> StartAsync(TestFolder folder, CollectingSink<Counted> results)
    {
        var cluster = await TestSilos.StartAsync(folder["checkpoints"], (graph, _) => SequenceJob.Define(graph, Records, results), silos: 2, static options => options.Checkpoints.Interval = TimeSpan.FromSeconds(3));
        await cluster.Jobs.StartAsync("job", new JobStart { Parallelism = 2, RecordsPerSecond = 10_000 });
        await cluster.WaitAsync(static status => status.Checkpoints.Any(static checkpoint => checkpoint.State == "committed"));
        return cluster;
    }
}
