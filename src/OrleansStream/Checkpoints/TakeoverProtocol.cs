using OrleansStream.Jobs;

namespace OrleansStream.Checkpoints;

/// <summary>
/// Takes over a job's history: seals the newest attempt's log and thereby owns the next attempt. Decides only; the caller acts.
/// </summary>
/// <remarks>
/// Invariants:
/// - <see cref="Owned"/> is given to one taker only: the one whose seal is the last entry of the attempt before it. Its first entry, created if absent, decides between
///   that taker and one who seals it in turn.
/// - Nothing is sealed but the newest attempt, and only at the end of its log. A seal may land in the hole of a trimmed entry, when the taker was slow; such a seal
///   says nothing, and is found out by looking the way up from it (<see cref="LogTrimming"/>), and then whether a later attempt is there: only an attempt
///   that has begun deletes more of older logs than that rule allows, and entry 0 of an attempt is never deleted.
/// - A seal by another taker who has not begun the next attempt is answered by sealing that one at entry 0: its owner may be dead.
/// </remarks>
internal sealed class TakeoverProtocol
{
    private Phase _phase = Phase.FindAttempt;
    private EndFinder _finder = new();
    private Attempt _attempt;
    private long _number;
    private long _wayUp;
    private bool _own;

    private enum Phase
    {
        /// <summary>Looks for the newest attempt: the last whose entry 0 is there.</summary>
        FindAttempt,

        /// <summary>Looks for the end of its log.</summary>
        FindEnd,

        /// <summary>Creates the seal at the end.</summary>
        Seal,

        /// <summary>Reads the last entry, or the one that took the number: it may be a seal already.</summary>
        ReadLast,

        /// <summary>Looks the way up from a seal, to learn that it does not stand in a hole.</summary>
        CheckHole,

        /// <summary>Looks for the attempt after the sealed one.</summary>
        CheckNewest,

        /// <summary>Owns an attempt.</summary>
        Done,
    }

    /// <summary>The attempt that may begin now, by this taker alone; the first one of a history belongs to whoever begins it.</summary>
    public Attempt Owned => _phase == Phase.Done ? _attempt : throw new InvalidOperationException("Nothing is taken over yet.");

    public LogStep Next => _phase switch
    {
        Phase.FindAttempt => new(LogAction.Probe, new Attempt(checked((int)_finder.Probe + 1)), 0),
        Phase.FindEnd => new(LogAction.Probe, _attempt, _finder.Probe),
        Phase.Seal => new(LogAction.Create, _attempt, _number),
        Phase.ReadLast => new(LogAction.Read, _attempt, _number),
        Phase.CheckHole => new(LogAction.Probe, _attempt, _wayUp),
        Phase.CheckNewest => new(LogAction.Probe, _attempt.Next, 0),
        _ => new(LogAction.Done, _attempt, _number),
    };

    public void Answer(LogAnswer answer)
    {
        switch (_phase, answer)
        {
            case (Phase.FindAttempt, LogAnswer.Entry or LogAnswer.Nothing):
                _finder.Answer(answer == LogAnswer.Entry);
                if (_finder.IsDone) AttemptFound(_finder.End);
                break;
            case (Phase.FindEnd, LogAnswer.Entry or LogAnswer.Nothing):
                _finder.Answer(answer == LogAnswer.Entry);
                if (_finder.IsDone) EndFound(_finder.End);
                break;
            case (Phase.ReadLast, LogAnswer.Nothing): // Trimmed meanwhile: the log has grown.
                FindEnd(_attempt);
                break;
            case (Phase.ReadLast, LogAnswer.Entry):
                _number++;
                _phase = Phase.Seal;
                break;
            case (Phase.ReadLast, LogAnswer.Own or LogAnswer.Seal):
                SealSeen(own: answer == LogAnswer.Own);
                break;
            case (Phase.Seal, LogAnswer.Created):
                SealSeen(own: true);
                break;
            case (Phase.Seal, LogAnswer.Taken):
                _phase = Phase.ReadLast;
                break;
            case (Phase.CheckHole, LogAnswer.Entry):
                FindEnd(_attempt);
                break;
            case (Phase.CheckHole, LogAnswer.Nothing):
                if (LogTrimming.IsAnchor(_wayUp)) _phase = Phase.CheckNewest;
                else _wayUp = LogTrimming.Above(_wayUp);
                break;
            case (Phase.CheckNewest, LogAnswer.Entry):
                _finder = new EndFinder();
                _phase = Phase.FindAttempt;
                break;
            case (Phase.CheckNewest, LogAnswer.Nothing):
                NewestSealed();
                break;
            default:
                throw new InvalidOperationException($"{answer} does not answer {Next}.");
        }
    }

    private void AttemptFound(long count)
    {
        if (count == 0)
        {
            _attempt = Attempt.First;
            _phase = Phase.Done;
            return;
        }

        FindEnd(new Attempt(checked((int)count)));
    }

    private void FindEnd(Attempt attempt)
    {
        _attempt = attempt;
        _finder = new EndFinder();
        _phase = Phase.FindEnd;
    }

    private void EndFound(long end)
    {
        if (end == 0) throw new InvalidOperationException($"Entry 0 of attempt {_attempt} was there and is gone; it is never deleted.");
        _number = end - 1;
        _phase = Phase.ReadLast;
    }

    private void SealSeen(bool own)
    {
        _own = own;
        _wayUp = LogTrimming.Above(_number);
        _phase = LogTrimming.IsAnchor(_number) ? Phase.CheckNewest : Phase.CheckHole;
    }

    private void NewestSealed()
    {
        _attempt = _attempt.Next;
        _number = 0;
        _phase = _own ? Phase.Done : Phase.Seal;
    }
}
