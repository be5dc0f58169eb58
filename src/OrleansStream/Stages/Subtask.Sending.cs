using OrleansStream.Exchange;

namespace OrleansStream.Stages;

/// <summary>When a subtask sends what it has gathered for the channels below.</summary>
internal sealed partial class Subtask
{
    /// <summary>The longest that a record waits in a batch that is not full.</summary>
    public const int FlushAfterMs = 5;

    private long? _unsentSince;
    private long? _flushedAt;
    private long? _lingersUntil;

    /// <summary>
    /// There is nothing more to do at once: sends what was gathered, unless that is little and something was sent a moment ago. So a record that comes alone leaves at once, and a trickle does
    /// not cost a message, and a thread woken for it, each.
    /// </summary>
    public void FlushDry()
    {
        _lingersUntil = _flushedAt + FlushAfterMs;
        if (_lingersUntil > _context.Now.Elapsed && HasUnsent && Gathered < BatchSize.Small) return;
        FlushAll();
    }

    /// <summary>Sends what was gathered.</summary>
    public void FlushAll()
    {
        _lingersUntil = null;
        if (HasUnsent) _flushedAt = _context.Now.Elapsed;
        foreach (var writer in _writers) writer.Flush();
        _unsentSince = HasUnsent ? _context.Now.Elapsed : null;
    }

    /// <summary>Whether records or watermarks are gathered and not sent.</summary>
    public bool HasUnsent => Array.Exists(_writers, static writer => writer.HasUnsent);

    private int Gathered
    {
        get
        {
            var gathered = 0;
            foreach (var writer in _writers) gathered += writer.Gathered;
            return gathered;
        }
    }

    private void FlushIfDue(Clock now)
    {
        if (_unsentSince is { } since && now.Elapsed - since >= FlushAfterMs) FlushAll();
        if (_unsentSince is null && HasUnsent) _unsentSince = now.Elapsed;
    }
}
