using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Exchange;

/// <summary>
/// The receiving end of a channel: a bounded inbox in the order sent. Each number enters the inbox once; a repeat is answered like the first time.
/// </summary>
internal sealed class InputChannel(SubtaskId from, int receiver, int window)
{
    private readonly Queue<Envelope> _inbox = new();
    private readonly SortedDictionary<long, Envelope> _early = [];
    private long _accepted;
    private long _credited;
    private bool _endAccepted;

    public SubtaskId From => from;

    /// <summary>Which input edge of the stage the channel belongs to.</summary>
    public int Edge => receiver;

    /// <summary>The opening of the sender that the table names.</summary>
    public Incarnation FromIncarnation { get; set; }

    /// <summary>The barrier is here and not on all other channels: the inbox waits.</summary>
    public bool Blocked { get; set; }

    public bool Ended { get; private set; }

    /// <summary>Whether the sender said with its last envelope that it has more at hand.</summary>
    public bool ExpectsMore { get; private set; }

    public long Processed { get; private set; }

    public bool HasWork => !Blocked && _inbox.Count > 0;

    public int Queued => _inbox.Count;

    /// <summary>Whether a later envelope waits for one that is missing.</summary>
    public bool HasGap => _early.Count > 0;

    /// <summary>
    /// Takes an envelope; null when it is in the inbox or was before, else why it can never be. The reply says what is <see cref="Processed"/>, which counts as told with the first of a number only: its
    /// sender asks until it has that reply or one that says more, and a repeat may come when nobody waits for its reply any more.
    /// </summary>
    public string? Accept(Envelope envelope)
    {
        var number = envelope.Sequence;
        if (number <= _accepted || _early.ContainsKey(number)) return null;
        if (number > Processed + window) return $"Envelope {number} on the channel from {from} is beyond the window of {window} after {Processed}: the sender ignores credits.";
        _credited = Processed;
        if (number != _accepted + 1)
        {
            _early.Add(number, envelope);
            return null;
        }

        Enter(envelope);
        while (_early.Remove(_accepted + 1, out var next)) Enter(next);
        return null;
    }

    public Envelope Peek() => _inbox.Peek();

    /// <summary>Takes the processed envelope out of the inbox.</summary>
    public void Done()
    {
        var envelope = _inbox.Dequeue();
        if (envelope.Sequence != Processed + 1) throw new InvariantException($"Channel from {from} processed {envelope.Sequence} after {Processed}.");
        Processed = envelope.Sequence;
        if (envelope.End) Ended = true;
    }

    /// <summary>
    /// Whether so much was processed that the sender should hear of it: a third of the window, so that it goes on before the inbox is empty also when a record takes long.
    /// A sender without room has sent a whole window behind the last credit, so credit always comes; less than that it learns with the replies to what it sends next.
    /// </summary>
    public bool TryTakeCredit(out long processed)
    {
        processed = Processed;
        if (Processed - _credited < Math.Max(1, window / 3)) return false;
        _credited = Processed;
        return true;
    }

    private void Enter(Envelope envelope)
    {
        if (_endAccepted) throw new InvariantException($"Channel from {from} carried envelope {envelope.Sequence} after its end.");
        _accepted = envelope.Sequence;
        _endAccepted = envelope.End;
        ExpectsMore = envelope.More;
        _inbox.Enqueue(envelope);
    }
}
