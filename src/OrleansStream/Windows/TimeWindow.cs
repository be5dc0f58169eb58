using System.Globalization;
using System.Text;
using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>A span of event time: from <see cref="Start"/> up to, and not with, <see cref="End"/>, in milliseconds since 1970.</summary>
/// <param name="Start">The first millisecond.</param>
/// <param name="End">The first millisecond after it.</param>
[GenerateSerializer, Immutable, Alias("os.TimeWindow")]
public readonly record struct TimeWindow([property: Id(0)] long Start, [property: Id(1)] long End)
{
    /// <summary>The last millisecond of the window: it fires when the watermark reaches it. The end of time for a window that has no end.</summary>
    public long Last => End == EventTime.End ? EventTime.End : End - 1;

    /// <summary>Everything there is: the window of records that are not divided by time.</summary>
    internal static TimeWindow All => new(EventTime.Beginning, EventTime.End);

    /// <summary>Whether some time is in both. Windows that only touch share none.</summary>
    internal bool Overlaps(TimeWindow other) => Start <= other.Last && other.Start <= Last;

    /// <summary>The window from the earlier start to the later end.</summary>
    internal TimeWindow Cover(TimeWindow other) => new(Math.Min(Start, other.Start), Math.Max(End, other.End));

    /// <summary>The start as a time.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The calendar does not go there.</exception>
    public DateTimeOffset StartTime => DateTimeOffset.FromUnixTimeMilliseconds(Start);

    /// <summary>The end as a time.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The calendar does not go there.</exception>
    public DateTimeOffset EndTime => DateTimeOffset.FromUnixTimeMilliseconds(End);

    /// <inheritdoc/>
    public override string ToString() => $"[{EventTime.Show(Start)}, {EventTime.Show(End)})";
}

/// <summary>The result of one window of one key.</summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TValue">The type of the value.</typeparam>
/// <param name="Key">The key.</param>
/// <param name="Window">The window.</param>
/// <param name="Value">What the aggregate made of its records.</param>
[GenerateSerializer, Immutable, Alias("os.WindowResult`2")]
public readonly record struct WindowResult<TKey, TValue>([property: Id(0)] TKey Key, [property: Id(1)] TimeWindow Window, [property: Id(2)] TValue Value)
{
    /// <summary>Whether the window fired before its end, at it, or for a record that came later.</summary>
    [Id(3)]
    public WindowFiring Firing { get; init; }

    /// <summary>What is said of a result; of its firing only where it is not the one on time.</summary>
    private bool PrintMembers(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $"Key = {Key}, Window = {Window}, Value = {Value}");
        if (Firing != WindowFiring.OnTime) text.Append(CultureInfo.InvariantCulture, $", Firing = {Firing}");
        return true;
    }
}

/// <summary>When a window fired. A window may fire early any number of times, then on time, then once for each late record.</summary>
public enum WindowFiring : byte
{
    /// <summary>Time reached the window's end: the watermark for windows in event time, the clock for those in processing time.</summary>
    OnTime,

    /// <summary>Before its end, because a trigger said so. A window without an end fires on time at the end of input only.</summary>
    Early,

    /// <summary>After its end, within the allowed lateness.</summary>
    Late,
}
