using System.Diagnostics;

namespace OrleansStream.Benchmarks.Cluster;

/// <summary>For how long a job stands still when its parallelism is changed.</summary>
internal sealed class RescaleFigure : IClusterFigure
{
    /// <summary>Silos read ahead for as long as they need.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static readonly int[] Steps = [4, 3];

    public string Name => "rescale";

    public string Description => "parallelism 2 to 4 to 3 (from what --parallelism says), each time of a new cluster: how long no record is processed";

    public ClusterSettings Defaults { get; } = new()
    {
        Times = 1,
        Keys = 1_000_000,
        Rate = 15_000,
        Parallelism = 2,
        CheckpointInterval = TimeSpan.FromSeconds(5),
        After = TimeSpan.FromSeconds(90),
    };

    public async Task MeasureAsync(ClusterSettings settings, FigureTable to, CancellationToken cancellation)
    {
        to.Head("from", "to", "state MiB", "done s after it was asked for", "checkpoint s", "pause s");
        for (var time = 1; time <= settings.Times; time++)
        {
            await using var cluster = await LocalCluster.StartAsync(settings, cancellation);
            var from = settings.Parallelism;
            foreach (var step in Steps)
            {
                var before = await cluster.SettledAsync(silo: 1);
                var asked = Stopwatch.GetTimestamp();
                await cluster.RescaleAsync(step);
                var after = await cluster.WaitAsync(silo: 1, $"rescaled to {step}", status => status.LastMove is { } move && move.Attempt > before.Summary.Attempt && status.Summary.Phase == "running", Patience);
                to.Row($"{from}", $"{step}", FigureTable.MiB(before.Summary.LastCheckpoint!.StateBytes), FigureTable.Seconds(Stopwatch.GetElapsedTime(asked)), FigureTable.Seconds(after.LastMove!.CheckpointMs), FigureTable.Seconds(after.LastMove.PauseMs));
                from = step;
            }

            cluster.Forget();
        }

        to.Line();
        to.Line("asked: pause < 3 s with 1 M keys");
    }
}
