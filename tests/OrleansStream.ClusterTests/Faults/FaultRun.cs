using System.Diagnostics;
using OrleansStream.ClusterTests.Cluster;
using OrleansStream.Jobs;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>The fault that was to be did not come about: the run says nothing.</summary>
internal sealed class NoFaultException(string message) : Exception(message);

/// <summary>One run of the job that checks itself, on a cluster of three, with one fault.</summary>
internal static class FaultRun
{
    private const int Killed = 137;
    private const int Before = 3;
    private const int After = 2;

    /// <summary>Lets silos die at a point, and holds what is committed in the end against what must be.</summary>
    /// <returns>How long after the death the first checkpoint was committed that is newer.</returns>
    /// <exception cref="NoFaultException">No silo died at the point while there was work left.</exception>
    public static async Task<TimeSpan> AtAsync(Garnet garnet, FaultPlan plan, int passing)
    {
        var armed = FaultyCluster.KillAt(plan.Point, passing);
        await using var cluster = plan.Victim switch
        {
            Victim.Leader or Victim.RescalingLeader or Victim.Leaving => await FaultyCluster.StartAsync(garnet, armed),
            Victim.Follower => await FaultyCluster.StartAsync(garnet, followers: [armed, null]),
            Victim.Recovering => await FaultyCluster.StartAsync(garnet, FaultyCluster.KillAt(FaultPoint.Published, 3), [armed, armed]),
            _ => await FaultyCluster.StartAsync(garnet, followers: [armed, armed]),
        };
        var (leader, followers) = (cluster.Nodes[0], cluster.Nodes.Skip(1).ToList());
        var job = await AllroundOnCluster.StartAsync(cluster, events: 180_000, keys: 200, rate: 18_000, parallelism: Before);
        switch (plan.Victim)
        {
            case Victim.Recovering:
                await DieAsync(cluster, [leader], FaultPoint.Published);
                break;
            case Victim.RescalingLeader or Victim.RescalingFollower:
                await cluster.NextCheckpointAsync(AllroundJob.JobName);
                await cluster.BeginRescaleAsync(AllroundJob.JobName, After);
                break;
            case Victim.Leaving:
                await cluster.NextCheckpointAsync(AllroundJob.JobName);
                await leader.LeaveAsync();
                break;
        }

        var died = await DieAsync(cluster, plan.Victim is Victim.Leader or Victim.RescalingLeader or Victim.Leaving ? [leader] : plan.Victim == Victim.Follower ? [followers[0]] : followers, plan.Point);
        // Both others are to die where they recover, the one after the other: somebody has to be left.
        if (plan.Victim is Victim.Recovering) cluster.Launch();
        var recovery = await RecoverAsync(cluster, attempt: 1, died);
        var finished = await job.FinishAsync();
        if (SiloCluster.Attempt(finished) == 1) throw new NoFaultException($"No attempt was lost: the silo died at {plan.Name} when no work was left.");
        if (plan.Victim is Victim.RescalingLeader or Victim.RescalingFollower) Assert.Equal($"{After}", SiloCluster.Text(finished, "parallelism"));
        return recovery;
    }

    /// <summary>Kills silos at random moments, all at once or one after the other, and starts them again.</summary>
    /// <returns>How long after the last death the first checkpoint was committed that is newer.</returns>
    /// <exception cref="NoFaultException">The job had finished before.</exception>
    public static async Task<TimeSpan> AtRandomAsync(Garnet garnet, Random random)
    {
        await using var cluster = await SiloCluster.StartAsync(garnet);
        var job = await AllroundOnCluster.StartAsync(cluster, events: 180_000, keys: 200, rate: 18_000, parallelism: Before);
        var (recovery, kills) = (TimeSpan.Zero, random.Next(1, 4));
        for (var kill = 0; kill < kills; kill++)
        {
            await Task.Delay(random.Next(100, 2_500), TestContext.Current.CancellationToken);
            var status = await cluster.StatusAsync(AllroundJob.JobName);
            if (SiloCluster.Text(status, "phase") == "finished" && SiloCluster.Attempt(status) == 1) throw new NoFaultException("The job had finished before a silo was killed.");
            var victims = cluster.Living.OrderBy(_ => random.Next()).Take(random.Next(1, 4)).ToList();
            foreach (var node in victims) node.Kill();
            var died = Stopwatch.GetTimestamp();
            foreach (var node in victims) await node.EndAsync();
            await Task.WhenAll(victims.Select(cluster.StartAgainAsync));
            recovery = await RecoverAsync(cluster, SiloCluster.Attempt(status), died);
        }

        await job.FinishAsync();
        return recovery;
    }

    /// <summary>Waits until one of some silos has killed itself at a point.</summary>
    /// <returns>When, on the stopwatch.</returns>
    private static async Task<long> DieAsync(SiloCluster cluster, IReadOnlyList<SiloNode> armed, FaultPoint point)
    {
        try
        {
            await await Task.WhenAny(armed.Select(static node => node.EndAsync()));
        }
        catch (TimeoutException)
        {
            throw new NoFaultException($"No silo died at {FaultPoints.NameOf(point)}:\n{cluster.Printed}");
        }

        var died = Stopwatch.GetTimestamp();
        var dead = armed.First(static node => !node.IsAlive);
        var code = await dead.EndAsync();
        if (code != Killed || !dead.Printed.Contains($"killed at {FaultPoints.NameOf(point)}", StringComparison.Ordinal))
            throw new NoFaultException($"Silo {dead.Address} ended with {code}, and not at {FaultPoints.NameOf(point)}:\n{cluster.Printed}");
        return died;
    }

    private static async Task<TimeSpan> RecoverAsync(SiloCluster cluster, int attempt, long died)
    {
        await cluster.WaitAsync(AllroundJob.JobName, $"past attempt {attempt} with a checkpoint that is committed", status =>
            SiloCluster.Text(status, "phase") == "finished"
            || (SiloCluster.Attempt(status) > attempt && SiloCluster.Checkpoint(status) is not null && status.GetProperty("summary").GetProperty("lastCheckpoint").GetProperty("state").GetString() == "committed"));
        return Stopwatch.GetElapsedTime(died);
    }
}
