namespace OrleansStream.Jobs;

/// <summary>Where a job stands.</summary>
public enum JobPhase
{
    /// <summary>Not started on this silo since it began.</summary>
    Idle,

    /// <summary>Reading the history, committing what is pending, opening subtasks.</summary>
    Starting,

    /// <summary>Records flow.</summary>
    Running,

    /// <summary>An attempt has failed; the next one waits for its time.</summary>
    Waiting,

    /// <summary>A last checkpoint is being taken.</summary>
    Stopping,

    /// <summary>A user stopped it.</summary>
    Stopped,

    /// <summary>All input has ended and all output is committed.</summary>
    Finished,

    /// <summary>It failed for good, or was refused.</summary>
    Failed,
}

/// <summary>How a job is doing.</summary>
[GenerateSerializer, Immutable, Alias("os.JobStatus")]
public sealed record JobStatus
{
    /// <summary>The job's name.</summary>
    [Id(0)] public required string Job { get; init; }

    /// <summary>Where it stands.</summary>
    [Id(1)] public required JobPhase Phase { get; init; }

    /// <summary>The attempt that runs, or ran last; 0 before the first.</summary>
    [Id(2)] public int Attempt { get; init; }

    /// <summary>How many attempts failed one after the other.</summary>
    [Id(3)] public int Failures { get; init; }

    /// <summary>Why the job waits, failed or was refused: the first cause.</summary>
    [Id(4)] public string? Cause { get; init; }

    /// <summary>Whether the job had finished before this start, so that nothing was done.</summary>
    [Id(5)] public bool WasFinished { get; init; }

    /// <summary>The job's parallelism.</summary>
    [Id(6)] public int Parallelism { get; init; }

    /// <summary>The stages, from sources to sinks.</summary>
    [Id(7)] public IReadOnlyList<StageStatus> Stages { get; init; } = [];

    /// <summary>The latest checkpoints of this attempt, newest first.</summary>
    [Id(8)] public IReadOnlyList<CheckpointStatus> Checkpoints { get; init; } = [];

    /// <summary>What the checkpoint store last complained of; null when all is well.</summary>
    [Id(9)] public string? StoreTrouble { get; init; }

    /// <summary>The checkpoint that this attempt began from, as <c>attempt-number</c>; null when it began from nothing.</summary>
    [Id(10)] public string? RestoredFrom { get; init; }

    /// <summary>When this was so.</summary>
    [Id(11)] public DateTimeOffset At { get; init; }

    /// <summary>How far the sources that have event time have come, and what holds each back.</summary>
    [Id(12)] public IReadOnlyList<SourceStatus> Sources { get; init; } = [];

    /// <summary>The silo that leads the job: opens its attempts and coordinates its checkpoints. Null where nobody does.</summary>
    [Id(15)] public string? Leader { get; init; }

    /// <summary>The planned move that is under way, such as <c>rescaling to 4; silos are reading ahead</c>; null when there is none. The phase is <see cref="JobPhase.Running"/> while silos read ahead for it and its checkpoint is taken.</summary>
    [Id(13)] public string? Moving { get; init; }

    /// <summary>The last planned move; null when there was none since this silo leads the job.</summary>
    [Id(14)] public MoveStatus? LastMove { get; init; }

    /// <summary>Whether nothing more will happen without a new start.</summary>
    public bool HasEnded => Phase is JobPhase.Stopped or JobPhase.Finished or JobPhase.Failed;
}

/// <summary>A planned move that was made: a rescale, a hand-over from a silo that left, or subtasks spread anew. The attempt ended with a checkpoint and the next one followed at once.</summary>
[GenerateSerializer, Immutable, Alias("os.MoveStatus")]
public sealed record MoveStatus
{
    /// <summary>What for.</summary>
    [Id(0)] public required string Reason { get; init; }

    /// <summary>The attempt that followed.</summary>
    [Id(1)] public required int Attempt { get; init; }

    /// <summary>
    /// How long the checkpoint took, zero when it failed and an earlier one was used. Before a rescale records went on meanwhile, and those behind its barrier were processed once more; before other moves none was
    /// taken behind its barrier, for subtasks that stay on their silo go on with their tables, which are not read again.
    /// </summary>
    [Id(2)] public required TimeSpan Checkpoint { get; init; }

    /// <summary>How long no record was processed: from the end of one attempt, or from the barrier behind which none was taken, until all subtasks of the next ran.</summary>
    [Id(3)] public required TimeSpan Pause { get; init; }

    /// <summary>When the next attempt ran.</summary>
    [Id(4)] public required DateTimeOffset At { get; init; }
}

/// <summary>How a stage is doing, its subtasks together.</summary>
[GenerateSerializer, Immutable, Alias("os.StageStatus")]
public sealed record StageStatus
{
    /// <summary>The stage's name: that of its first operator.</summary>
    [Id(0)] public required string Name { get; init; }

    /// <summary>The operators that run in it.</summary>
    [Id(1)] public required IReadOnlyList<string> Operators { get; init; }

    /// <summary>Its subtasks.</summary>
    [Id(2)] public required IReadOnlyList<SubtaskStatus> Subtasks { get; init; }

    /// <summary>The names of the stages that it reads.</summary>
    [Id(3)] public IReadOnlyList<string> Reads { get; init; } = [];
}

/// <summary>How a subtask is doing. Counts are since the attempt began.</summary>
[GenerateSerializer, Immutable, Alias("os.SubtaskStatus")]
public sealed record SubtaskStatus
{
    /// <summary>Its index in the stage.</summary>
    [Id(0)] public required int Index { get; init; }

    /// <summary>The silo that it runs on.</summary>
    [Id(1)] public required string Silo { get; init; }

    /// <summary>Records taken in.</summary>
    [Id(2)] public long RecordsIn { get; init; }

    /// <summary>Records sent on or written.</summary>
    [Id(3)] public long RecordsOut { get; init; }

    /// <summary>Records taken in per second, lately.</summary>
    [Id(4)] public double RecordsPerSecond { get; init; }

    /// <summary>Records whose window was gone.</summary>
    [Id(5)] public long LateRecords { get; init; }

    /// <summary>Records that went to the dead letters.</summary>
    [Id(6)] public long DeadLetters { get; init; }

    /// <summary>Input that could not be read and was put aside.</summary>
    [Id(7)] public long BadRecords { get; init; }

    /// <summary>The watermark; null before the first. The end of input is <see cref="DateTimeOffset.MaxValue"/>.</summary>
    [Id(8)] public DateTimeOffset? Watermark { get; init; }

    /// <summary>The share of the last second in which it waited for room below, 0 to 1.</summary>
    [Id(9)] public double BackPressure { get; init; }

    /// <summary>Whether its input has ended.</summary>
    [Id(10)] public bool HasEnded { get; init; }

    /// <summary>Where its source stands; null where it has none.</summary>
    [Id(11)] public string? Position { get; init; }
}

/// <summary>One checkpoint.</summary>
[GenerateSerializer, Immutable, Alias("os.CheckpointStatus")]
public sealed record CheckpointStatus
{
    /// <summary>Its id, as <c>attempt-number</c>.</summary>
    [Id(0)] public required string Id { get; init; }

    /// <summary>When it began.</summary>
    [Id(1)] public required DateTimeOffset At { get; init; }

    /// <summary>In flight, published, committed, or given up.</summary>
    [Id(2)] public required string State { get; init; }

    /// <summary>Whether its snapshots hold all state.</summary>
    [Id(3)] public bool IsFull { get; init; }

    /// <summary>From its beginning to its publication.</summary>
    [Id(4)] public TimeSpan Duration { get; init; }

    /// <summary>Bytes written for it.</summary>
    [Id(5)] public long WrittenBytes { get; init; }

    /// <summary>Bytes of all that it names.</summary>
    [Id(6)] public long StateBytes { get; init; }

    /// <summary>The longest time in which one subtask processed nothing because it froze.</summary>
    [Id(7)] public TimeSpan LongestStall { get; init; }
}
