using System.Buffers;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using OrleansStream.Benchmarks.Aggregate;
using OrleansStream.Benchmarks.Average;
using OrleansStream.Exchange;

namespace OrleansStream.Benchmarks.Parts;

/// <summary>A full batch into bytes and back, as between two silos.</summary>
public class CodecBenchmarks
{
    private const int Count = BatchSize.Full;

    private readonly Serializer<Batch<Amount>> _amounts = PartSetup.Services.GetRequiredService<Serializer<Batch<Amount>>>();
    private readonly Serializer<Batch<Reading>> _readings = PartSetup.Services.GetRequiredService<Serializer<Batch<Reading>>>();
    private readonly ArrayBufferWriter<byte> _written = new(1 << 20);
    private Batch<Amount> _amountBatch = null!;
    private Batch<Reading> _readingBatch = null!;

    /// <summary>Makes the batches.</summary>
    [GlobalSetup]
    public void Make()
    {
        var sensors = Reading.Sensors(10_000);
        _amountBatch = new Batch<Amount>(PartSetup.Amounts(Count, 10_000), new long[Count], new ulong[Count]);
        _readingBatch = new Batch<Reading>([.. Enumerable.Range(0, Count).Select(n => Reading.Make(n, sensors))], new long[Count], new ulong[Count]);
    }

    /// <summary>Records of numbers only.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public int Numbers() => ThereAndBack(_amounts, _amountBatch);

    /// <summary>Records with a string.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public int Strings() => ThereAndBack(_readings, _readingBatch);

    private int ThereAndBack<T>(Serializer<Batch<T>> serializer, Batch<T> batch)
    {
        _written.ResetWrittenCount();
        serializer.Serialize(batch, _written);
        return serializer.Deserialize(_written.WrittenMemory)!.Count;
    }
}
