using BenchmarkDotNet.Attributes;
using OrleansStream.Benchmarks.Input;
using OrleansStream.State;

namespace OrleansStream.Benchmarks.Parts;

/// <summary>Snapshots of a subtask with one total per key: the freeze, which stops processing, and with the encoding, which does not.</summary>
public class SnapshotBenchmarks
{
    private const int ChangedOneIn = 100;

    private readonly ValueState<Total> _total = new("total");
    private SubtaskState _state = null!;
    private KeyedStateTable<int> _table = null!;
    private int[] _changed = [];
    private long _checkpoint;

    /// <summary>Keys with state.</summary>
    [Params(10_000, 1_000_000)]
    public int Keys { get; set; }

    /// <summary>Fills the state and publishes a first checkpoint of it.</summary>
    [GlobalSetup]
    public void Fill()
    {
        var context = PartSetup.Context();
        _state = context.State;
        _table = new KeyedStateTable<int>("benchmark", context.Groups, PartSetup.MaxParallelism, [_total], PartSetup.Serializers);
        _state.Register(_table);
        var slots = Enumerable.Range(0, Keys).Select(key => _table.GetOrAddSlot(key, KeyCodec<int>.Default.Hash(key))).ToList();
        foreach (var slot in slots) _table.Values(_total).Set(slot, new Total { Count = 1, Sum = slot });
        _changed = [.. slots.Where(static slot => slot % ChangedOneIn == 0)];
        _checkpoint = 0;
        Encode(full: true);
    }

    /// <summary>The freeze alone, given up at once.</summary>
    [Benchmark]
    public void FreezeFull()
    {
        var id = PartSetup.Checkpoint(++_checkpoint);
        _state.Freeze(id, full: true, []).Release();
        _state.Abandoned(id);
    }

    /// <summary>All keys into a segment.</summary>
    [Benchmark]
    public long EncodeFull() => Encode(full: true);

    /// <summary>One key in a hundred changed, and those into a segment.</summary>
    [Benchmark]
    public long EncodeChanges()
    {
        var column = _table.Values(_total);
        foreach (var slot in _changed) column.GetRefForWrite(slot).Add(1);
        return Encode(full: false);
    }

    private long Encode(bool full)
    {
        var id = PartSetup.Checkpoint(++_checkpoint);
        using var frozen = _state.Freeze(id, full, []);
        while (true)
        {
            if (frozen.EncodeNext().Whole is not { } whole) continue;
            _state.Published(id);
            return whole.LengthBytes;
        }
    }
}
