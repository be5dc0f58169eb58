using OrleansStream.ClusterTests.AzureStorage;
using OrleansStream.ClusterTests.Cluster;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>A cluster whose checkpoints are in Azure blobs loses the silo that leads its job.</summary>
public sealed class AzuriteClusterTests(Garnet garnet, Azurite azurite)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_whose_checkpoints_are_blobs_goes_on_when_its_leader_dies_with_snapshots_near_the_silos_or_without(bool keepsSnapshots)
    {
        await using var proxy = await StoreProxy.StartAsync(await azurite.NewAccountAsync());
        await using var cluster = await SiloCluster.StartAsync(garnet, new SiloClusterOptions { Storage = $"azure={proxy.ConnectionString}", KeepsSnapshots = keepsSnapshots });
        // State that makes segments too large to be read from the store before other silos are asked.
        var job = await AllroundOnCluster.StartAsync(cluster, events: 200_000, keys: 200, rate: 20_000, stateBytes: 4_096);
        await cluster.NextCheckpointAsync(AllroundJob.JobName);
        var leader = await cluster.LeaderAsync(AllroundJob.JobName);
        var readBefore = proxy.SegmentBytesRead;

        leader.Kill();

        var finished = await job.FinishAsync();
        Assert.True(finished.GetProperty("summary").GetProperty("attempt").GetInt32() > 1, "No attempt was lost: the silo died too late.");
        TestContext.Current.SendDiagnosticMessage($"near: {keepsSnapshots}, segments read from the store after the death: {proxy.SegmentBytesRead - readBefore:N0} bytes");
        if (!keepsSnapshots) Assert.True(proxy.SegmentBytesRead > readBefore, "No state was read back.");
    }
}
