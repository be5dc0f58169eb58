using OrleansStream.Exchange;
using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Tests.Simulation;

/// <summary>Builds of the engine that lack one guard: taken out where the simulation holds the seam, so that the engine itself has no switch for it.</summary>
internal enum Breakage
{
    /// <summary>The engine as it is.</summary>
    None,

    /// <summary>A source saves an offset ahead of what it has handed on: input is acknowledged before it is processed.</summary>
    OffsetAhead,

    /// <summary>Messages of other attempts and incarnations are taken: each is delivered to the newest opening, bearing the numbers that it expects.</summary>
    NoIncarnationCheck,

    /// <summary>A message that comes twice is processed twice.</summary>
    NoRepeatCheck,

    /// <summary>Watermarks begin anew after a restart.</summary>
    WatermarkNotRestored,

    /// <summary>A barrier goes out behind records that came after it.</summary>
    BarrierAfterNewer,

    /// <summary>A segment is said to be durable, and so its manifest is published, before it is.</summary>
    ManifestBeforeSegment,

    /// <summary>Recovery goes on without committing what the manifest names as pending.</summary>
    PendingNotCommitted,

    /// <summary>Splits that are ahead of other subtasks of their alignment group are read all the same.</summary>
    NoAlignment,

    /// <summary>A log entry whose outcome is unknown is not made again: its writer goes on as if it were there.</summary>
    UnknownOutcomeGivenUp,
}

/// <summary>Makes messages look like those that the receiver waits for.</summary>
internal static class Forgery
{
    /// <summary>Whether a receiver that looks would refuse the envelope for whose it is.</summary>
    public static bool IsForeign(SubtaskActivation receiver, Envelope envelope) =>
        receiver is { IsStarted: true, Driver.Subtask: { } subtask }
        && envelope.Channel < subtask.Inputs.Count
        && (envelope.Attempt != subtask.Context.Attempt
            || envelope.ToIncarnation != subtask.Context.Incarnation
            || envelope.FromIncarnation != subtask.Inputs[envelope.Channel].FromIncarnation);

    public static Envelope AsExpected(Subtask receiver, Envelope envelope) => new()
    {
        Attempt = receiver.Context.Attempt,
        From = receiver.Inputs[envelope.Channel].From,
        FromIncarnation = receiver.Inputs[envelope.Channel].FromIncarnation,
        ToIncarnation = receiver.Context.Incarnation,
        Channel = envelope.Channel,
        Sequence = envelope.Sequence,
        Batch = envelope.Batch,
        Watermark = envelope.Watermark,
        Idle = envelope.Idle,
        Barrier = envelope.Barrier,
        End = envelope.End,
    };
}

/// <summary>Takes each barrier off its envelope and puts it onto the next of its channel, behind the records there.</summary>
internal sealed class BarrierLag
{
    private readonly Dictionary<(SubtaskId, int), SortedDictionary<long, Envelope>> _channels = [];

    public Envelope Delay(SubtaskId to, Envelope envelope)
    {
        if (!_channels.TryGetValue((to, envelope.Channel), out var sent)) _channels[(to, envelope.Channel)] = sent = [];
        sent[envelope.Sequence] = envelope;
        var late = envelope.End ? envelope.Barrier : null;
        if (sent.TryGetValue(envelope.Sequence - 1, out var before) && before.Barrier is { } barrier) late ??= barrier;
        return Wire.With(envelope, envelope.Batch, late);
    }
}

/// <summary>
/// A receiver that takes a repeated envelope for a new one. Numbers behind it move up by one, so that the channel goes on; credits move down again.
/// </summary>
internal sealed class RepeatBlindness
{
    private readonly Dictionary<int, Channel> _channels = [];

    public PostReply Post(SubtaskDriver receiver, Envelope envelope)
    {
        if (!_channels.TryGetValue(envelope.Channel, out var channel)) _channels[envelope.Channel] = channel = new Channel();
        // Only the last of a channel without gaps can be taken once more without moving what is there already.
        var isRepeat = envelope.Sequence == channel.Seen.Count && channel.Seen.Contains(envelope.Sequence) && channel.Seen.Max == envelope.Sequence && envelope.Barrier is null && !envelope.End;
        if (isRepeat) channel.Shift++;
        var reply = receiver.Post(Wire.With(envelope, envelope.Batch, envelope.Barrier, envelope.Sequence + channel.Shift));
        if (reply is { Refusal: null, IsNotYet: false }) channel.Seen.Add(envelope.Sequence);
        else if (isRepeat) channel.Shift--;
        return reply with { Processed = Math.Max(0, reply.Processed - channel.Shift) };
    }

    /// <summary>The number that the sender knows for what was processed here.</summary>
    public long Unshift(int channel, long processed) => _channels.TryGetValue(channel, out var state) ? Math.Max(0, processed - state.Shift) : processed;

    private sealed class Channel
    {
        public SortedSet<long> Seen { get; } = [];

        public long Shift { get; set; }
    }
}
