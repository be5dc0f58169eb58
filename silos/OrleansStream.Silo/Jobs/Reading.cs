using System.Collections.Immutable;

namespace OrleansStream.Silo.Jobs;

/// <summary>One reading of a temperature sensor.</summary>
/// <param name="Sensor">The sensor's name.</param>
/// <param name="TimeMs">When it was read, in milliseconds since 1970-01-01T00:00:00Z.</param>
/// <param name="Fahrenheit">What it read.</param>
[GenerateSerializer, Immutable, Alias("sensors.Reading")]
public readonly record struct Reading([property: Id(0)] string Sensor, [property: Id(1)] long TimeMs, [property: Id(2)] double Fahrenheit)
{
    /// <summary>When it was read, UTC.</summary>
    public DateTime Time => DateTimeOffset.FromUnixTimeMilliseconds(TimeMs).UtcDateTime;

    /// <summary>What it read in degrees Celsius.</summary>
    public double Celsius => ToCelsius(Fahrenheit);

    /// <summary>Converts; the order of operations is part of the result's last digit.</summary>
    public static double ToCelsius(double fahrenheit) => (fahrenheit - 32) * 5 / 9;
}

/// <summary>Readings being averaged. The sum is kept as it stands, so that a run that was broken adds the same numbers in the same order as one that was not.</summary>
/// <param name="Sum">The sum in degrees Celsius, in the order of arrival.</param>
/// <param name="Count">How many readings.</param>
[GenerateSerializer, Immutable, Alias("sensors.Mean")]
public readonly record struct Mean([property: Id(0)] double Sum, [property: Id(1)] long Count)
{
    /// <summary>With one more.</summary>
    public Mean Add(double celsius) => new(Sum + celsius, Count + 1);

    /// <summary>The mean; there is at least one reading in every window.</summary>
    public double Value => Sum / Count;
}

/// <summary>The average of one sensor and window: a line of output. The members' order is the line's.</summary>
/// <param name="Sensor">The sensor's name.</param>
/// <param name="WindowStart">The first moment of the window, UTC.</param>
/// <param name="WindowEnd">The first moment after it, UTC.</param>
/// <param name="Count">How many readings.</param>
/// <param name="AverageCelsius">Their mean.</param>
[GenerateSerializer, Immutable, Alias("sensors.SensorAverage")]
public sealed record SensorAverage(
    [property: Id(0)] string Sensor,
    [property: Id(1)] DateTime WindowStart,
    [property: Id(2)] DateTime WindowEnd,
    [property: Id(3)] long Count,
    [property: Id(4)] double AverageCelsius);

/// <summary>A sudden rise of one sensor and the readings that stayed high after it: a line of output. The members' order is the line's.</summary>
/// <param name="Sensor">The sensor's name.</param>
/// <param name="RiseStart">When the reading before the rise was read, UTC.</param>
/// <param name="RiseEnd">When the reading was read that had risen, UTC.</param>
/// <param name="RiseCelsius">By how much.</param>
/// <param name="High">The three readings above the bound, in the order of time.</param>
[GenerateSerializer, Immutable, Alias("sensors.SensorAnomaly")]
public sealed record SensorAnomaly(
    [property: Id(0)] string Sensor,
    [property: Id(1)] DateTime RiseStart,
    [property: Id(2)] DateTime RiseEnd,
    [property: Id(3)] double RiseCelsius,
    [property: Id(4)] ImmutableArray<HighReading> High);

/// <summary>A reading above the bound.</summary>
/// <param name="Time">When it was read, UTC.</param>
/// <param name="Celsius">What it read.</param>
[GenerateSerializer, Immutable, Alias("sensors.HighReading")]
public readonly record struct HighReading([property: Id(0)] DateTime Time, [property: Id(1)] double Celsius);
