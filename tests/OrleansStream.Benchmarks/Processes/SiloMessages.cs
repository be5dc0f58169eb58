using System.Text.Json;
using OrleansStream.Jobs;

namespace OrleansStream.Benchmarks.Processes;

/// <summary>What a silo process is started with, as JSON on its command line.</summary>
/// <param name="Workload">Which contest.</param>
/// <param name="Settings">What it runs with.</param>
/// <param name="Folder">The checkpoints of all silos.</param>
/// <param name="Ports">Where it listens.</param>
internal sealed record SiloOrder(string Workload, RunSettings Settings, string Folder, ClusterPorts Ports);

/// <summary>A line from the parent to a silo process, on its standard input. The end of the input ends the process.</summary>
/// <param name="Verb">What to do.</param>
/// <param name="Run">For which run.</param>
internal sealed record SiloCommand(SiloVerb Verb, int Run = 0);

internal enum SiloVerb
{
    /// <summary>Wait until all silos are in the cluster.</summary>
    Join,

    /// <summary>Begin to measure.</summary>
    Begin,

    /// <summary>Start the job of a run, and wait for its end.</summary>
    Run,

    /// <summary>End measuring.</summary>
    End,

    /// <summary>Leave the cluster and exit.</summary>
    Leave,
}

/// <summary>A line from a silo process, on its standard output: one for each command, when it is done.</summary>
internal sealed record SiloReply
{
    /// <summary>Why it could not be done.</summary>
    public string? Error { get; init; }

    /// <summary>What the run took in all, of the silo that started the job.</summary>
    public SpreadRun? Ran { get; init; }

    /// <summary>What the process took from begin to end.</summary>
    public Measurement? Measured { get; init; }

    /// <summary>What the process's sinks have written.</summary>
    public Answer Answer { get; init; }

    /// <summary>Bytes of messages that the process sent to other silos between begin and end; null where Orleans does not count them.</summary>
    public long? SentBytes { get; init; }

    public string ToLine() => JsonSerializer.Serialize(this);

    public static SiloReply FromLine(string line) => JsonSerializer.Deserialize<SiloReply>(line)!;
}

/// <summary>One run of a job over several silos.</summary>
internal sealed record SpreadRun(TimeSpan Time, IReadOnlyList<StageStatus> Stages, IReadOnlyList<CheckpointStatus> Checkpoints);
