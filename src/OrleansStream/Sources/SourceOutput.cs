using System.Runtime.CompilerServices;
using OrleansStream.Functions;

namespace OrleansStream.Sources;

/// <summary>Takes the records of one read: a bounded column of values and one of timestamps, filled anew for each read.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed class SourceOutput<T>
{
    /// <summary>The timestamp of a record that has none yet; an operator assigns it.</summary>
    public const long NoTimestamp = long.MinValue;

    private readonly T[] _values;
    private readonly long[] _timestamps;
    private readonly List<ISideRecord> _side = [];
    private int _limit;

    /// <summary>Makes an output of the given capacity.</summary>
    /// <param name="capacity">The most records of one read.</param>
    public SourceOutput(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _values = new T[capacity];
        _timestamps = new long[capacity];
        _limit = capacity;
    }

    /// <summary>How many records were added since the read began.</summary>
    public int Count { get; private set; }

    /// <summary>How many more may be added.</summary>
    public int Room => _limit - Count;

    /// <summary>Whether no more may be added: end the read.</summary>
    public bool IsFull => Count + _side.Count >= _limit;

    /// <summary>Adds a record without a timestamp of its own.</summary>
    public void Add(T value) => Add(value, NoTimestamp);

    /// <summary>Adds a record with its event time.</summary>
    /// <param name="value">The record.</param>
    /// <param name="timestamp">Event time in milliseconds since 1970-01-01T00:00:00Z.</param>
    public void Add(T value, long timestamp)
    {
        if (Count >= _limit) throw new InvalidOperationException($"A read may add at most {_limit} records; check {nameof(IsFull)}.");
        _values[Count] = value;
        _timestamps[Count] = timestamp;
        Count++;
    }

    /// <summary>Adds a record to a side output of the source, for example a row that could not be read.</summary>
    public void AddSide<TSide>(SideOutput<TSide> output, TSide value, long timestamp = NoTimestamp) =>
        _side.Add(new SideRecord<TSide>(output, value, timestamp));

    internal ReadOnlySpan<T> Values => _values.AsSpan(0, Count);

    internal ReadOnlySpan<long> Timestamps => _timestamps.AsSpan(0, Count);

    internal List<ISideRecord> Side => _side;

    /// <summary>Empties the output for a read of at most <paramref name="limit"/> records.</summary>
    internal void Begin(int limit)
    {
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>()) _values.AsSpan(0, Count).Clear();
        _side.Clear();
        Count = 0;
        _limit = Math.Clamp(limit, 1, _values.Length);
    }
}

/// <summary>A record for a side output, its type forgotten until the operator that knows it comes by.</summary>
internal interface ISideRecord
{
    string Output { get; }
}

/// <summary>A record for a side output.</summary>
internal sealed record SideRecord<T>(SideOutput<T> To, T Value, long Timestamp) : ISideRecord
{
    public string Output => To.Name;
}
