namespace OrleansStream.State;

/// <summary>What time it is for the state of one operator that expires. Neither of its times goes back.</summary>
internal sealed class ExpiryTime
{
    /// <summary>No time is known yet.</summary>
    public const long None = long.MinValue;

    /// <summary>The highest watermark all of whose timers have fired. What has expired by it is gone for every record and timer to come.</summary>
    public long Watermark { get; set; } = None;

    /// <summary>The highest clock seen.</summary>
    public long Clock { get; private set; } = None;

    /// <summary>Whether a timer of the clock is firing: then the time of the timer is no event time.</summary>
    public bool IsInClockTimer { get; set; }

    public void SeeClock(long now) => Clock = Math.Max(Clock, now);

    /// <summary>The event time at a record or timer.</summary>
    public long EventTimeAt(long timestamp) => IsInClockTimer || timestamp == long.MaxValue ? Watermark : Math.Max(timestamp, Watermark);

    /// <summary>Adds without wrapping.</summary>
    public static long Plus(long time, long milliseconds) => time > long.MaxValue - milliseconds ? long.MaxValue : time + milliseconds;
}
