using System.Text.Json;
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
        var job = await AllroundOnCluster.StartAsync(cluster, events: 200_000, keys: 200, rate: 20_000);
        await cluster.NextCheckpointAsync(AllroundJob.JobName);

        var leader = await cluster.LeaderAsync(AllroundJob.JobName);
        var victim = leads ? leader : cluster.Living.First(node => node != leader);
        var before = PlacesIn(await cluster.StatusAsync(AllroundJob.JobName));
        victim.Kill();
        var after = PlacesIn(await cluster.WaitAsync(AllroundJob.JobName, "in another attempt", static status => SiloCluster.Text(status, "phase") == "running" && SiloCluster.Attempt(status) > 1));

        Assert.Equal(before.Where(place => !IsOn(place.Value, victim)), after.Where(place => !IsOn(before[place.Key], victim)));
        // On this machine the silos that are left share the victim's address, and must not be taken for it.
        foreach (var node in cluster.Living)
        {
            Assert.Contains($"Silo {victim.Address}@", await node.LineAsync("seems to have gone"), StringComparison.Ordinal);
            Assert.Single(node.Printed.Split('\n'), static line => line.Contains("seems to have gone", StringComparison.Ordinal));
        }

        var finished = await job.FinishAsync();
        Assert.True(SiloCluster.Attempt(finished) > 1, "No attempt was lost: the silo died too late.");
    }

    [Fact]
    public async Task A_job_goes_on_when_all_silos_die_at_once_and_come_back()
    {
        await using var cluster = await SiloCluster.StartAsync(garnet);
        var job = await AllroundOnCluster.StartAsync(cluster, events: 200_000, keys: 200, rate: 20_000);
        await cluster.NextCheckpointAsync(AllroundJob.JobName);

        var all = cluster.Living.ToList();
        foreach (var node in all) node.Kill();
        foreach (var node in all) await node.EndAsync();
        await Task.WhenAll(all.Select(cluster.StartAgainAsync));

        var finished = await job.FinishAsync();
        Assert.True(SiloCluster.Attempt(finished) > 1, "No attempt was lost: the silos died too late.");
    }

    [Fact]
    public async Task A_job_goes_on_when_its_leader_dies_twice_without_a_checkpoint_in_between()
    {
        await using var cluster = await SiloCluster.StartAsync(garnet);
        var job = await AllroundOnCluster.StartAsync(cluster, events: 200_000, keys: 200, rate: 20_000, checkpointInterval: "4s");
        await cluster.NextCheckpointAsync(AllroundJob.JobName);

        var first = await cluster.LeaderAsync(AllroundJob.JobName);
        first.Kill();
        var second = await cluster.OtherLeaderAsync(AllroundJob.JobName, first);
        var between = await cluster.StatusAsync(AllroundJob.JobName);
        second.Kill();

        Assert.Null(SiloCluster.Checkpoint(between));
        var finished = await job.FinishAsync();
        Assert.True(SiloCluster.Attempt(finished) > SiloCluster.Attempt(between), "The second death lost no attempt.");
    }

    /// <summary>The silo of each subtask, in their order.</summary>
    private static SortedDictionary<string, string> PlacesIn(JsonElement status) => new(
        status.GetProperty("stages").EnumerateArray()
            .SelectMany(static stage => stage.GetProperty("subtasks").EnumerateArray().Select((subtask, index) => (Id: $"{stage.GetProperty("name")}/{index}", Silo: subtask.GetProperty("silo").GetString()!)))
            .ToDictionary(static place => place.Id, static place => place.Silo),
        StringComparer.Ordinal);

    private static bool IsOn(string silo, SiloNode node) => silo.StartsWith($"{node.Address}@", StringComparison.Ordinal);
}
