using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.State;

namespace OrleansStream.Stages;

/// <summary>Everything a silo needs to open one subtask: the graph it builds itself.</summary>
[GenerateSerializer, Immutable]
internal sealed record SubtaskOpening
{
    [Id(0)] public required string Job { get; init; }

    [Id(1)] public required Attempt Attempt { get; init; }

    [Id(2)] public required SubtaskId Id { get; init; }

    [Id(3)] public required JobArguments Arguments { get; init; }

    [Id(4)] public required int Parallelism { get; init; }

    [Id(5)] public required int MaxParallelism { get; init; }

    /// <summary>Of the graph; a silo with another build refuses.</summary>
    [Id(6)] public required string Fingerprint { get; init; }

    /// <summary>The splits that this subtask reads, by source name.</summary>
    [Id(7)] public required IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> Splits { get; init; }

    /// <summary>The most records per second of each source, all its subtasks together; null for no limit but its own.</summary>
    [Id(9)] public double? RecordsPerSecond { get; init; }

    /// <summary>The segments of each former subtask of the stage; empty at a fresh start.</summary>
    [Id(8)] public required IReadOnlyList<FormerSubtask> Former { get; init; }
}

/// <summary>A subtask of the stage when the checkpoint was taken.</summary>
[GenerateSerializer, Immutable]
internal sealed record FormerSubtask([property: Id(0)] int Index, [property: Id(1)] KeyGroupRange KeyGroups, [property: Id(2)] IReadOnlyList<SegmentRef> Segments);

/// <summary>The opening of each subtask of an attempt, and where it is.</summary>
[GenerateSerializer, Immutable]
internal sealed record SubtaskTable([property: Id(0)] IReadOnlyDictionary<SubtaskId, SubtaskAddress> Addresses);

/// <summary>One opening of a subtask on one silo.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct SubtaskAddress([property: Id(0)] string Silo, [property: Id(1)] Incarnation Incarnation);

/// <summary>News from the receiver of a channel to its sender: everything up to a number is processed.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct Credit(
    [property: Id(0)] Attempt Attempt,
    [property: Id(1)] SubtaskId Receiver,
    [property: Id(2)] Incarnation ReceiverIncarnation,
    [property: Id(3)] Incarnation SenderIncarnation,
    [property: Id(4)] int Channel,
    [property: Id(5)] long Processed);

/// <summary>A subtask's share of a checkpoint is durable.</summary>
/// <param name="Subtask">The subtask.</param>
/// <param name="Incarnation">Its opening.</param>
/// <param name="Checkpoint">The checkpoint.</param>
/// <param name="KeyGroups">The key groups it owns.</param>
/// <param name="Base">The published checkpoint that the segment builds on; null when it holds all state.</param>
/// <param name="Segment">The segment that was written.</param>
/// <param name="Sinks">What its sinks have prepared and do not know to be committed.</param>
/// <param name="StallMs">The milliseconds in which the subtask processed nothing because it froze.</param>
[GenerateSerializer, Immutable]
internal sealed record Receipt(
    [property: Id(0)] SubtaskId Subtask,
    [property: Id(1)] Incarnation Incarnation,
    [property: Id(2)] CheckpointId Checkpoint,
    [property: Id(3)] KeyGroupRange KeyGroups,
    [property: Id(4)] CheckpointId? Base,
    [property: Id(5)] SegmentRef Segment,
    [property: Id(6)] IReadOnlyList<SinkReceipt> Sinks,
    [property: Id(7)] double StallMs);

/// <summary>One sink's part of a receipt.</summary>
/// <param name="Sink">The sink's name.</param>
/// <param name="Pending">Prepared and not known to be committed, oldest first.</param>
/// <param name="Prepared">How many outputs this opening of the subtask has prepared.</param>
[GenerateSerializer, Immutable]
internal sealed record SinkReceipt([property: Id(0)] string Sink, [property: Id(1)] IReadOnlyList<PendingOutput> Pending, [property: Id(2)] long Prepared);

/// <summary>Why a subtask ended before its job did.</summary>
/// <param name="Subtask">The subtask.</param>
/// <param name="Incarnation">Its opening.</param>
/// <param name="Cause">What went wrong, where.</param>
/// <param name="IsPermanent">Whether another attempt is bound to fail in the same way.</param>
[GenerateSerializer, Immutable]
internal sealed record SubtaskFailure([property: Id(0)] SubtaskId Subtask, [property: Id(1)] Incarnation Incarnation, [property: Id(2)] string Cause, [property: Id(3)] bool IsPermanent);

/// <summary>How a subtask is doing: the answer to its coordinator's heartbeat.</summary>
[GenerateSerializer, Immutable]
internal sealed record SubtaskReport
{
    [Id(0)] public required SubtaskId Subtask { get; init; }

    [Id(1)] public required Incarnation Incarnation { get; init; }

    [Id(2)] public long RecordsIn { get; init; }

    [Id(3)] public long RecordsOut { get; init; }

    [Id(4)] public long LateRecords { get; init; }

    [Id(5)] public long DeadLetters { get; init; }

    [Id(6)] public long BadRecords { get; init; }

    [Id(7)] public long Watermark { get; init; }

    [Id(8)] public long BackPressuredMs { get; init; }

    [Id(9)] public bool HasEnded { get; init; }

    /// <summary>What ended the subtask, should the news of it have been lost.</summary>
    [Id(10)] public SubtaskFailure? Failure { get; init; }

    /// <summary>Where the source of the subtask stands; null where there is none.</summary>
    [Id(11)] public string? Position { get; init; }

    /// <summary>How far the splits of that source have come; null where there is none, or it has no event time.</summary>
    [Id(12)] public SplitsReport? Splits { get; init; }
}

/// <summary>How far the splits that one subtask reads have come in event time.</summary>
[GenerateSerializer, Immutable]
internal sealed record SplitsReport
{
    [Id(0)] public required string Source { get; init; }

    [Id(1)] public int Count { get; init; }

    [Id(2)] public int Ended { get; init; }

    /// <summary>Every split that has not ended is idle, and there is one.</summary>
    [Id(3)] public bool IsIdle { get; init; }

    /// <summary>The split with the lowest watermark of those that count; null when none does.</summary>
    [Id(4)] public string? Slowest { get; init; }

    [Id(5)] public long SlowestWatermark { get; init; }

    [Id(6)] public int Idle { get; init; }

    /// <summary>Some of the idle splits.</summary>
    [Id(7)] public IReadOnlyList<string> IdleNames { get; init; } = [];

    [Id(8)] public int Paused { get; init; }

    /// <summary>Some of the splits that wait for the rest of their alignment group.</summary>
    [Id(9)] public IReadOnlyList<string> PausedNames { get; init; } = [];
}
