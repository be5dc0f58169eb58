using OrleansStream.Jobs;

namespace OrleansStream.Exchange;

/// <summary>The mark that divides what a checkpoint holds from what it does not.</summary>
/// <param name="Checkpoint">The checkpoint.</param>
/// <param name="Full">Whether its snapshots hold all state, not only what changed.</param>
/// <param name="Holds">Whether who took the snapshot waits for the attempt's end, for a while: then the next attempt can go on with the very tables.</param>
[GenerateSerializer, Immutable]
internal readonly record struct Barrier([property: Id(0)] CheckpointId Checkpoint, [property: Id(1)] bool Full, [property: Id(2)] bool Holds = false);

/// <summary>
/// One numbered message on a channel. Its parts are processed in this order: records, watermark, barrier, end.
/// An envelope is never changed after it was sent once, so a repeat is the same message.
/// </summary>
[GenerateSerializer, Immutable]
internal sealed class Envelope
{
    [Id(0)] public required Attempt Attempt { get; init; }

    [Id(1)] public required SubtaskId From { get; init; }

    /// <summary>The opening of the sender, as the job's table has it.</summary>
    [Id(2)] public required Incarnation FromIncarnation { get; init; }

    /// <summary>The opening of the receiver that the sender means.</summary>
    [Id(3)] public required Incarnation ToIncarnation { get; init; }

    /// <summary>The receiver's number for the channel.</summary>
    [Id(4)] public required int Channel { get; init; }

    /// <summary>Counted from 1 on each channel, without gaps.</summary>
    [Id(5)] public required long Sequence { get; init; }

    [Id(6)] public Batch? Batch { get; init; }

    /// <summary>No record at or before this time follows on the channel; <see cref="long.MinValue"/> when nothing new is known.</summary>
    [Id(7)] public long Watermark { get; init; } = long.MinValue;

    /// <summary>The sender has nothing to read: its watermark holds nobody back until it is active again.</summary>
    [Id(8)] public bool Idle { get; init; }

    [Id(9)] public Barrier? Barrier { get; init; }

    /// <summary>Nothing follows on this channel.</summary>
    [Id(10)] public bool End { get; init; }

    /// <summary>The sender has more at hand: what it reads next will follow without waiting for the world outside.</summary>
    [Id(11)] public bool More { get; init; }
}

/// <summary>The answer to an envelope.</summary>
/// <param name="Refusal">Null when the envelope was taken into the inbox now or before; otherwise why it will never be.</param>
/// <param name="Processed">The last number on the channel that was processed: a credit, should the one sent apart be lost.</param>
/// <param name="IsNotYet">The receiver is open and not started: send again.</param>
[GenerateSerializer, Immutable]
internal readonly record struct PostReply([property: Id(0)] string? Refusal, [property: Id(1)] long Processed, [property: Id(2)] bool IsNotYet = false)
{
    public static PostReply NotYet => new(null, 0, IsNotYet: true);
}
