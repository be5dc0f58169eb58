using OrleansStream.ClusterTests.Cluster;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>The network between silos is cut, while all of them still reach the table of members and the checkpoints; then it is healed. One case is run by <c>dotnet test</c>, the others by <c>tests/cluster-faults.sh</c>.</summary>
public sealed class NetworkCutTests(Garnet garnet)
{
    public enum Direction
    {
        Both,
        FromTheOthers,
        ToTheOthers,
    }

    [Theory]
    [InlineData(Direction.Both, true)]
    [InlineData(Direction.FromTheOthers, false, Explicit = true)]
    [InlineData(Direction.ToTheOthers, true, Explicit = true)]
    public async Task A_silo_that_is_cut_off_is_declared_dead_and_ends_and_the_job_goes_on_and_the_silo_comes_back(Direction direction, bool leads)
    {
        Assert.SkipWhen(HostNetwork.Missing() is not null, HostNetwork.Missing() ?? "");
        await using var network = await HostNetwork.CreateAsync(hosts: 3);
        await using var cluster = await SiloCluster.StartAsync(garnet, new SiloClusterOptions { Network = network });
        var job = await AllroundOnCluster.StartAsync(cluster, events: 400_000, keys: 200, rate: 10_000);
        await cluster.NextCheckpointAsync(AllroundJob.JobName);
        var leader = await cluster.LeaderAsync(AllroundJob.JobName);
        var alone = leads ? leader : cluster.Living.First(node => node != leader);

        foreach (var other in cluster.Living.Where(node => node != alone))
        {
            if (direction != Direction.FromTheOthers) await network.CutAsync(alone.Host!, other.Host!);
            if (direction != Direction.ToTheOthers) await network.CutAsync(other.Host!, alone.Host!);
        }

        // Orleans ends the process as soon as the silo reads of its death.
        Assert.NotEqual(0, await alone.EndAsync());
        Assert.Contains("I have been told I am dead", alone.Printed, StringComparison.Ordinal);
        Assert.Equal(2, cluster.Living.Count());
        await network.HealAsync();
        var back = await cluster.AddAsync(host: alone.Host);
        // It gets its share of the job, by a move.
        await cluster.WaitAsync(AllroundJob.JobName, "on the silo that came back", status => status.GetProperty("stages").EnumerateArray()
            .SelectMany(static stage => stage.GetProperty("subtasks").EnumerateArray())
            .Any(subtask => subtask.GetProperty("silo").GetString()!.StartsWith($"{back.Address}@", StringComparison.Ordinal)));

        var finished = await job.FinishAsync(TimeSpan.FromMinutes(3));
        Assert.True(finished.GetProperty("summary").GetProperty("attempt").GetInt32() > 1, "No attempt was lost.");
    }

    [Fact(Explicit = true)]
    public async Task Two_silos_that_do_not_reach_each_other_while_a_third_reaches_both_cost_attempts_until_the_network_is_healed()
    {
        Assert.SkipWhen(HostNetwork.Missing() is not null, HostNetwork.Missing() ?? "");
        await using var network = await HostNetwork.CreateAsync(hosts: 3);
        await using var cluster = await SiloCluster.StartAsync(garnet, new SiloClusterOptions { Network = network });
        var job = await AllroundOnCluster.StartAsync(cluster, events: 300_000, keys: 200, rate: 10_000);
        await cluster.NextCheckpointAsync(AllroundJob.JobName);
        var leader = await cluster.LeaderAsync(AllroundJob.JobName);
        var others = cluster.Living.Where(node => node != leader).ToList();

        await network.CutAsync(others[0].Host!, others[1].Host!);
        await network.CutAsync(others[1].Host!, others[0].Host!);
        await cluster.WaitAsync(AllroundJob.JobName, "past its first attempt", static status => status.GetProperty("summary").GetProperty("attempt").GetInt32() > 1);
        await network.HealAsync();

        await job.FinishAsync(TimeSpan.FromMinutes(3));
        TestContext.Current.SendDiagnosticMessage($"{cluster.Living.Count()} of 3 silos live");
    }
}
