namespace OrleansStream.Stages;

/// <summary>The part of a subtask that deals with operators which wait for the world outside.</summary>
internal sealed partial class Subtask
{
    /// <summary>Takes what has come from outside; those below first, so that there is room. False when there was nothing to do.</summary>
    private bool Collect()
    {
        var any = false;
        foreach (var asynchronous in _context.Asynchronous) any |= asynchronous.Collect();
        if (any) SetIdle(_idle);
        return any;
    }

    private long? NextTimeWithoutRoom(Clock now)
    {
        long? next = _unsentSince is { } since ? now.Wall + (since + FlushAfterMs - now.Elapsed) : null;
        foreach (var asynchronous in _context.Asynchronous)
        {
            if (asynchronous.NextTime is { } at && (next is null || at < next)) next = at;
        }

        return next;
    }
}
