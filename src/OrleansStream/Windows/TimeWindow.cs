using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>A span of event time: from <see cref="Start"/> up to, and not with, <see cref="End"/>, in milliseconds since 1970.</summary>
/// <param name="Start">The first millisecond.</param>
/// <param name="End">The first millisecond after it.</param>
[GenerateSerializer, Immutable, Alias("os.TimeWindow")]
public readonly record struct TimeWindow([property: Id(0)] long Start, [property: Id(1)] long End)
{
    /// <summary>The last millisecond of the window: it fires when the watermark reaches it.</summary>
    public long Last => End - 1;

    /// <summary>The start as a time.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The calendar does not go there.</exception>
    public DateTimeOffset StartTime => DateTimeOffset.FromUnixTimeMilliseconds(Start);

    /// <summary>The end as a time.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The calendar does not go there.</exception>
    public DateTimeOffset EndTime => DateTimeOffset.FromUnixTimeMilliseconds(End);

    /// <inheritdoc/>
    public override string ToString() => $"[{EventTime.Show(Start)}, {EventTime.Show(End)})";
}

/// <summary>Windows of one size that follow each other without gap or overlap, aligned to 1970-01-01T00:00:00Z plus an offset.</summary>
public sealed class TumblingWindows
{
    private TumblingWindows(long sizeMilliseconds, long offsetMilliseconds)
    {
        SizeMilliseconds = sizeMilliseconds;
        OffsetMilliseconds = offsetMilliseconds;
    }

    internal long SizeMilliseconds { get; }

    internal long OffsetMilliseconds { get; }

    /// <summary>Windows in event time.</summary>
    /// <param name="size">The size, a whole number of milliseconds, 1 or more. The graph refuses others when it is built.</param>
    /// <param name="offset">Where windows begin relative to 1970; a whole number of milliseconds from 0 up to, and not with, the size.</param>
    public static TumblingWindows Of(TimeSpan size, TimeSpan offset = default) =>
        new(WholeMilliseconds(size) ?? 0, WholeMilliseconds(offset) ?? -1);

    /// <summary>The start of the window that holds a time; floor division, so that it is right before 1970 too.</summary>
    internal long StartOf(long timestamp)
    {
        var remainder = (timestamp % SizeMilliseconds - OffsetMilliseconds) % SizeMilliseconds;
        if (remainder < 0) remainder += SizeMilliseconds;
        return EventTime.Minus(timestamp, remainder);
    }

    internal string? Problem =>
        SizeMilliseconds <= 0 ? "the size must be a whole number of milliseconds, 1 or more"
        : OffsetMilliseconds < 0 || OffsetMilliseconds >= SizeMilliseconds ? "the offset must be a whole number of milliseconds from 0 up to, and not with, the size"
        : null;

    private static long? WholeMilliseconds(TimeSpan time) => time.Ticks % TimeSpan.TicksPerMillisecond == 0 ? time.Ticks / TimeSpan.TicksPerMillisecond : null;
}

/// <summary>The result of one window of one key.</summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TValue">The type of the value.</typeparam>
/// <param name="Key">The key.</param>
/// <param name="Window">The window.</param>
/// <param name="Value">What the aggregate made of its records.</param>
[GenerateSerializer, Immutable, Alias("os.WindowResult`2")]
public readonly record struct WindowResult<TKey, TValue>([property: Id(0)] TKey Key, [property: Id(1)] TimeWindow Window, [property: Id(2)] TValue Value);
