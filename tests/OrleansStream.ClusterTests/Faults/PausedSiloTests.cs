using OrleansStream.ClusterTests.Cluster;
using OrleansStream.Jobs;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>A silo that is stopped for longer than the others wait for it, and goes on when they have gone on without it: whatever it was in the middle of, it does no harm.</summary>
public sealed class PausedSiloTests(Garnet garnet)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_silo_that_slept_finds_itself_fenced_whether_it_led_or_not(bool leads)
    {
        await using var cluster = await SiloCluster.StartAsync(garnet);
        var job = await AllroundOnCluster.StartAsync(cluster, events: 200_000, keys: 200, rate: 20_000);
        await cluster.NextCheckpointAsync(AllroundJob.JobName);
        var leader = await cluster.LeaderAsync(AllroundJob.JobName);
        var sleeper = leads ? leader : cluster.Living.First(node => node != leader);

        await sleeper.PauseAsync();

        await WakeAsync(cluster, job, sleeper);
    }

    [Theory]
    [InlineData("manifest-written")]
    [InlineData("published")]
    [InlineData("dropped", Explicit = true)]
    public async Task A_silo_that_slept_in_the_middle_of_a_checkpoint_does_no_harm_when_it_goes_on_with_it(string point)
    {
        await using var cluster = await FaultyCluster.StartAsync(garnet, new Dictionary<string, string> { [FaultPoints.StopVariable] = $"{point}:2" });
        var sleeper = cluster.Nodes[0];
        var job = await AllroundOnCluster.StartAsync(cluster, events: 200_000, keys: 200, rate: 20_000);
        await sleeper.LineAsync($"stopped at {point}");
        sleeper.StopsItself();

        await WakeAsync(cluster, job, sleeper);
    }

    private static async Task WakeAsync(SiloCluster cluster, AllroundOnCluster job, SiloNode sleeper)
    {
        await cluster.WaitAsync(AllroundJob.JobName, "past the attempt that the silo slept in", static status => SiloCluster.Attempt(status) > 1 && SiloCluster.Text(status, "phase") == "running");
        Assert.True(sleeper.IsAlive, $"The silo did not sleep, it ended:\n{cluster.Printed}");
        await sleeper.ResumeAsync();

        await job.FinishAsync();
        Assert.True(await sleeper.EndAsync() != 0, $"The silo that was declared dead ended as if it had been asked to:\n{cluster.Printed}");
    }
}
