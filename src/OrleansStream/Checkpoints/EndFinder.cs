namespace OrleansStream.Checkpoints;

/// <summary>
/// Finds the end of a log by point reads: the first position that was never written. Decides only; the caller reads.
/// Invariant: at some moment between the first and the last read, <see cref="End"/> was the end, even while the log grows and is trimmed
/// by the rule of <see cref="LogTrimming"/>.
/// </summary>
/// <remarks>
/// Gallops over the powers of two, refines downwards bit by bit, then goes the way up from the position after the last one found. If all there is
/// absent, nothing had been written at that position when it was looked at. If something is there, the log has grown, and the search goes on from there.
/// </remarks>
internal sealed class EndFinder
{
    private Phase _phase = Phase.First;
    private long _found = -1;
    private long _step;

    private enum Phase
    {
        /// <summary>Looks at position 0.</summary>
        First,

        /// <summary>Looks at powers of two.</summary>
        Gallop,

        /// <summary>Looks at the last position found plus ever smaller powers of two.</summary>
        Refine,

        /// <summary>Looks at the way up from the position after the last one found.</summary>
        WayUp,

        /// <summary>Knows the end.</summary>
        Done,
    }

    /// <summary>Whether the end is known.</summary>
    public bool IsDone => _phase == Phase.Done;

    /// <summary>The first position that was never written.</summary>
    public long End => IsDone ? _found + 1 : throw new InvalidOperationException("The end is not known yet.");

    /// <summary>The position to look at next.</summary>
    public long Probe => _phase switch
    {
        Phase.First => 0,
        Phase.Gallop or Phase.WayUp => _step,
        Phase.Refine => _found + _step,
        _ => throw new InvalidOperationException("The end is known."),
    };

    /// <summary>Takes in whether something is at <see cref="Probe"/>.</summary>
    public void Answer(bool exists)
    {
        var probed = Probe;
        switch (_phase)
        {
            case Phase.First when exists:
                _found = 0;
                Gallop(1);
                break;
            case Phase.First:
                _phase = Phase.Done;
                break;
            case Phase.Gallop when exists:
                _found = probed;
                Gallop(probed * 2);
                break;
            case Phase.Gallop:
                Refine(_found / 2);
                break;
            case Phase.Refine:
                if (exists) _found = probed;
                Refine(_step / 2);
                break;
            case Phase.WayUp when exists:
                _found = probed;
                if (LogTrimming.IsAnchor(probed)) Gallop(probed * 2);
                else Refine((probed & -probed) / 2);
                break;
            case Phase.WayUp when LogTrimming.IsAnchor(probed):
                _phase = Phase.Done;
                break;
            case Phase.WayUp:
                _step = LogTrimming.Above(probed);
                break;
            default:
                throw new InvalidOperationException("The end is known.");
        }
    }

    private void Gallop(long position)
    {
        _phase = Phase.Gallop;
        _step = position;
    }

    private void Refine(long step)
    {
        _phase = step > 0 ? Phase.Refine : Phase.WayUp;
        _step = step > 0 ? step : _found + 1;
    }
}
