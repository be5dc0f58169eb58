using System.Text.Json;
using OrleansStream.ClusterTests.Cluster;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>Silos that leave when they are asked to, and silos that join: planned moves, in which nothing fails.</summary>
public sealed class LeavingAndJoiningTests(Garnet garnet)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_silo_that_is_asked_to_leave_hands_over_what_it_runs(bool leads)
    {
        await using var cluster = await SiloCluster.StartAsync(garnet);
        var job = await AllroundOnCluster.StartAsync(cluster, events: 200_000, keys: 200, rate: 20_000);
        await cluster.NextCheckpointAsync(AllroundJob.JobName);
        var leader = await cluster.LeaderAsync(AllroundJob.JobName);
        var leaving = leads ? leader : cluster.Living.First(node => node != leader);

        await leaving.LeaveAsync();
        Assert.True(await leaving.EndAsync() == 0, leaving.Printed);
        var moved = await cluster.WaitAsync(AllroundJob.JobName, "moved", static status => SiloCluster.Text(status, "phase") == "running");
        Assert.Contains("leaving", moved.GetProperty("lastMove").GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Silos(moved), silo => silo.StartsWith($"{leaving.Address}@", StringComparison.Ordinal));

        RequireOneMoveOnly(cluster, await job.FinishAsync());
    }

    [Fact]
    public async Task Subtasks_move_to_a_silo_that_joins()
    {
        await using var cluster = await SiloCluster.StartAsync(garnet, new SiloClusterOptions { Silos = 2 });
        var job = await AllroundOnCluster.StartAsync(cluster, events: 1_000_000, keys: 200, rate: 20_000);
        await cluster.NextCheckpointAsync(AllroundJob.JobName);

        var joined = await cluster.AddAsync();
        await cluster.WaitAsync(AllroundJob.JobName, $"on {joined.Address}", status => Silos(status).Any(silo => silo.StartsWith($"{joined.Address}@", StringComparison.Ordinal)));

        RequireOneMoveOnly(cluster, await job.FinishAsync());
    }

    private static void RequireOneMoveOnly(SiloCluster cluster, JsonElement finished)
    {
        var (attempt, failures) = (SiloCluster.Attempt(finished), finished.GetProperty("failures").GetInt32());
        Assert.True((attempt, failures) == (2, 0), $"It took {attempt} attempts and {failures} failures, not one move. The silos complained:\n{cluster.Complaints}");
    }

    private static IEnumerable<string> Silos(JsonElement status) =>
        status.GetProperty("stages").EnumerateArray().SelectMany(static stage => stage.GetProperty("subtasks").EnumerateArray()).Select(static subtask => subtask.GetProperty("silo").GetString()!);
}
