namespace OrleansStream.Benchmarks.Memory;

/// <summary>A record of the memory figures: its key and a number.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct Entry<TKey>([property: Id(0)] TKey Key, [property: Id(1)] long Value)
    where TKey : notnull;

/// <summary>The accumulator of a mean.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct SumAndCount([property: Id(0)] double Sum, [property: Id(1)] long Count);
