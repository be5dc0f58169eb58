using System.Runtime.InteropServices;
using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.Windows;

namespace OrleansStream.Benchmarks;

/// <summary>The records of the window-average workload: record n is a pure function of n.</summary>
internal static class WindowAverage
{
    public const long WindowMs = 1000;

    private static string[] _keys = [];

    /// <summary>Ten records a millisecond.</summary>
    public static long TimestampOf(long n) => n / 10;

    public static void Prepare(RunSettings settings) => _keys = [.. Enumerable.Range(0, settings.Keys).Select(static key => $"sensor-{key:D6}")];

    public static Measured RecordOf(long n) => new(_keys[(int)((uint)((ulong)n * 0x9E3779B97F4A7C15UL >> 32) % (uint)_keys.Length)], n % 1000);

    public static Celsius Convert(Measured measured) => new(measured.Sensor, (measured.Fahrenheit - 32) * 5 / 9);
}

[GenerateSerializer, Immutable]
internal readonly record struct Measured([property: Id(0)] string Sensor, [property: Id(1)] double Fahrenheit);

[GenerateSerializer, Immutable]
internal readonly record struct Celsius([property: Id(0)] string Sensor, [property: Id(1)] double Degrees);

[GenerateSerializer]
internal struct Mean
{
    [Id(0)] public long Count;
    [Id(1)] public double Sum;
}

internal sealed class MeanAggregate : AggregateFunction<Celsius, Mean, double>
{
    public override Mean Create() => default;

    public override void Add(ref Mean accumulator, in Celsius record)
    {
        accumulator.Count++;
        accumulator.Sum += record.Degrees;
    }

    public override double Result(in Mean accumulator) => accumulator.Sum / accumulator.Count;
}

/// <summary>The engine: an embedded silo with checkpoints in a local folder.</summary>
internal sealed class WindowAverageJob : IContender
{
    public string Name => "OrleansStream";

    public async Task<(long Answer, string Remark)> RunAsync(RunSettings settings)
    {
        WindowAverage.Prepare(settings);
        var sink = new CountingSink<WindowResult<string, double>>();
        var status = await EmbeddedSilo.RunAsync(settings, graph => graph
            .From("readings", Generator.Of(WindowAverage.RecordOf, settings.Events, settings.Parallelism, WindowAverage.TimestampOf))
            .WithTimestamps(TimeSpan.FromMilliseconds(50))
            .Select(WindowAverage.Convert)
            .KeyBy(static reading => reading.Sensor)
            .Window(TumblingWindows.Of(TimeSpan.FromMilliseconds(WindowAverage.WindowMs)))
            .Aggregate("average", new MeanAggregate())
            .To("count", sink));
        if (status.Phase != JobPhase.Finished) throw new InvalidOperationException($"The job ended as {status.Phase}: {status.Cause}");
        var checkpoints = status.Checkpoints.Where(static checkpoint => checkpoint.State == "committed").ToList();
        return (sink.Count, checkpoints.Count == 0 ? "" : string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"{status.Checkpoints[0].Id.Split('-')[1]} checkpoints, the longest {checkpoints.Max(static checkpoint => checkpoint.Duration.TotalMilliseconds):0} ms, {checkpoints.Max(static checkpoint => checkpoint.WrittenBytes) / 1024:0} KiB, stall {checkpoints.Max(static checkpoint => checkpoint.LongestStall.TotalMilliseconds):0.0} ms"));
    }
}

/// <summary>The same work as one loop over one dictionary on one thread, without checkpoints.</summary>
internal sealed class WindowAverageLoop : IContender
{
    public string Name => "plain loop, one thread";

    public Task<(long Answer, string Remark)> RunAsync(RunSettings settings)
    {
        WindowAverage.Prepare(settings);
        var windows = new Dictionary<(string, long), Mean>();
        long results = 0;
        var checksum = 0d;
        var watermark = long.MinValue;
        var nextEnd = WindowAverage.WindowMs;
        for (long n = 0; n < settings.Events; n++)
        {
            var record = WindowAverage.Convert(WindowAverage.RecordOf(n));
            var timestamp = WindowAverage.TimestampOf(n);
            ref var mean = ref CollectionsMarshal.GetValueRefOrAddDefault(windows, (record.Sensor, timestamp / WindowAverage.WindowMs), out _);
            mean.Count++;
            mean.Sum += record.Degrees;
            watermark = timestamp - 51;
            if (watermark >= nextEnd - 1)
            {
                Fire(windows, nextEnd / WindowAverage.WindowMs - 1, ref results, ref checksum);
                nextEnd += WindowAverage.WindowMs;
            }
        }

        foreach (var mean in windows.Values)
        {
            results++;
            checksum += mean.Sum / mean.Count;
        }

        return Task.FromResult((results, ""));
    }

    private static void Fire(Dictionary<(string Sensor, long Window), Mean> windows, long window, ref long results, ref double checksum)
    {
        foreach (var (key, mean) in windows)
        {
            if (key.Window != window) continue;
            results++;
            checksum += mean.Sum / mean.Count;
            windows.Remove(key);
        }
    }
}
