using System.Globalization;
using System.Runtime.InteropServices;
using OrleansStream.Benchmarks.Input;
using OrleansStream.Windows;

namespace OrleansStream.Benchmarks.Average;

/// <summary>A record of the average workload.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct Reading([property: Id(0)] string Sensor, [property: Id(1)] double Value, [property: Id(2)] long Time) : ITimedRecord<Reading>
{
    public const long WindowMs = 1000;

    /// <summary>Records are earlier than one before them by less than this.</summary>
    public const long MaxOutOfOrdernessMs = 50;

    /// <summary>Times begin a window after zero, so that the disorder of the first records leads to no negative time.</summary>
    private const long FirstTime = WindowMs;

    public uint KeyHash => (uint)Sensor.GetHashCode(StringComparison.Ordinal);

    public Reading Later(long milliseconds) => new(Sensor, Value, Time + milliseconds);

    /// <summary>The names of all sensors.</summary>
    public static string[] Sensors(int keys) => [.. Enumerable.Range(0, keys).Select(static key => string.Create(CultureInfo.InvariantCulture, $"sensor-{key:D8}"))];

    /// <summary>Record n of the input: a pseudo-random sensor, a whole number below 1,000, its time out of order.</summary>
    public static Reading Make(long n, string[] sensors)
    {
        var random = RecordInput<Reading>.Random(n);
        var time = FirstTime + n / RecordInput<Reading>.PerMillisecond - (long)(random / 1000 % MaxOutOfOrdernessMs);
        return new Reading(sensors[(int)((random >> 32) * (ulong)sensors.Length >> 32)], random % 1000, time);
    }

    public static Answer AnswerOf(WindowResult<string, double> result) => AnswerOf(result.Key, result.Window.Start, result.Value);

    /// <summary>The answer of the average of one sensor and window. The last eight characters tell sensors apart.</summary>
    public static Answer AnswerOf(string sensor, long windowStart, double average)
    {
        var digits = MemoryMarshal.AsBytes(sensor.AsSpan(sensor.Length - 8));
        return Answer.Of(MemoryMarshal.Read<ulong>(digits) * 31 + MemoryMarshal.Read<ulong>(digits[8..]), windowStart, average);
    }
}
