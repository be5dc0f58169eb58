using System.Globalization;
using System.Text.Json;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.ClusterTests.Cluster;

/// <summary>One run of the job that checks itself, on a cluster.</summary>
internal sealed class AllroundOnCluster
{
    private readonly SiloCluster _cluster;
    private readonly long _events;
    private readonly long _keys;

    private AllroundOnCluster(SiloCluster cluster, long events, long keys) => (_cluster, _events, _keys) = (cluster, events, keys);

    private string Folder => Path.Combine(_cluster.Files, "allround");

    public static async Task<AllroundOnCluster> StartAsync(SiloCluster cluster, long events, long keys, double? rate = null, int parallelism = 3, string checkpointInterval = "500ms", int stateBytes = 0)
    {
        var run = new AllroundOnCluster(cluster, events, keys);
        var arguments = new Dictionary<string, string>
        {
            [AllroundJob.Arguments.Events] = events.ToString(CultureInfo.InvariantCulture),
            [AllroundJob.Arguments.Keys] = keys.ToString(CultureInfo.InvariantCulture),
            [AllroundJob.Arguments.StateBytes] = stateBytes.ToString(CultureInfo.InvariantCulture),
            [AllroundJob.Arguments.Output] = run.Folder,
        };
        await cluster.StartJobAsync(AllroundJob.JobName, arguments, parallelism, checkpointInterval, rate);
        return run;
    }

    /// <summary>Waits for the end, and holds what is committed against what must be.</summary>
    public async Task<JsonElement> FinishAsync(TimeSpan? patience = null)
    {
        var status = await _cluster.FinishAsync(AllroundJob.JobName, patience);
        var finding = new AllroundOutput(Folder).Check(_events, _keys);
        Assert.True(finding.Holds, string.Join('\n', [.. finding.Problems, _cluster.Printed]));
        return status;
    }
}
