namespace OrleansStream.Benchmarks.Cluster;

/// <summary>What a cluster is measured with.</summary>
internal sealed record ClusterSettings
{
    /// <summary>What happens to one silo, at 100 MB of state and a light load.</summary>
    public static ClusterSettings OfOneSilo { get; } = new()
    {
        Times = 3,
        Keys = 200_000,
        Rate = 4_000,
        Parallelism = LocalCluster.Silos,
        CheckpointInterval = TimeSpan.FromSeconds(2),
        After = TimeSpan.FromSeconds(60),
        HasVictim = true,
    };

    /// <summary>How often, each time on a new cluster.</summary>
    public required int Times { get; init; }

    /// <summary>Keys that most operators of the job keep state of.</summary>
    public required int Keys { get; init; }

    /// <summary>Records per second.</summary>
    public required double Rate { get; init; }

    /// <summary>Subtasks of each stage.</summary>
    public required int Parallelism { get; init; }

    public required TimeSpan CheckpointInterval { get; init; }

    /// <summary>For how long the job runs before it is measured.</summary>
    public required TimeSpan After { get; init; }

    /// <summary>The silo that something happens to; all in turn when null.</summary>
    public int? Silo { get; init; }

    /// <summary>Whether something happens to one silo.</summary>
    public bool HasVictim { get; init; }

    /// <summary>Where checkpoints go: <c>folder</c> or <c>azurite</c>.</summary>
    public string Storage { get; init; } = "folder";

    public int SiloAt(int time) => Silo ?? (((time - 1) % LocalCluster.Silos) + 1);
}
