using OrleansStream.Jobs;

namespace OrleansStream.Exchange;

/// <summary>
/// Decides when a barrier has arrived on all channels. Invariant: between the first barrier of a checkpoint and its completion no envelope
/// of a channel that has the barrier is processed, so a snapshot holds every record before the barrier and none after it.
/// An ended channel counts as there. A newer barrier gives up the older checkpoint; an older one is ignored.
/// </summary>
internal sealed class BarrierAligner(int channels)
{
    private readonly bool[] _arrived = new bool[channels];
    private readonly bool[] _ended = new bool[channels];
    private Barrier? _current;
    private CheckpointId? _completed;

    /// <summary>The checkpoint that is being aligned.</summary>
    public Barrier? Current => _current;

    public bool IsBlocked(int channel) => _current is not null && _arrived[channel];

    /// <summary>Notes a barrier; returns it when it has now arrived everywhere.</summary>
    public Barrier? OnBarrier(int channel, Barrier barrier)
    {
        if (_completed is { } done && barrier.Checkpoint <= done) return null;
        if (_current is { } current)
        {
            if (barrier.Checkpoint < current.Checkpoint) return null;
            if (barrier.Checkpoint > current.Checkpoint) Array.Clear(_arrived);
        }

        _current = barrier;
        _arrived[channel] = true;
        return CompleteIfAll();
    }

    /// <summary>Notes the end of a channel; returns the barrier that was only waiting for it.</summary>
    public Barrier? OnEnded(int channel)
    {
        _ended[channel] = true;
        return _current is null ? null : CompleteIfAll();
    }

    /// <summary>Notes that a subtask whose channels have all ended took the checkpoint when it was told to; false for a repeat.</summary>
    public bool TryCompleteDirectly(CheckpointId checkpoint)
    {
        if (_completed is { } done && checkpoint <= done) return false;
        _completed = checkpoint;
        return true;
    }

    private Barrier? CompleteIfAll()
    {
        for (var channel = 0; channel < channels; channel++)
        {
            if (!_arrived[channel] && !_ended[channel]) return null;
        }

        var barrier = _current;
        _completed = barrier!.Value.Checkpoint;
        _current = null;
        Array.Clear(_arrived);
        return barrier;
    }
}
