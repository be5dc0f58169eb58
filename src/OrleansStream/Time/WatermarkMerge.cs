namespace OrleansStream.Time;

/// <summary>
/// The watermark of a subtask with several channels: the minimum over those that are active. It never goes back. An idle channel does not count;
/// when all are idle the watermark stays. An ended channel leaves the minimum, and the end of time comes only when all have ended.
/// </summary>
internal sealed class WatermarkMerge
{
    private readonly long[] _watermarks;
    private readonly bool[] _idle;
    private readonly bool[] _ended;

    public WatermarkMerge(int channels, long restored = long.MinValue)
    {
        _watermarks = new long[channels];
        _idle = new bool[channels];
        _ended = new bool[channels];
        Array.Fill(_watermarks, long.MinValue);
        Current = restored;
    }

    /// <summary>The merged watermark: no record at or before this time is on time any more.</summary>
    public long Current { get; private set; }

    /// <summary>Whether every channel that has not ended is idle, and there is one.</summary>
    public bool IsIdle
    {
        get
        {
            var open = false;
            for (var channel = 0; channel < _ended.Length; channel++)
            {
                if (_ended[channel]) continue;
                if (!_idle[channel]) return false;
                open = true;
            }

            return open;
        }
    }

    public bool AllEnded => Array.TrueForAll(_ended, static ended => ended);

    /// <summary>Whether the merged watermark waits for a channel: it is neither idle nor at its end.</summary>
    public bool Counts(int channel) => !_ended[channel] && !_idle[channel] && _watermarks[channel] != EventTime.End;

    /// <summary>The watermark of one channel.</summary>
    public long Of(int channel) => _watermarks[channel];

    /// <summary>Takes what a channel brought; true when <see cref="Current"/> advanced.</summary>
    public bool Update(int channel, long watermark, bool idle)
    {
        if (watermark > _watermarks[channel]) _watermarks[channel] = watermark;
        _idle[channel] = idle;
        return Advance();
    }

    /// <summary>Takes a channel out of the minimum; true when <see cref="Current"/> advanced.</summary>
    public bool End(int channel)
    {
        _ended[channel] = true;
        return Advance();
    }

    private bool Advance()
    {
        var minimum = long.MaxValue;
        var counted = false;
        var allOver = true;
        for (var channel = 0; channel < _watermarks.Length; channel++)
        {
            // The end of time on one channel says that nothing more comes there; of the others it says nothing.
            if (_ended[channel] || _watermarks[channel] == EventTime.End) continue;
            allOver = false;
            if (_idle[channel]) continue;
            counted = true;
            minimum = Math.Min(minimum, _watermarks[channel]);
        }

        if (!counted && !allOver) return false;
        if (minimum <= Current) return false;
        Current = minimum;
        return true;
    }
}
