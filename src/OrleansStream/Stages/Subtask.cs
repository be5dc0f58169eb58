using OrleansStream.Exchange;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Stages;

/// <summary>
/// One subtask, as a thing that decides: what to take next, when to align, when to snapshot, when it has ended. It does no I/O, asks no clock and never
/// waits; its driver performs what it decides.
/// Invariants:
/// a channel's records are processed in the order sent, each once;
/// a snapshot holds the effect of every record before the barrier and of none after it, and the barrier leaves behind everything written before it;
/// nothing is processed while a channel below has no room, or while a watermark's results are still leaving.
/// </summary>
internal sealed partial class Subtask
{
    /// <summary>The most records handled in one step, so that room and time are asked after often.</summary>
    private const int Slice = 1024;

    /// <summary>The name under which the subtask's own watermark is saved; no operator can have it.</summary>
    private const string WatermarkBlob = "watermark";

    private readonly SubtaskContext _context;
    private readonly InputChannel[] _inputs;
    private readonly EdgeReceiver[] _receivers;
    private readonly IPartitionWriter[] _writers;
    private readonly SourceHead? _source;
    private readonly Operator _head;
    private WatermarkMerge _merge;
    private readonly BarrierAligner _aligner;
    private readonly Queue<Barrier> _triggers = new();
    private readonly InputOrder _order;
    private int _input = -1;
    private EnvelopePart _part;
    private int _delivered;
    private bool _endFlushed;
    private bool _idle;
    private bool _idleSent;
    private bool _drySent = true;

    public Subtask(SubtaskContext context, PlannedStage stage)
    {
        _context = context;
        _inputs = stage.InputChannels(context.Id.Index);
        var chain = new ChainBuilder(stage, context);
        _head = stage.Head.BuildOperator(chain);
        _source = _head as SourceHead;
        _receivers = [.. stage.Head.Inputs.Select(edge => edge.BuildReceiver(_head))];

        _writers = [.. chain.Writers];
        _merge = new WatermarkMerge(_inputs.Length);
        _aligner = new BarrierAligner(_inputs.Length);
        _order = new InputOrder(_inputs);
        Sinks = [.. context.Operators.OfType<ISinkOperator>()];
        _context.State.Rehearse();
    }

    public SubtaskContext Context => _context;

    public IReadOnlyList<ISinkOperator> Sinks { get; }

    public SourceHead? Source => _source;

    public IReadOnlyList<OutputChannel> Outputs => _context.Outputs;

    public IReadOnlyList<InputChannel> Inputs => _inputs;

    /// <summary>All input has ended and everything has been written, the ends of the channels too. The subtask stays to answer checkpoints.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>The watermark that the subtask has reached.</summary>
    public long Watermark => _source is null ? _merge.Current : HasEnded ? EventTime.End : _context.WatermarkOrigin?.Watermark ?? EventTime.Beginning;

    /// <summary>The last step had something to do and no room to write what it makes.</summary>
    public bool IsBackPressured { get; private set; }

    /// <summary>Takes what arrives on a channel into its inbox. Null when it is there, now or before; otherwise why it is refused for good.</summary>
    public string? Accept(Envelope envelope, out long processed)
    {
        processed = 0;
        if (envelope.Attempt != _context.Attempt) return $"it is of attempt {envelope.Attempt} and this is attempt {_context.Attempt}";
        if (envelope.ToIncarnation != _context.Incarnation) return $"it means opening {envelope.ToIncarnation} and this is {_context.Incarnation}";
        if ((uint)envelope.Channel >= (uint)_inputs.Length) return $"there is no channel {envelope.Channel}";
        var input = _inputs[envelope.Channel];
        if (envelope.From != input.From || envelope.FromIncarnation != input.FromIncarnation)
        {
            return $"channel {envelope.Channel} belongs to opening {input.FromIncarnation} of {input.From}, not to {envelope.FromIncarnation} of {envelope.From}";
        }

        var refusal = input.Accept(envelope);
        if (refusal is null) processed = input.Processed;
        return refusal;
    }

    /// <summary>Asks a source, or a subtask whose input has ended, for a checkpoint. Others get it from the channels.</summary>
    public void Trigger(Barrier barrier) => _triggers.Enqueue(barrier);

    /// <summary>Does one slice of work.</summary>
    public StepResult Step(Clock now)
    {
        if (IsBackPressured) _context.HeldMs += now.Elapsed - _context.Now.Elapsed;
        _context.Now = now;
        IsBackPressured = false;
        if (IsHeld(now)) return StepResult.Held;
        FlushIfDue(now);
        if (Collect()) return StepResult.More;
        if (_head is IResumable { HasPending: true } resumable)
        {
            if (!_context.HasRoom) return Pressed();
            resumable.Resume();
            return resumable.HasPending && !_context.HasRoom ? Pressed() : StepResult.More;
        }

        if (_triggers.Count > 0 && TakeTrigger(out var snapshot)) return StepResult.Snapshot(snapshot);
        if (HasEnded) return StepResult.Dry;
        foreach (var step in _context.Operators)
        {
            if (step.NextTime <= now.Wall) step.OnTime();
        }

        if (!_context.HasRoom) return _source is null && _context.HasChannelRoom ? StepMarks() : Pressed();
        var result = _source is null ? StepInputs() : StepSource(_source);
        SetDry(result.Kind == StepKind.Dry && _order.HeldUntil is null);
        return result;
    }

    /// <summary>When the subtask has something to do even if nothing arrives, in wall-clock milliseconds.</summary>
    /// <param name="now">The time.</param>
    /// <param name="noRoom">Whether it waits for credit or answers: then only what it has gathered for other channels is due, and what ends waiting for an answer.</param>
    public long? NextTime(Clock now, bool noRoom)
    {
        if (_heldUntil is { } until) return now.Wall + (until - now.Elapsed);
        if (HasEnded) return null;
        if (noRoom) return NextTimeWithoutRoom(now);
        long? next = null;
        foreach (var step in _context.Operators)
        {
            if (step.NextTime is { } at && (next is null || at < next)) next = at;
        }

        if (_order.HeldUntil is { } held) next = Earlier(next, now, held);
        if (_lingersUntil is { } flush) next = Earlier(next, now, flush);
        return next;
    }

    private static long Earlier(long? wall, Clock now, long elapsed) => Math.Min(wall ?? long.MaxValue, now.Wall + (elapsed - now.Elapsed));

    private StepResult StepSource(SourceHead source)
    {
        switch (source.Poll())
        {
            case PollResult.Read:
                SetIdle(_context.WatermarkOrigin?.IsIdle ?? false);
                return StepResult.More;
            case PollResult.Dry:
                SetIdle(_context.WatermarkOrigin?.IsIdle ?? false);
                return StepResult.Dry;
            default:
                return End(source);
        }
    }

    private StepResult StepInputs()
    {
        // A channel is left only between envelopes, so that each is finished before another begins.
        if (_part == EnvelopePart.Records && _delivered == 0) _input = _order.Next(_merge, _aligner.Current is not null, _context.Now.Elapsed);
        if (_input >= 0) return Process(_input);
        return _merge.AllEnded ? End(_head) : StepResult.Dry;
    }

    /// <summary>Does the next part of the envelope at the head of a channel.</summary>
    private StepResult Process(int channel)
    {
        var input = _inputs[channel];
        var envelope = input.Peek();
        switch (_part)
        {
            case EnvelopePart.Records:
                if (envelope.Batch is { } batch && _delivered < batch.Count)
                {
                    var count = Math.Min(Slice, batch.Count - _delivered);
                    _receivers[input.Edge].Deliver(batch, _delivered, count);
                    _context.Counters.RecordsIn += count;
                    _delivered += count;
                    if (_delivered < batch.Count) return StepResult.More;
                }

                envelope.Batch?.Recycle();
                _delivered = 0;
                _part = EnvelopePart.Watermark;
                return StepResult.More;

            case EnvelopePart.Watermark:
                _part = EnvelopePart.Marks;
                if (_merge.Update(channel, envelope.Watermark, envelope.Idle)) AdvanceWatermark();
                SetIdle(_merge.IsIdle);
                return StepResult.More;

            default:
                _part = EnvelopePart.Records;
                return Finish(channel, input, envelope);
        }
    }

    private StepResult Finish(int channel, InputChannel input, Envelope envelope)
    {
        input.Done();
        Barrier? complete = null;
        if (envelope.Barrier is { } barrier)
        {
            complete = _aligner.OnBarrier(channel, barrier);
            if (complete is null) FaultPoints.Pass(FaultPoint.BarrierAligning);
            BlockAligned();
        }

        if (envelope.End)
        {
            var advanced = _merge.End(channel);
            complete ??= _aligner.OnEnded(channel);
            BlockAligned();
            // The end of time is announced with the end of input, behind a snapshot that may be due first.
            if (advanced && !_merge.AllEnded) AdvanceWatermark();
        }

        return complete is { } all ? StepResult.Snapshot(TakeSnapshot(all)) : StepResult.More;
    }

    private void BlockAligned()
    {
        for (var channel = 0; channel < _inputs.Length; channel++) _inputs[channel].Blocked = _aligner.IsBlocked(channel);
    }

    /// <summary>Announces the end of time, lets everything leave, and ends the channels below.</summary>
    private StepResult End(Operator head)
    {
        if (!_endFlushed)
        {
            _endFlushed = true;
            SetIdle(false);
            head.OnWatermark(EventTime.End);
            return StepResult.More;
        }

        if (!_context.IsCalm) return StepResult.Dry;
        foreach (var writer in _writers) writer.WriteEnd();
        HasEnded = true;
        return StepResult.Ended;
    }

    private void AdvanceWatermark() => _head.OnWatermark(_merge.Current);

    private bool TakeTrigger(out SubtaskSnapshot snapshot)
    {
        snapshot = null!;
        if (_source is null && !HasEnded)
        {
            // It had ended channels only when it was asked, or is about to get the barrier from one of them.
            if (!_merge.AllEnded) _triggers.Clear();
            return false;
        }

        while (_triggers.TryDequeue(out var barrier))
        {
            if (!_aligner.TryCompleteDirectly(barrier.Checkpoint)) continue;
            snapshot = TakeSnapshot(barrier);
            return true;
        }

        return false;
    }

    /// <summary>Freezes everything and puts the barrier behind everything written, in one synchronous step.</summary>
    private SubtaskSnapshot TakeSnapshot(Barrier barrier)
    {
        if (_head is IResumable { HasPending: true }) throw new InvariantException($"Subtask {_context.Id} was asked for checkpoint {barrier.Checkpoint} while results of a watermark were leaving.");
        var parts = new SnapshotParts(barrier.Checkpoint);
        foreach (var step in _context.Operators) step.Snapshot(parts);
        var writer = new BlobWriter();
        writer.Write(_source is null ? _merge.Current : EventTime.Beginning);
        parts.Blobs.Add(new OperatorBlob("", WatermarkBlob, writer.ToArray()));
        var frozen = _context.State.Freeze(barrier.Checkpoint, barrier.Full, parts.Blobs);
        if (!HasEnded)
        {
            foreach (var partition in _writers) partition.WriteBarrier(barrier);
            _unsentSince = null;
        }

        if (barrier.Holds) Hold(barrier);
        return new SubtaskSnapshot(barrier, frozen, parts.Preparing);
    }

    private void SetIdle(bool idle)
    {
        _idle = idle;
        // Records in flight hold the watermark: a channel that has them is not idle.
        idle &= _context.IsCalm;
        if (_idleSent == idle) return;
        _idleSent = idle;
        foreach (var writer in _writers) writer.SetIdle(idle);
    }

    private void SetDry(bool dry)
    {
        if (_drySent == dry) return;
        _drySent = dry;
        foreach (var writer in _writers) writer.SetDry(dry);
    }

    private StepResult Pressed()
    {
        IsBackPressured = !_context.HasChannelRoom;
        if (!IsBackPressured) SetDry(true);
        return StepResult.NoRoom;
    }

    /// <summary>How far the envelope in hand is processed.</summary>
    private enum EnvelopePart
    {
        /// <summary>Its records are being handed over.</summary>
        Records,

        /// <summary>Its watermark is next.</summary>
        Watermark,

        /// <summary>Its barrier and end are next.</summary>
        Marks,
    }
}

/// <summary>What a subtask froze for a checkpoint.</summary>
internal sealed record SubtaskSnapshot(Barrier Barrier, FrozenSubtask Frozen, IReadOnlyList<Task> Preparing)
{
    /// <summary>How long freezing took, in milliseconds; the driver measures it.</summary>
    public double StallMs { get; set; }
}

/// <summary>How a step ended, and what the driver is to do.</summary>
internal enum StepKind
{
    /// <summary>There is more to do at once.</summary>
    More,

    /// <summary>Nothing to do before something arrives or falls due: flush and wait.</summary>
    Dry,

    /// <summary>The channels below have no room, or as many records as may wait for the world outside: wait for credit or answers.</summary>
    NoRoom,

    /// <summary>A snapshot was frozen: encode, write, send the receipt. There may be more to do at once.</summary>
    Snapshot,

    /// <summary>All input has ended and is written; the coordinator must know.</summary>
    Ended,

    /// <summary>Nothing is done behind a barrier for a while, as the attempt is about to end.</summary>
    Held,
}

/// <inheritdoc cref="StepKind"/>
internal readonly record struct StepResult(StepKind Kind, SubtaskSnapshot? Taken = null)
{
    public static StepResult More => new(StepKind.More);

    public static StepResult Held => new(StepKind.Held);

    public static StepResult Dry => new(StepKind.Dry);

    public static StepResult NoRoom => new(StepKind.NoRoom);

    public static StepResult Ended => new(StepKind.Ended);

    public static StepResult Snapshot(SubtaskSnapshot taken) => new(StepKind.Snapshot, taken);
}
