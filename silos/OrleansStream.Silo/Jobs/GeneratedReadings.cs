using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream.Silo.Jobs;

/// <summary>Readings of sensors that do not exist, whose times follow the wall clock as long as they are made at <see cref="PerSecond"/>.</summary>
internal static class GeneratedReadings
{
    /// <summary>How many readings are made a second, of all sensors together.</summary>
    public const int PerSecond = 1_000;

    /// <summary>How far a reading may be behind the one before it.</summary>
    public static readonly TimeSpan Disorder = TimeSpan.FromMilliseconds(500);

    /// <summary>How many subtasks can share the work.</summary>
    public const int Splits = 2;

    private static readonly (string Name, double Fahrenheit)[] Sensors = [("boiler", 176), ("condenser", 95), ("pump", 122), ("turbine", 149)];

    /// <summary>The argument that says from when on, in milliseconds since 1970; from then on unless given.</summary>
    public const string Started = "started";

    public static Source<Reading> Of(JobArguments args)
    {
        var startMs = args.GetInteger(Started) ?? 0;
        return Generator.Of(n => Of(n, startMs), splits: Splits);
    }

    private static Reading Of(long n, long startMs)
    {
        var (name, middle) = Sensors[n % Sensors.Length];
        var seconds = n / (double)PerSecond;
        var noise = Noise(n);
        var late = (long)(Noise(~n) * Disorder.TotalMilliseconds);
        return new Reading(name, startMs + n * 1000 / PerSecond - late, middle + 9 * Math.Sin(seconds / 20 + n % Sensors.Length) + 4 * (noise - 0.5));
    }

    /// <summary>A number from 0 to 1 that depends on n alone (the finalizer of SplitMix64).</summary>
    private static double Noise(long n)
    {
        var x = (ulong)n * 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return ((x ^ (x >> 31)) >> 11) / (double)(1L << 53);
    }
}
