using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>
/// Windows of one size that begin at every slide, aligned to 1970-01-01T00:00:00Z plus an offset: a record is in several of them, or in none where the slide is longer than the size.
/// </summary>
/// <remarks>
/// Windows have numbers: number n begins at n slides plus the offset. Time between two beginnings is a period, which the end of an earlier window divides in two panes where the
/// size is not a multiple of the slide. A pane is in a window whole or not at all, so windows are put together from panes. Source: the paired windows of Krishnamurthy, Wu and
/// Franklin, "On-the-fly sharing for streamed aggregation", 2006: never more than two panes in a slide, however size and slide relate.
/// </remarks>
public sealed class SlidingWindows : WindowAssigner
{
    private SlidingWindows(long sizeMilliseconds, long slideMilliseconds, long offsetMilliseconds, bool isProcessingTime)
    {
        SizeMilliseconds = sizeMilliseconds;
        SlideMilliseconds = slideMilliseconds;
        OffsetMilliseconds = offsetMilliseconds;
        IsProcessingTime = isProcessingTime;
        if (slideMilliseconds <= 0) return;
        WholeSlides = sizeMilliseconds / slideMilliseconds;
        Rest = sizeMilliseconds % slideMilliseconds;
    }

    internal long SizeMilliseconds { get; }

    internal long SlideMilliseconds { get; }

    internal long OffsetMilliseconds { get; }

    internal override bool IsProcessingTime { get; }

    /// <summary>How many slides fit into a window.</summary>
    internal long WholeSlides { get; }

    /// <summary>The length of the first of two panes in a period; 0 where there is one.</summary>
    internal long Rest { get; }

    /// <summary>How many windows a pane is in at most, which is how many periods a window reaches into.</summary>
    internal long Overlap => WholeSlides + (Rest > 0 ? 1 : 0);

    /// <summary>Windows in event time.</summary>
    /// <param name="size">The size, a whole number of milliseconds, 1 or more. The graph refuses others when it is built.</param>
    /// <param name="slide">The time from one beginning to the next, a whole number of milliseconds, 1 or more.</param>
    /// <param name="offset">Where windows begin relative to 1970; a whole number of milliseconds from 0 up to, and not with, the slide.</param>
    public static SlidingWindows Of(TimeSpan size, TimeSpan slide, TimeSpan offset = default) =>
        new(WholeMilliseconds(size) ?? 0, WholeMilliseconds(slide) ?? 0, WholeMilliseconds(offset) ?? -1, isProcessingTime: false);

    /// <summary>The same windows by the clock: a record belongs to the windows in which it is processed, and no record is late.</summary>
    public SlidingWindows InProcessingTime() => new(SizeMilliseconds, SlideMilliseconds, OffsetMilliseconds, isProcessingTime: true);

    internal override string Kind => "sliding";

    internal override string? Problem =>
        SizeMilliseconds <= 0 ? "the size must be a whole number of milliseconds, 1 or more"
        : SlideMilliseconds <= 0 ? "the slide must be a whole number of milliseconds, 1 or more"
        : OffsetMilliseconds < 0 || OffsetMilliseconds >= SlideMilliseconds ? "the offset must be a whole number of milliseconds from 0 up to, and not with, the slide"
        : null;

    internal override IEnumerable<(string Name, string Value)> Properties =>
        [("sizeMs", Number(SizeMilliseconds)), ("slideMs", Number(SlideMilliseconds)), ("offsetMs", Number(OffsetMilliseconds))];

    internal override void Assign(long time, List<TimeWindow> windows)
    {
        var pane = PaneOf(time);
        for (var number = pane.First; number <= pane.Period; number++) windows.Add(Window(number));
    }

    /// <summary>The pane that holds a time.</summary>
    internal Pane PaneOf(long time)
    {
        var (period, behind) = Divide(time);
        if (behind < Rest || Rest == 0)
        {
            var length = Rest == 0 ? SlideMilliseconds : Rest;
            return new Pane(EventTime.Minus(time, behind), EventTime.Plus(time, length - 1 - behind), EventTime.Minus(period, Overlap - 1), period);
        }

        return new Pane(EventTime.Minus(time, behind - Rest), EventTime.Plus(time, SlideMilliseconds - 1 - behind), EventTime.Plus(EventTime.Minus(period, WholeSlides), 1), period);
    }

    /// <summary>The number of the last window that has ended by a time, which it has when the time reaches the window's last millisecond.</summary>
    internal long LastEndedBy(long watermark)
    {
        if (watermark is EventTime.Beginning or EventTime.End) return watermark;
        var (number, rest) = Int128.DivRem((Int128)watermark - SizeMilliseconds + 1 - OffsetMilliseconds, SlideMilliseconds);
        return Clamp(rest < 0 ? number - 1 : number);
    }

    /// <summary>The number of the window that begins at a window's turning point: the first from its own on that divides by the overlap.</summary>
    internal long TurnOf(long number)
    {
        var behind = number % Overlap;
        if (behind == 0) return number;
        return EventTime.Plus(number, behind > 0 ? Overlap - behind : -behind);
    }

    /// <summary>The start of a window, or the beginning of time where it would be before it.</summary>
    internal long StartOf(long number) => Clamp(((Int128)number * SlideMilliseconds) + OffsetMilliseconds);

    /// <summary>The last millisecond of a window, or the end of time where it would be behind it.</summary>
    internal long LastOf(long number) => Clamp(((Int128)number * SlideMilliseconds) + OffsetMilliseconds + SizeMilliseconds - 1);

    /// <summary>The window of a number, as far as time goes.</summary>
    internal TimeWindow Window(long number)
    {
        var start = ((Int128)number * SlideMilliseconds) + OffsetMilliseconds;
        return new TimeWindow(Clamp(start), Clamp(start + SizeMilliseconds));
    }

    /// <summary>In which period a time is, and how far from its beginning.</summary>
    private (long Period, long Behind) Divide(long time)
    {
        var period = time / SlideMilliseconds;
        var behind = time - (period * SlideMilliseconds);
        if (behind < 0)
        {
            behind += SlideMilliseconds;
            period--;
        }

        behind -= OffsetMilliseconds;
        return behind < 0 ? (period - 1, behind + SlideMilliseconds) : (period, behind);
    }

    private static long Clamp(Int128 time) => time < long.MinValue ? long.MinValue : time > long.MaxValue ? long.MaxValue : (long)time;
}

/// <summary>A stretch of time that no window begins or ends in.</summary>
/// <param name="Start">Its first millisecond.</param>
/// <param name="Last">Its last millisecond.</param>
/// <param name="First">The number of the first window that holds it; above <paramref name="Period"/> where none does.</param>
/// <param name="Period">The number of the last window that begins before it ends, which is the last that holds it.</param>
internal readonly record struct Pane(long Start, long Last, long First, long Period);
