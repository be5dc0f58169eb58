using BenchmarkDotNet.Attributes;
using OrleansStream.State;

namespace OrleansStream.Benchmarks.Parts;

/// <summary>Event-time timers, one for each key.</summary>
public class TimerBenchmarks
{
    private const int Count = 10_000;

    private readonly int[] _slots = new int[Count];
    private KeyedStateTable<int> _table = null!;
    private long _now;

    /// <summary>Brings all keys in, each with a timer that never comes due and keeps it there.</summary>
    [GlobalSetup]
    public void Fill()
    {
        _table = new KeyedStateTable<int>("benchmark", new KeyGroupRange(0, PartSetup.MaxParallelism), PartSetup.MaxParallelism, [], PartSetup.Serializers);
        for (var key = 0; key < Count; key++)
        {
            _slots[key] = _table.GetOrAddSlot(key, KeyCodec<int>.Default.Hash(key));
            _table.EventTimers.Register(_slots[key], long.MaxValue);
        }
    }

    /// <summary>Registered at times out of order, then taken as they come due.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public long RegisterAndFire()
    {
        for (var i = 0; i < Count; i++) _table.EventTimers.Register(_slots[i], _now + i * 7919L % 1000);
        _now += 1000;
        var fired = 0L;
        while (_table.EventTimers.TryPopDue(_now, out _, out _)) fired++;
        return fired;
    }

    /// <summary>Registered and taken back.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void RegisterAndDelete()
    {
        for (var i = 0; i < Count; i++) _table.EventTimers.Register(_slots[i], _now + i);
        for (var i = 0; i < Count; i++) _table.EventTimers.Delete(_slots[i], _now + i);
    }
}
