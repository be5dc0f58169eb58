using BenchmarkDotNet.Attributes;
using OrleansStream.Benchmarks.Aggregate;
using OrleansStream.Exchange;
using OrleansStream.Functions;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Benchmarks.Parts;

/// <summary>The operator of the aggregate workload over batches that are hashed already, as behind an exchange.</summary>
public class FunctionBenchmarks
{
    private const int Count = 1 << 16;
    private const int BatchLength = BatchSize.Full;

    private readonly long[] _timestamps = new long[Count];
    private Amount[] _amounts = [];
    private ulong[] _hashes = [];
    private KeyedOperator<int, Amount, KeyTotal> _operator = null!;

    /// <summary>Different keys.</summary>
    [Params(1000, 10_000, 1_000_000)]
    public int Keys { get; set; }

    /// <summary>Makes the records and the operator.</summary>
    [GlobalSetup]
    public void Open()
    {
        _amounts = PartSetup.Amounts(Count, Keys);
        _hashes = [.. _amounts.Select(static amount => KeyCodec<int>.Default.Hash(amount.Key))];
        var context = PartSetup.Context();
        var function = new RunningTotal(15);
        var scope = new KeyedScope<int, KeyTotal>("total", context, function.States, new Output<KeyTotal>([]), new Dictionary<string, ISideOutput>(), undo: false);
        var failures = new Failures<Amount>(context, "total", OnError.Fail, new Output<DeadLetter<Amount>>([]));
        _operator = new KeyedOperator<int, Amount, KeyTotal>(context, static amount => amount.Key, function, scope, failures) { Name = "total" };
    }

    /// <summary>A state of a count and a sum read, changed and set for each record.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void ValuePerKey()
    {
        for (var from = 0; from < Count; from += BatchLength)
        {
            var count = Math.Min(BatchLength, Count - from);
            _operator.OnRecords(new Records<Amount>(_amounts.AsSpan(from, count), _timestamps.AsSpan(from, count), _hashes.AsSpan(from, count)));
        }
    }
}
