namespace OrleansStream.Exchange;

/// <summary>A batch between two silos: only what it holds, not the room in its columns.</summary>
[GenerateSerializer, Immutable]
internal struct BatchContent<T>
{
    [Id(0)] public T[] Values;

    [Id(1)] public long[] Timestamps;

    [Id(2)] public ulong[]? KeyHashes;
}

/// <summary>Takes a batch apart for the wire and puts it together behind it.</summary>
[RegisterConverter]
internal sealed class BatchConverter<T> : IConverter<Batch<T>, BatchContent<T>>
{
    public Batch<T> ConvertFromSurrogate(in BatchContent<T> surrogate) => new(surrogate.Values, surrogate.Timestamps, surrogate.KeyHashes);

    public BatchContent<T> ConvertToSurrogate(in Batch<T> value) => new()
    {
        Values = value.Values.AsSpan(0, value.Count).ToArray(),
        Timestamps = value.Timestamps.AsSpan(0, value.Count).ToArray(),
        KeyHashes = value.KeyHashes?.AsSpan(0, value.Count).ToArray(),
    };
}
