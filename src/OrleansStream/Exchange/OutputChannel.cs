using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Exchange;

/// <summary>
/// The sending end of a channel: numbers envelopes and counts credits. It decides; the driver sends.
/// Invariants: numbers are given out without gaps, in the order in which records were written; at most <see cref="Window"/> envelopes
/// are sent and not processed, whatever is queued behind them waits here.
/// </summary>
internal sealed class OutputChannel(SubtaskId from, SubtaskId to, int receiverChannel, int window)
{
    private readonly Queue<Envelope> _waiting = new();
    private long _last;
    private long _watermarkSent = long.MinValue;
    private long _watermark = long.MinValue;
    private bool _idle;
    private bool _idleSent;
    private bool _dry = true;
    private bool _drySent = true;

    public SubtaskId To => to;

    /// <summary>The receiver's number for the channel.</summary>
    public int ReceiverChannel => receiverChannel;

    /// <summary>The most envelopes that may be sent and not yet processed.</summary>
    public int Window => window;

    public Attempt Attempt { get; private set; }

    public Incarnation FromIncarnation { get; private set; }

    public Incarnation ToIncarnation { get; private set; }

    public bool Ended { get; private set; }

    /// <summary>Whether the subtask may go on producing: everything made so far is sent or may be.</summary>
    public bool HasRoom => _waiting.Count == 0 && _last - Processed < window;

    /// <summary>Whether an envelope waits that the receiver's credit allows to be sent.</summary>
    public bool MaySend => _waiting.Count > 0 && _last - _waiting.Count - Processed < window;

    /// <summary>How many envelopes the receiver is known to have processed.</summary>
    public long Processed { get; private set; }

    /// <summary>Envelopes made and not known to be processed by the receiver.</summary>
    public long Outstanding => _last - Processed;

    /// <summary>Whether there is something to say besides records. That the sender has more at hand is said with the records.</summary>
    public bool HasNews => !Ended && (_watermark > _watermarkSent || _idle != _idleSent || (_dry && !_drySent));

    public void Address(Attempt attempt, Incarnation own, Incarnation receiver)
    {
        Attempt = attempt;
        FromIncarnation = own;
        ToIncarnation = receiver;
    }

    /// <summary>Notes a watermark; it leaves behind the next records.</summary>
    public void Watermark(long watermark)
    {
        if (watermark > _watermark) _watermark = watermark;
    }

    public void Idle(bool idle) => _idle = idle;

    /// <summary>Notes whether the sender has nothing more at hand.</summary>
    public void Dry(bool dry) => _dry = dry;

    /// <summary>Makes the next envelope and queues it behind all others.</summary>
    public void Enqueue(Batch? batch, Barrier? barrier = null, bool end = false)
    {
        if (Ended) throw new InvariantException($"Subtask {from} wrote to {to} after the end of its output.");
        var news = _watermark > _watermarkSent;
        _waiting.Enqueue(new Envelope
        {
            Attempt = Attempt,
            From = from,
            FromIncarnation = FromIncarnation,
            ToIncarnation = ToIncarnation,
            Channel = receiverChannel,
            Sequence = ++_last,
            Batch = batch,
            Watermark = news ? _watermark : long.MinValue,
            Idle = _idle,
            Barrier = barrier,
            End = end,
            More = !_dry,
        });
        _watermarkSent = Math.Max(_watermarkSent, _watermark);
        _idleSent = _idle;
        _drySent = _dry;
        Ended = end;
    }

    /// <summary>Takes the next envelope that the receiver's credit allows to be sent.</summary>
    public bool TryTakeNext(out Envelope envelope)
    {
        if (MaySend)
        {
            envelope = _waiting.Dequeue();
            return true;
        }

        envelope = null!;
        return false;
    }

    /// <summary>Notes that the receiver has processed everything up to a number. Old and repeated news change nothing.</summary>
    public void Credit(long processed)
    {
        if (processed > _last) throw new InvariantException($"Subtask {to} returned credit for envelope {processed} on a channel from {from} that only reached {_last}.");
        if (processed > Processed) Processed = processed;
    }
}
