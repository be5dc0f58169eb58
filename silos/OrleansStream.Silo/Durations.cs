using System.Globalization;

namespace OrleansStream.Silo;

/// <summary>Durations as they are written on a command line, one way of writing each, so that <c>60m</c> and <c>1h</c> are one argument.</summary>
internal static class Durations
{
    private static readonly (string Unit, long Ticks)[] Units =
    [
        ("d", TimeSpan.TicksPerDay), ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute), ("s", TimeSpan.TicksPerSecond), ("ms", TimeSpan.TicksPerMillisecond),
    ];

    public static string Show(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero) return "0s";
        foreach (var (unit, ticks) in Units)
        {
            if (duration.Ticks % ticks == 0) return string.Create(CultureInfo.InvariantCulture, $"{duration.Ticks / ticks}{unit}");
        }

        return duration.ToString("c", CultureInfo.InvariantCulture);
    }
}
