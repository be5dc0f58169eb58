using OrleansStream.Time;

namespace OrleansStream.Stages;

/// <summary>What others hear of the watermarks that begin in the subtask, and it of theirs.</summary>
internal sealed partial class Subtask
{
    /// <summary>The most splits of a kind that a report names.</summary>
    private const int MostNamed = 8;

    /// <summary>Takes news of the alignment group's other subtasks.</summary>
    /// <param name="lowestOfOthers">The lowest watermark of their splits.</param>
    /// <param name="elapsed">Monotonic milliseconds.</param>
    /// <returns>The lowest watermark of this subtask's splits; the end of time when none counts.</returns>
    public long Align(long lowestOfOthers, long elapsed)
    {
        if (_context.Alignment is not { } alignment) return EventTime.End;
        alignment.Hear(lowestOfOthers, elapsed);
        return alignment.Lowest;
    }

    /// <summary>How far the splits of the source have come; null where none is read, or they have no event time.</summary>
    public SplitsReport? ReportSplits()
    {
        if (_source is null || _context.WatermarkOrigin is not { } origin) return null;
        var splits = origin.Splits.ToList();
        var counted = splits.Where(static split => split.Counts).ToList();
        var idle = splits.Where(static split => split is { IsIdle: true, IsEnded: false }).ToList();
        var paused = splits.Where(static split => split is { IsPaused: true, IsEnded: false }).ToList();
        return new SplitsReport
        {
            Source = _source.Name,
            Count = _source.Names.Count,
            Ended = _context.EndedSplits,
            IsIdle = origin.IsIdle,
            Slowest = counted.Count == 0 ? null : counted.MinBy(static split => split.Watermark).Name,
            SlowestWatermark = counted.Count == 0 ? EventTime.End : counted.Min(static split => split.Watermark),
            Idle = idle.Count,
            IdleNames = idle.Take(MostNamed).Select(static split => split.Name).ToArray(),
            Paused = paused.Count,
            PausedNames = paused.Take(MostNamed).Select(static split => split.Name).ToArray(),
        };
    }
}
