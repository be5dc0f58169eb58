using OrleansStream.ClusterTests.Cluster;
using OrleansStream.Jobs;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>A cluster of three of which it is known which silo will lead the job that checks itself: the first.</summary>
internal static class FaultyCluster
{
    public static IReadOnlyDictionary<string, string> KillAt(FaultPoint point, int passing = 1) => new Dictionary<string, string> { [FaultPoints.Variable] = $"{FaultPoints.NameOf(point)}:{passing}" };

    /// <summary>Starts it.</summary>
    /// <param name="garnet">Where its members are written down.</param>
    /// <param name="leader">Variables of the environment of the silo that will lead the job.</param>
    /// <param name="followers">Those of the two others.</param>
    public static async Task<SiloCluster> StartAsync(Garnet garnet, IReadOnlyDictionary<string, string>? leader = null, IReadOnlyDictionary<string, string>?[]? followers = null)
    {
        var cluster = await SiloCluster.StartAsync(garnet, new SiloClusterOptions { Silos = 0 });
        try
        {
            // While it is alone there is nowhere else for the grain of the job, and whoever starts the job goes through that.
            await cluster.AddAsync(leader);
            await cluster.StatusAsync(AllroundJob.JobName);
            var others = Enumerable.Range(0, 2).Select(i => cluster.Launch(followers?[i])).ToList();
            foreach (var node in others) await node.ReadyAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }
}
