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

    /// <summary>
    /// Goes on with what needs no room in operators that wait: watermarks, barriers and ends whose records are taken. So a barrier waits until the records before it are taken, and not until they
    /// are answered.
    /// </summary>
    private StepResult StepMarks()
    {
        if (_part == EnvelopePart.Records)
        {
            var channel = _delivered > 0 ? -1 : Array.FindIndex(_inputs, static input => input.HasWork && input.Peek().Batch is null);
            if (channel < 0) return Pressed();
            _input = channel;
        }

        return Process(_input);
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
