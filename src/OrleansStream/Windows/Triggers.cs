namespace OrleansStream.Windows;

/// <summary>Triggers that are there already. Without one, windows fire when their end comes, and again for each record within the allowed lateness.</summary>
public static class Triggers
{
    /// <summary>When the watermark reaches the window's end, then for each late record: what windows in event time do anyway.</summary>
    public static Trigger<T> EventTime<T>() => new EventTimeTrigger<T>();

    /// <summary>When the clock reaches the window's end: what windows in processing time do anyway.</summary>
    public static Trigger<T> ProcessingTime<T>() => new ProcessingTimeTrigger<T>();

    /// <summary>Whenever so many records have come since it last fired. For windows without an end also at the end of input, for those that are left.</summary>
    /// <param name="records">The number of records, 1 or more.</param>
    public static Trigger<T> Count<T>(long records)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(records, 1);
        return new CountTrigger<T>(records);
    }

    /// <summary>Whenever a record is further than a threshold from the one for which it last fired, or from the window's first.</summary>
    /// <param name="threshold">The largest distance for which it does not fire.</param>
    /// <param name="distance">The distance of two records, the earlier one first.</param>
    public static Trigger<T> Delta<T>(double threshold, Func<T, T, double> distance)
    {
        ArgumentNullException.ThrowIfNull(distance);
        return new DeltaTrigger<T>(threshold, distance);
    }

    /// <summary>At each multiple of an interval that the watermark reaches while the window has records, and at the window's end.</summary>
    /// <param name="interval">The interval, whole milliseconds, 1 or more.</param>
    public static Trigger<T> ContinuousEventTime<T>(TimeSpan interval) => new ContinuousEventTimeTrigger<T>(Milliseconds(interval));

    /// <summary>At each multiple of an interval that the clock reaches while the window has records; of windows in event time not at their end: for that see <see cref="Early{T}"/>.</summary>
    /// <param name="interval">The interval, whole milliseconds, 1 or more.</param>
    public static Trigger<T> ContinuousProcessingTime<T>(TimeSpan interval) => new ContinuousProcessingTimeTrigger<T>(Milliseconds(interval));

    /// <summary>As another trigger, and the records of a window go whenever it fires.</summary>
    public static Trigger<T> Purging<T>(Trigger<T> trigger)
    {
        ArgumentNullException.ThrowIfNull(trigger);
        return new PurgingTrigger<T>(trigger);
    }

    /// <summary>At the window's end and for each late record, as without a trigger; before the end also whenever another trigger fires.</summary>
    /// <param name="trigger">Says when it fires early.</param>
    public static Trigger<T> Early<T>(Trigger<T> trigger)
    {
        ArgumentNullException.ThrowIfNull(trigger);
        return new EarlyTrigger<T>(trigger);
    }

    private static long Milliseconds(TimeSpan interval)
    {
        if (interval.Ticks < TimeSpan.TicksPerMillisecond || interval.Ticks % TimeSpan.TicksPerMillisecond != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(interval), interval, "The interval must be a whole number of milliseconds, 1 or more.");
        }

        return interval.Ticks / TimeSpan.TicksPerMillisecond;
    }
}
