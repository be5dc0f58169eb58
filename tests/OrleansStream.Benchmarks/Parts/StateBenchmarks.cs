using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using OrleansStream.Benchmarks.Aggregate;
using OrleansStream.Benchmarks.Input;
using OrleansStream.State;

namespace OrleansStream.Benchmarks.Parts;

/// <summary>One total read, changed and written per record, in keyed state and in a dictionary. Keys come hashed, as behind an exchange.</summary>
public class StateBenchmarks
{
    private const int Count = 1 << 20;

    private readonly ValueState<Total> _state = new("total");
    private Amount[] _amounts = [];
    private ulong[] _hashes = [];
    private KeyedStateTable<int> _table = null!;
    private ValueColumn<Total> _column = null!;
    private Dictionary<int, Total> _dictionary = [];

    /// <summary>Different keys.</summary>
    [Params(10_000, 1_000_000)]
    public int Keys { get; set; }

    /// <summary>Fills both with all keys.</summary>
    [GlobalSetup]
    public void Fill()
    {
        _amounts = PartSetup.Amounts(Count, Keys);
        _hashes = [.. _amounts.Select(static amount => KeyCodec<int>.Default.Hash(amount.Key))];
        _table = new KeyedStateTable<int>("benchmark", new KeyGroupRange(0, PartSetup.MaxParallelism), PartSetup.MaxParallelism, [_state], PartSetup.Serializers);
        _column = _table.Values(_state);
        _dictionary = [];
        for (var key = 0; key < Keys; key++)
        {
            _column.Set(_table.GetOrAddSlot(key, KeyCodec<int>.Default.Hash(key)), default);
            _dictionary[key] = default;
        }
    }

    /// <summary>The engine's table.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void KeyedState()
    {
        for (var i = 0; i < _amounts.Length; i++)
        {
            var slot = _table.GetOrAddSlot(_amounts[i].Key, _hashes[i]);
            var total = _column.Get(slot);
            total.Add(_amounts[i].Value);
            _column.Set(slot, total);
        }
    }

    /// <summary>The same by hand.</summary>
    [Benchmark(OperationsPerInvoke = Count, Baseline = true)]
    public void Dictionary()
    {
        foreach (ref readonly var amount in _amounts.AsSpan()) CollectionsMarshal.GetValueRefOrAddDefault(_dictionary, amount.Key, out _).Add(amount.Value);
    }
}
