using OrleansStream.Checkpoints;
using OrleansStream.Exchange;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.Testing.Simulation;
using Barrier = OrleansStream.Exchange.Barrier;
using Silo = OrleansStream.Testing.Simulation.Silo;

namespace OrleansStream.Tests.Simulation;

/// <summary>The guard that a build of the engine lacks.</summary>
public enum Breakage
{
    /// <summary>The engine as it is.</summary>
    None,

    /// <summary>A source saves an offset ahead of what it has handed on: input is acknowledged before it is processed.</summary>
    OffsetAhead,

    /// <summary>Messages of other attempts and incarnations are taken: each is delivered to the newest opening, bearing the numbers that it expects.</summary>
    NoIncarnationCheck,

    /// <summary>A message that comes twice is processed twice.</summary>
    NoRepeatCheck,

    /// <summary>What the reply to a repeated message says counts as told, though perhaps nobody waits for it any more.</summary>
    RepeatTellsCredit,

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

    /// <summary>A rescale holds for its own attempt only: what comes after a failure has the parallelism of before.</summary>
    RescaleForgotten,

    /// <summary>A subtask goes on from the former one of its own number alone, as if the parallelism were the same.</summary>
    RestoredByNumber,

    /// <summary>A log entry whose outcome is unknown is not made again: its writer goes on as if it were there.</summary>
    UnknownOutcomeGivenUp,
}

/// <summary>A build of the engine that lacks one guard. For one run.</summary>
internal sealed class BrokenBuild(Breakage breakage) : EngineBuild
{
    private readonly Dictionary<SubtaskActivation, BarrierLag> _lags = [];
    private readonly Dictionary<SubtaskActivation, RepeatBlindness> _blind = [];

    public override long OffsetToSave(long next, long count) => breakage == Breakage.OffsetAhead ? Math.Min(next + 3, count) : next;

    public override int ParallelismOf(JobStart start, int otherwise) => breakage == Breakage.RescaleForgotten ? otherwise : base.ParallelismOf(start, otherwise);

    public override SubtaskOpening Opening(SubtaskOpening opening) =>
        breakage == Breakage.RestoredByNumber ? opening with { Former = [.. opening.Former.Where(former => former.Index == opening.Id.Index)] } : opening;

    public override void Restored(SubtaskContext context)
    {
        if (breakage != Breakage.WatermarkNotRestored) return;
        context.Restored = [.. context.Restored.Where(static restored => restored.Blob.Name is not ("highest" or "merged" or "watermark"))];
        context.FormerWatermarks = [];
    }

    public override Envelope Leaving(SubtaskActivation from, SubtaskId to, Envelope envelope) =>
        breakage == Breakage.BarrierAfterNewer ? Of(_lags, from).Delay(to, envelope) : envelope;

    /// <summary>Whichever opening of the subtask is the newest, where incarnations are not looked at.</summary>
    public override SubtaskActivation Addressee(Silo silo, Attempt attempt, SubtaskId to) =>
        breakage == Breakage.NoIncarnationCheck && silo.Run.NewestOf(to) is { } newest ? newest : silo.Subtask(attempt, to);

    /// <summary>A broken receiver gets a message of its own also within a silo, for it might give one batch back to the pool twice.</summary>
    public override async Task<PostReply> DeliverAsync(Silo from, SubtaskActivation receiver, Envelope envelope)
    {
        envelope = Wire.Copy(envelope);
        if (breakage == Breakage.NoRepeatCheck) return Of(_blind, receiver).Post(receiver.Opened(), envelope);
        if (breakage == Breakage.RepeatTellsCredit)
        {
            var told = await receiver.PostAsync(envelope);
            receiver.Driver!.Subtask.Inputs[envelope.Channel].TryTakeCredit(out _);
            return told;
        }

        if (breakage != Breakage.NoIncarnationCheck || !Forgery.IsForeign(receiver, envelope)) return await receiver.PostAsync(envelope);
        var reply = await receiver.PostAsync(Forgery.AsExpected(receiver.Driver!.Subtask, envelope));
        return reply with { Processed = 0 };
    }

    public override Credit Crediting(SubtaskActivation receiver, Credit credit) =>
        breakage == Breakage.NoRepeatCheck ? credit with { Processed = Of(_blind, receiver).Unshift(credit.Channel, credit.Processed) } : credit;

    public override Task<bool> CreateAsync(SimulatedRun run, string name, Func<bool> create, Func<Task<bool>> call) => breakage switch
    {
        Breakage.ManifestBeforeSegment when name.Contains("/segments/", StringComparison.Ordinal) => AnsweredBeforeDurable(run, create),
        Breakage.UnknownOutcomeGivenUp when SimulatedStore.IsLogEntry(name) => GivenUpAsync(call()),
        _ => call(),
    };

    public override bool SkipsCommit(SimulatedRun run) => breakage == Breakage.PendingNotCommitted && run.IsJob(run.Scheduler.Current);

    public override long Aligning(long lowestOfOthers) => breakage == Breakage.NoAlignment ? OrleansStream.Time.EventTime.End : lowestOfOthers;

    /// <summary>Says that an object is durable before it is.</summary>
    private static Task<bool> AnsweredBeforeDurable(SimulatedRun run, Func<bool> create)
    {
        run.Scheduler.After(TimeSpan.FromMilliseconds(run.Random.Next(30)), () => create());
        return Task.FromResult(true);
    }

    /// <summary>Goes on as if what is not known had come out well.</summary>
    private static async Task<bool> GivenUpAsync(Task<bool> call)
    {
        try
        {
            return await call;
        }
        catch (StoreException)
        {
            return true;
        }
    }

    private static T Of<T>(Dictionary<SubtaskActivation, T> all, SubtaskActivation activation)
        where T : new()
    {
        if (!all.TryGetValue(activation, out var one)) all[activation] = one = new T();
        return one;
    }
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
        More = envelope.More,
    };

    public static Envelope With(Envelope envelope, Barrier? barrier, long sequence) => new()
    {
        Attempt = envelope.Attempt,
        From = envelope.From,
        FromIncarnation = envelope.FromIncarnation,
        ToIncarnation = envelope.ToIncarnation,
        Channel = envelope.Channel,
        Sequence = sequence,
        Batch = envelope.Batch,
        Watermark = envelope.Watermark,
        Idle = envelope.Idle,
        Barrier = barrier,
        End = envelope.End,
        More = envelope.More,
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
        return Forgery.With(envelope, late, envelope.Sequence);
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
        var reply = receiver.Post(Forgery.With(envelope, envelope.Barrier, envelope.Sequence + channel.Shift));
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
