using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>A record of a window with its event time.</summary>
/// <typeparam name="T">The type of the record.</typeparam>
/// <param name="Value">The record.</param>
/// <param name="Timestamp">Its event time in milliseconds since 1970.</param>
[GenerateSerializer, Immutable, Alias("os.WindowRecord`1")]
public readonly record struct WindowRecord<T>([property: Id(0)] T Value, [property: Id(1)] long Timestamp);

/// <summary>
/// Removes records from a window when it fires, before its function sees them or afterwards; they are gone for later firings too. A window with an evictor keeps all its records, also for functions that
/// would need only an accumulator. One serves all windows, subtasks and threads: it must not keep anything. Source: Flink's Evictor.
/// </summary>
/// <typeparam name="T">The type of a record.</typeparam>
public abstract class Evictor<T>
{
    /// <summary>Called when a window fires, before its function. If nothing is left the window does not fire.</summary>
    /// <param name="records">The records in the order in which they came, of sessions that became one those of the earlier session first; to be removed from.</param>
    /// <param name="context">The window that fires.</param>
    public virtual void EvictBefore(List<WindowRecord<T>> records, in EvictorContext context)
    {
    }

    /// <summary>Called when a window has fired, after its function.</summary>
    /// <param name="records">The records in the order in which they came, of sessions that became one those of the earlier session first; to be removed from.</param>
    /// <param name="context">The window that fires.</param>
    public virtual void EvictAfter(List<WindowRecord<T>> records, in EvictorContext context)
    {
    }
}

/// <summary>The window that an evictor is asked about.</summary>
/// <param name="Window">The window.</param>
/// <param name="Watermark">The watermark, in milliseconds since 1970.</param>
/// <param name="ProcessingTime">The clock, in milliseconds since 1970.</param>
public readonly record struct EvictorContext(TimeWindow Window, long Watermark, long ProcessingTime);

/// <summary>Evictors that are there already.</summary>
public static class Evictors
{
    /// <summary>Keeps the records that came last.</summary>
    /// <param name="records">How many, 0 or more.</param>
    /// <param name="after">Whether the others go after the window function, not before.</param>
    public static Evictor<T> Count<T>(int records, bool after = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(records);
        return new CountEvictor<T>(records, after);
    }

    /// <summary>Keeps the records whose time is less than a span before the latest of them.</summary>
    /// <param name="span">The span, whole milliseconds, 0 or more.</param>
    /// <param name="after">Whether the others go after the window function, not before.</param>
    public static Evictor<T> Time<T>(TimeSpan span, bool after = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(span, TimeSpan.Zero);
        return new TimeEvictor<T>((long)span.TotalMilliseconds, after);
    }

    /// <summary>Keeps the records that are closer than a threshold to the one that came last.</summary>
    /// <param name="threshold">Records at this distance and further go.</param>
    /// <param name="distance">The distance of a record, the first argument, from the last one.</param>
    /// <param name="after">Whether the others go after the window function, not before.</param>
    public static Evictor<T> Delta<T>(double threshold, Func<T, T, double> distance, bool after = false)
    {
        ArgumentNullException.ThrowIfNull(distance);
        return new DeltaEvictor<T>(threshold, distance, after);
    }
}

/// <summary>An evictor that does the same before or after. Source: Flink's evictors of the same names.</summary>
internal abstract class OneSidedEvictor<T>(bool after) : Evictor<T>
{
    public sealed override void EvictBefore(List<WindowRecord<T>> records, in EvictorContext context)
    {
        if (!after && records.Count > 0) Evict(records);
    }

    public sealed override void EvictAfter(List<WindowRecord<T>> records, in EvictorContext context)
    {
        if (after && records.Count > 0) Evict(records);
    }

    protected abstract void Evict(List<WindowRecord<T>> records);
}

/// <inheritdoc cref="Evictors.Count{T}"/>
internal sealed class CountEvictor<T>(int kept, bool after) : OneSidedEvictor<T>(after)
{
    protected override void Evict(List<WindowRecord<T>> records) => records.RemoveRange(0, Math.Max(0, records.Count - kept));
}

/// <inheritdoc cref="Evictors.Time{T}"/>
internal sealed class TimeEvictor<T>(long span, bool after) : OneSidedEvictor<T>(after)
{
    protected override void Evict(List<WindowRecord<T>> records)
    {
        var line = EventTime.Minus(records.Max(static record => record.Timestamp), span);
        records.RemoveAll(record => record.Timestamp <= line);
    }
}

/// <inheritdoc cref="Evictors.Delta{T}"/>
internal sealed class DeltaEvictor<T>(double threshold, Func<T, T, double> distance, bool after) : OneSidedEvictor<T>(after)
{
    protected override void Evict(List<WindowRecord<T>> records)
    {
        var last = records[^1].Value;
        records.RemoveAll(record => distance(record.Value, last) >= threshold);
    }
}
