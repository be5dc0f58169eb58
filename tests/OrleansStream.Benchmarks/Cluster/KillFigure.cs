using System.Diagnostics;

namespace OrleansStream.Benchmarks.Cluster;

/// <summary>How long a job takes to come back after a silo is killed: until the death is known, until the next attempt runs, and until a checkpoint of it is committed.</summary>
internal sealed class KillFigure : IClusterFigure
{
    public string Name => "kill";

    public string Description => "kill -9 of one of three silos, each time of a new cluster: from it to the first new committed checkpoint";

    public ClusterSettings Defaults => ClusterSettings.OfOneSilo;

    public async Task MeasureAsync(ClusterSettings settings, FigureTable to, CancellationToken cancellation)
    {
        to.Head("silo", "leads", "state MiB", "known after s", "next attempt runs s later", "committed s after the kill");
        var deaths = new List<Death>();
        for (var time = 1; time <= settings.Times; time++)
        {
            var death = await KillAsync(settings, settings.SiloAt(time), cancellation);
            deaths.Add(death);
            to.Row($"{death.Silo}", death.Led ? "yes" : "no", FigureTable.MiB(death.StateBytes), FigureTable.Seconds(death.Known), FigureTable.Seconds(death.Work), FigureTable.Seconds(death.Committed));
        }

        to.Line();
        foreach (var (who, of) in new[] { ("all", deaths), ("silos that lead", [.. deaths.Where(static death => death.Led)]), ("others", [.. deaths.Where(static death => !death.Led)]) })
        {
            if (of.Count == 0) continue;
            to.Line($"{who}, {of.Count}: from the kill to committed median {Median(of, static death => death.Committed)} s, worst {FigureTable.Seconds(of.Max(static death => death.Committed))} s; from known to running median {Median(of, static death => death.Work)} s, worst {FigureTable.Seconds(of.Max(static death => death.Work))} s");
        }

        to.Line("asked: kill to committed median < 4 s, worst of 30 < 10 s; from known to running < 1 s at 100 MB");
    }

    private static async Task<Death> KillAsync(ClusterSettings settings, int silo, CancellationToken cancellation)
    {
        await using var cluster = await LocalCluster.StartAsync(settings, cancellation);
        var other = LocalCluster.OtherThan(silo);
        var before = await cluster.SettledAsync(other);
        var attempt = before.Summary.Attempt;
        var killed = Stopwatch.GetTimestamp();
        await cluster.KillAsync(silo);
        await cluster.WaitAsync(other, "known to have lost a silo", status => status.Summary.Phase != "running" || status.Summary.Attempt > attempt);
        var known = Stopwatch.GetElapsedTime(killed);
        await cluster.WaitAsync(other, "running again", status => status.Summary.Phase == "running" && status.Summary.Attempt > attempt);
        var runs = Stopwatch.GetElapsedTime(killed);
        await cluster.WaitAsync(other, "running with a new committed checkpoint", status => status.Summary.Attempt > attempt && status.Summary.LastCheckpoint is { State: "committed" });
        var committed = Stopwatch.GetElapsedTime(killed);
        cluster.Forget();
        return new Death(silo, LocalCluster.Leads(silo, before), before.Summary.LastCheckpoint!.StateBytes, known, runs - known, committed);
    }

    private static string Median(List<Death> of, Func<Death, TimeSpan> figure) => FigureTable.Seconds(TimeSpan.FromSeconds(Statistics.Median(of.Select(death => figure(death).TotalSeconds))));

    /// <param name="Silo">Which.</param>
    /// <param name="Led">Whether it led the job.</param>
    /// <param name="StateBytes">What the last checkpoint before it named.</param>
    /// <param name="Known">From the kill until the job's status said so.</param>
    /// <param name="Work">From then until the next attempt ran.</param>
    /// <param name="Committed">From the kill until a checkpoint of the next attempt was committed.</param>
    private sealed record Death(int Silo, bool Led, long StateBytes, TimeSpan Known, TimeSpan Work, TimeSpan Committed);
}
