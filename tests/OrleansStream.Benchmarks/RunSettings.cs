namespace OrleansStream.Benchmarks;

/// <summary>What a workload is asked to run with: the options of the command line, with the workload's own defaults where none was given.</summary>
internal sealed record RunSettings
{
    /// <summary>The value of <c>--storage</c> that switches checkpoints off.</summary>
    public const string NoStorage = "none";

    /// <summary>Records in each run.</summary>
    public required long Events { get; init; }

    /// <summary>Different keys.</summary>
    public required int Keys { get; init; }

    /// <summary>Subtasks of each stage.</summary>
    public int Parallelism { get; init; } = 2;

    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The folder that checkpoints are written below; a temporary one when null; <see cref="NoStorage"/> for no checkpoints.</summary>
    public string? Storage { get; init; }

    /// <summary>Silos, each a process of its own when there is more than one.</summary>
    public int Silos { get; init; } = 1;

    /// <summary>Measured runs, behind one that is not counted.</summary>
    public int Runs { get; init; } = 5;

    /// <summary>The names of the contenders to run; all when empty.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Records per second to be offered, where a workload offers them at a rate.</summary>
    public double? Rate { get; init; }

    /// <summary>For how long to measure, where a workload runs for a time.</summary>
    public TimeSpan? Seconds { get; init; }

    /// <summary>The size of a key's value, where a workload is of state.</summary>
    public int ValueBytes { get; init; } = 16;

    /// <summary>Where the figures are written as JSON.</summary>
    public string? Json { get; init; }

    /// <summary>Where a picture is written, by workloads that draw one.</summary>
    public string? Picture { get; init; }

    public bool TakesCheckpoints => Storage != NoStorage;

    /// <summary>What happens to state while records flow, for reports.</summary>
    public string StorageText => TakesCheckpoints
        ? FormattableString.Invariant($"a checkpoint every {CheckpointInterval.TotalSeconds:0.###} s to a local folder")
        : "no checkpoints while records flow, only the final one, into memory";
}
