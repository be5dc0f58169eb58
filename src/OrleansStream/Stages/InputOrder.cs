using OrleansStream.Exchange;
using OrleansStream.Time;

namespace OrleansStream.Stages;

/// <summary>
/// Decides which channel a subtask takes its next envelope from: the one that is furthest behind in event time, so that windows do not pile up for channels that ran
/// ahead; every fourth time the next in turn, so that none waits for ever. When the channel furthest behind is empty while its sender is at work on more, the others are
/// held once they are some envelopes ahead: the sender has only lost the processor for a while. That is a matter of economy, not of correctness: a channel is held for
/// a short time only, never during the alignment of a barrier, and never for a sender that waits for the world outside.
/// Source: Flink's watermark alignment, with the state of the sender in place of a configured drift.
/// </summary>
internal sealed class InputOrder(InputChannel[] inputs)
{
    /// <summary>The most envelopes that are taken from other channels in a row while one that is behind has more to come.</summary>
    public const int MostAhead = 4;

    /// <summary>For how long the channels that are ahead are held, in milliseconds.</summary>
    public const int HoldMs = 10;

    private int _last = -1;
    private int _turn;
    private int _ahead;
    private long? _heldSince;

    /// <summary>When channels that are held go on if nothing arrives, in monotonic milliseconds; null when none is held.</summary>
    public long? HeldUntil => _heldSince + HoldMs;

    /// <summary>The next channel; -1 when none has work, or those that have are held.</summary>
    public int Next(WatermarkMerge merge, bool isAligning, long elapsed)
    {
        var chosen = Choose(merge);
        if (chosen >= 0 && !isAligning && IsAhead(chosen, merge))
        {
            if (_ahead >= MostAhead)
            {
                _heldSince ??= elapsed;
                if (elapsed - _heldSince < HoldMs) return -1;
                _ahead = 0;
            }

            _ahead++;
        }
        else
        {
            _ahead = 0;
        }

        _heldSince = null;
        if (chosen >= 0) _last = chosen;
        return chosen;
    }

    private int Choose(WatermarkMerge merge)
    {
        var chosen = -1;
        var inTurn = (_turn++ & 3) == 0;
        for (var tried = 1; tried <= inputs.Length; tried++)
        {
            var channel = (_last + tried + inputs.Length) % inputs.Length;
            if (!inputs[channel].HasWork) continue;
            if (chosen < 0 || merge.Of(channel) < merge.Of(chosen)) chosen = channel;
            if (inTurn) break;
        }

        return chosen;
    }

    /// <summary>Whether a channel that is further behind in event time has nothing here and more to come.</summary>
    private bool IsAhead(int chosen, WatermarkMerge merge)
    {
        var watermark = merge.Of(chosen);
        for (var channel = 0; channel < inputs.Length; channel++)
        {
            var input = inputs[channel];
            if (input.ExpectsMore && input.Queued == 0 && merge.Of(channel) < watermark && merge.Counts(channel)) return true;
        }

        return false;
    }
}
