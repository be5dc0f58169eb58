using BenchmarkDotNet.Attributes;
using OrleansStream.Benchmarks.Average;
using OrleansStream.Benchmarks.Input;
using OrleansStream.Functions;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Windows;

namespace OrleansStream.Benchmarks.Parts;

/// <summary>Ten 1 s windows of the average workload through the window operator, with a watermark behind every 1,024 records.</summary>
public class WindowBenchmarks
{
    private const int Count = 100 * 1024;
    private const int ReadLength = 1024;

    private readonly long[] _timestamps = new long[Count];
    private Reading[] _readings = [];
    private ulong[] _hashes = [];
    private WindowOperator<string, Reading, Total, double> _windows = null!;
    private long _shift;

    /// <summary>Different keys: the fewer, the more records of a window come to one result.</summary>
    [Params(100, 10_000)]
    public int Keys { get; set; }

    /// <summary>Makes the operator, with nobody behind it.</summary>
    [GlobalSetup]
    public void Make()
    {
        var sensors = Reading.Sensors(Keys);
        _readings = [.. Enumerable.Range(0, Count).Select(n => Reading.Make(n, sensors))];
        _hashes = [.. _readings.Select(static reading => KeyCodec<string>.Default.Hash(reading.Sensor))];
        var context = PartSetup.Context();
        _windows = new WindowOperator<string, Reading, Total, double>(
            "average", context, static reading => reading.Sensor, TumblingWindows.Of(TimeSpan.FromMilliseconds(Reading.WindowMs)), TimeSpan.Zero, new MeanAggregate(),
            new Output<WindowResult<string, double>>([]), new Output<Reading>([]), new Failures<Reading>(context, "average", OnError.Fail, new Output<DeadLetter<Reading>>([])))
        { Name = "average" };
        _shift = 0;
    }

    /// <summary>Adds and fires. Event time goes on from one invocation to the next.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void AddAndFire()
    {
        for (var i = 0; i < Count; i++) _timestamps[i] = _readings[i].Time + _shift;
        for (var from = 0; from < Count; from += ReadLength)
        {
            _windows.OnRecords(new Records<Reading>(_readings.AsSpan(from, ReadLength), _timestamps.AsSpan(from, ReadLength), _hashes.AsSpan(from, ReadLength)));
            _windows.OnWatermark(_timestamps[from + ReadLength - 1] - 2 * Reading.MaxOutOfOrdernessMs);
        }

        _shift += Count / RecordInput<Reading>.PerMillisecond;
    }
}
