using OrleansStream.ClusterTests.Cluster;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>The checkpoint folder is read-only for a while.</summary>
public sealed class ReadOnlyFolderTests(Garnet garnet)
{
    [Fact]
    public async Task A_job_whose_checkpoint_folder_is_read_only_says_what_to_do_and_goes_on_when_it_is_writable()
    {
        Assert.SkipWhen(SmallDisk.Missing() is not null, SmallDisk.Missing() ?? "");
        await using var disk = await SmallDisk.MountAsync(megabytes: 64);
        await using var cluster = await SiloCluster.StartAsync(garnet, new SiloClusterOptions { Storage = $"folder={disk.Path}" });
        var job = await AllroundOnCluster.StartAsync(cluster, events: 300_000, keys: 200, rate: 20_000);
        await cluster.NextCheckpointAsync(AllroundJob.JobName);

        await disk.MakeReadOnlyAsync();
        var waiting = await cluster.WaitAsync(AllroundJob.JobName, "waiting for another attempt", static status => SiloCluster.Text(status, "phase") == "waiting");
        await disk.MakeWritableAsync();

        FullDiskTests.AssertSays(waiting, disk.Path, "read-only: mount it writable");
        var finished = await job.FinishAsync();
        Assert.True(finished.GetProperty("summary").GetProperty("attempt").GetInt32() > 1, "No attempt was lost.");
    }
}
