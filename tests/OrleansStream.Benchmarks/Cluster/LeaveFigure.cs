using System.Diagnostics;

namespace OrleansStream.Benchmarks.Cluster;

/// <summary>For how long a job stands still when a silo leaves that was asked to.</summary>
internal sealed class LeaveFigure : IClusterFigure
{
    public string Name => "leave";

    public string Description => "SIGTERM to one of three silos, each time of a new cluster: how long no record is processed";

    public ClusterSettings Defaults => ClusterSettings.OfOneSilo;

    public async Task MeasureAsync(ClusterSettings settings, FigureTable to, CancellationToken cancellation)
    {
        to.Head("silo", "leads", "state MiB", "checkpoint s", "pause s", "silo has ended s after it was asked");
        for (var time = 1; time <= settings.Times; time++)
        {
            var silo = settings.SiloAt(time);
            await using var cluster = await LocalCluster.StartAsync(settings, cancellation);
            var other = LocalCluster.OtherThan(silo);
            var before = await cluster.SettledAsync(other);
            var asked = Stopwatch.GetTimestamp();
            await cluster.LeaveAsync(silo);
            var ended = Stopwatch.GetElapsedTime(asked);
            var after = await cluster.WaitAsync(other, "moved", status => status.LastMove is { } move && move.Attempt > before.Summary.Attempt);
            to.Row($"{silo}", LocalCluster.Leads(silo, before) ? "yes" : "no", FigureTable.MiB(before.Summary.LastCheckpoint!.StateBytes), FigureTable.Seconds(after.LastMove!.CheckpointMs), FigureTable.Seconds(after.LastMove.PauseMs), FigureTable.Seconds(ended));
            cluster.Forget();
        }

        to.Line();
        to.Line("asked: pause < 1 s at 100 MB");
    }
}
