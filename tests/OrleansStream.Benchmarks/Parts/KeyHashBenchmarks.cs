using BenchmarkDotNet.Attributes;
using OrleansStream.Benchmarks.Average;
using OrleansStream.State;

namespace OrleansStream.Benchmarks.Parts;

/// <summary>The hash of a column of keys.</summary>
public class KeyHashBenchmarks
{
    private const int Count = 1024;

    private readonly int[] _numbers = [.. Enumerable.Range(0, Count)];
    private readonly string[] _strings = Reading.Sensors(Count);
    private readonly (string, int)[] _tuples = [.. Reading.Sensors(Count).Select(static (sensor, index) => (sensor, index))];
    private readonly ulong[] _hashes = new ulong[Count];

    /// <summary>Integers.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void Integers() => KeyCodec<int>.Default.Hash(_numbers, _hashes);

    /// <summary>Strings of 15 characters.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void Strings() => KeyCodec<string>.Default.Hash(_strings, _hashes);

    /// <summary>Such a string with an integer.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void Tuples() => KeyCodec<(string, int)>.Default.Hash(_tuples, _hashes);
}
