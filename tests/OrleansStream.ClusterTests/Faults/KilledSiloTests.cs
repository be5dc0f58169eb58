using OrleansStream.ClusterTests.Cluster;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>kill -9 of silos of a cluster; what is committed in the end is what an unbroken run commits.</summary>
public sealed class KilledSiloTests(Garnet garnet)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_goes_on_when_a_silo_dies_that_leads_it_or_does_not(bool leads)
    {
        await using var cluster = await SiloCluster.StartAsync(garnet);
        var job = await AllroundOnCluster.StartAsync(cluster, events: 400_000, keys: 200, rate: 40_000);
        await cluster.NextCheckpointAsync(AllroundJob.JobName);

        var leader = await cluster.LeaderAsync(AllroundJob.JobName);
        (leads ? leader : cluster.Living.First(node => node != leader)).Kill();

        var finished = await job.FinishAsync();
        Assert.True(finished.GetProperty("summary").GetProperty("attempt").GetInt32() > 1, "No attempt was lost: the silo died too late.");
    }
}
