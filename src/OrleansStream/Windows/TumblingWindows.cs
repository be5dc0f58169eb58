using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>Windows of one size that follow each other without gap or overlap, aligned to 1970-01-01T00:00:00Z plus an offset.</summary>
public sealed class TumblingWindows : WindowAssigner
{
    private TumblingWindows(long sizeMilliseconds, long offsetMilliseconds, bool isProcessingTime)
    {
        SizeMilliseconds = sizeMilliseconds;
        OffsetMilliseconds = offsetMilliseconds;
        IsProcessingTime = isProcessingTime;
    }

    internal long SizeMilliseconds { get; }

    internal long OffsetMilliseconds { get; }

    internal override bool IsProcessingTime { get; }

    /// <summary>Windows in event time.</summary>
    /// <param name="size">The size, a whole number of milliseconds, 1 or more. The graph refuses others when it is built.</param>
    /// <param name="offset">Where windows begin relative to 1970; a whole number of milliseconds from 0 up to, and not with, the size.</param>
    public static TumblingWindows Of(TimeSpan size, TimeSpan offset = default) =>
        new(WholeMilliseconds(size) ?? 0, WholeMilliseconds(offset) ?? -1, isProcessingTime: false);

    /// <summary>The same windows by the clock: a record belongs to the window in which it is processed, and no record is late.</summary>
    public TumblingWindows InProcessingTime() => new(SizeMilliseconds, OffsetMilliseconds, isProcessingTime: true);

    /// <summary>The start of the window that holds a time; floor division, so that it is right before 1970 too.</summary>
    internal long StartOf(long timestamp) => EventTime.Minus(timestamp, Into(timestamp));

    /// <summary>The end of the window with a start. The first window of all began before time does: it ends where the second begins.</summary>
    internal long EndOf(long start) => EventTime.Plus(start, LengthOf(start));

    /// <summary>The last millisecond of the window with a start.</summary>
    internal long LastOf(long start) => EventTime.Plus(start, LengthOf(start) - 1);

    private long LengthOf(long start) => start == EventTime.Beginning ? SizeMilliseconds - Into(start) : SizeMilliseconds;

    /// <summary>How far into its window a time is.</summary>
    private long Into(long timestamp)
    {
        var remainder = (timestamp % SizeMilliseconds - OffsetMilliseconds) % SizeMilliseconds;
        return remainder < 0 ? remainder + SizeMilliseconds : remainder;
    }

    internal override string Kind => "tumbling";

    internal override string? Problem =>
        SizeMilliseconds <= 0 ? "the size must be a whole number of milliseconds, 1 or more"
        : OffsetMilliseconds < 0 || OffsetMilliseconds >= SizeMilliseconds ? "the offset must be a whole number of milliseconds from 0 up to, and not with, the size"
        : null;

    internal override IEnumerable<(string Name, string Value)> Properties => [("sizeMs", Number(SizeMilliseconds)), ("offsetMs", Number(OffsetMilliseconds))];

    internal override void Assign(long time, List<TimeWindow> windows)
    {
        var start = StartOf(time);
        windows.Add(new TimeWindow(start, EndOf(start)));
    }
}
