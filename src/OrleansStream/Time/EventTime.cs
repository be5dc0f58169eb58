namespace OrleansStream.Time;

/// <summary>Event time as the engine carries it: milliseconds since 1970-01-01T00:00:00Z. The two ends of the range are reserved.</summary>
internal static class EventTime
{
    /// <summary>Before all records: a watermark that says nothing.</summary>
    public const long Beginning = long.MinValue;

    /// <summary>After all records: the watermark at the end of input.</summary>
    public const long End = long.MaxValue;

    public static long FromDateTime(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    /// <summary>Subtracts without wrapping: what would be before the beginning is the beginning.</summary>
    public static long Minus(long time, long milliseconds) => time < long.MinValue + milliseconds ? long.MinValue : time - milliseconds;

    /// <summary>Adds without wrapping: what would be after the end is the end.</summary>
    public static long Plus(long time, long milliseconds) => time > long.MaxValue - milliseconds ? long.MaxValue : time + milliseconds;

    /// <summary>Moves a time forward, or back for less than 0 milliseconds, without wrapping.</summary>
    public static long Shift(long time, long milliseconds) => milliseconds >= 0 ? Plus(time, milliseconds) : Minus(time, -milliseconds);

    /// <summary>As a calendar time: null at the beginning, the calendar's last at the end.</summary>
    public static DateTimeOffset? ToDateTime(long time) => time switch
    {
        Beginning => null,
        <= -62_135_596_800_000 => DateTimeOffset.MinValue,
        > 253_402_300_799_999 => DateTimeOffset.MaxValue,
        _ => DateTimeOffset.FromUnixTimeMilliseconds(time),
    };

    /// <summary>For people: the time in UTC, or the bare number where a calendar has no word for it.</summary>
    public static string Show(long time) => time switch
    {
        Beginning => "none",
        End => "end of input",
        < -62_135_596_800_000 or > 253_402_300_799_999 => $"{time} ms",
        _ => DateTimeOffset.FromUnixTimeMilliseconds(time).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture),
    };
}
