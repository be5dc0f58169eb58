namespace OrleansStream.Benchmarks.Cluster;

/// <summary>For how long subtasks stand still while checkpoints go to Azure Blob Storage, as Azurite has it.</summary>
internal sealed class CheckpointFigure : IClusterFigure
{
    private const int Checkpoints = 3;

    public string Name => "checkpoint";

    public string Description => "the first three checkpoints to Azurite, behind an interval in which all keys change: the longest stall";

    public ClusterSettings Defaults { get; } = new()
    {
        Times = 1,
        Keys = 1_000_000,
        Rate = 15_000,
        Parallelism = 2,
        CheckpointInterval = TimeSpan.FromSeconds(70),
        After = TimeSpan.Zero,
        Storage = "azurite",
    };

    public async Task MeasureAsync(ClusterSettings settings, FigureTable to, CancellationToken cancellation)
    {
        to.Head("checkpoint", "full", "MiB written", "took s", "longest stall ms");
        for (var time = 1; time <= settings.Times; time++)
        {
            await using var cluster = await LocalCluster.StartAsync(settings, cancellation);
            string? last = null;
            for (var seen = 0; seen < Checkpoints; seen++)
            {
                var newer = last;
                var status = await cluster.WaitAsync(silo: 1, "past another checkpoint", status => status.Summary.LastCheckpoint is { } checkpoint && checkpoint.Id != newer, settings.CheckpointInterval + TimeSpan.FromMinutes(2));
                var checkpoint = status.Summary.LastCheckpoint!;
                to.Row(checkpoint.Id, checkpoint.IsFull ? "yes" : "no", FigureTable.MiB(checkpoint.WrittenBytes), FigureTable.Seconds(checkpoint.DurationMs), FormattableString.Invariant($"{checkpoint.LongestStallMs:0.0}"));
                last = checkpoint.Id;
            }

            cluster.Forget();
        }

        to.Line();
        to.Line("asked: no stall over 50 ms with 1 M changed keys");
    }
}
