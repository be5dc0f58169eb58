using Orleans.Serialization.Session;

namespace OrleansStream.State;

/// <summary>One broadcast state in one subtask, its types aside.</summary>
internal abstract class BroadcastMap
{
    /// <summary>The encodings of its keys and values: restored only by a state of the same form.</summary>
    public abstract string Form { get; }

    public abstract int Count { get; }

    /// <summary>Whether it was changed since it was last written.</summary>
    public bool IsChanged { get; protected set; } = true;

    /// <summary>Writes all entries, in their order.</summary>
    public abstract void Write(SegmentBuffer target, SerializerSession session);

    /// <summary>Reads so many entries into an empty map.</summary>
    public abstract void Read(ReadOnlySpan<byte> source, int count, SerializerSession session);
}

/// <inheritdoc/>
internal sealed class BroadcastMap<TMapKey, TValue>(StateSerializers serializers) : BroadcastMap
    where TMapKey : notnull
{
    private readonly KeyCodec<TMapKey> _keys = KeyCodec<TMapKey>.Default;
    private readonly StateCodec<TValue> _values = serializers.For<TValue>();

    // In the order in which keys came, over restores too: what a function finds first does not depend on when the job was restarted.
    private readonly OrderedDictionary<TMapKey, TValue> _entries = [];

    public override string Form => $"key{KeyCodec.Version}:{_keys.Signature}->{_values.Signature}";

    public override int Count => _entries.Count;

    public IReadOnlyDictionary<TMapKey, TValue> Entries => _entries;

    public bool TryGet(TMapKey key, out TValue value) => _entries.TryGetValue(key, out value!);

    /// <summary>Sets an entry; returns how to take it back.</summary>
    public Action Set(TMapKey key, TValue value)
    {
        IsChanged = true;
        Action back = _entries.TryGetValue(key, out var before) ? () => _entries[key] = before : () => _entries.Remove(key);
        _entries[key] = value;
        return back;
    }

    /// <summary>Removes an entry; returns how to take it back, null when there was none.</summary>
    public Action? Remove(TMapKey key)
    {
        var index = _entries.IndexOf(key);
        if (index < 0) return null;
        IsChanged = true;
        var before = _entries.GetAt(index).Value;
        _entries.RemoveAt(index);
        return () => _entries.Insert(index, key, before);
    }

    /// <summary>Removes all entries; returns how to take it back.</summary>
    public Action Clear()
    {
        IsChanged = true;
        var before = _entries.ToArray();
        _entries.Clear();
        return () =>
        {
            foreach (var (key, value) in before) _entries.Add(key, value);
        };
    }

    public override void Write(SegmentBuffer target, SerializerSession session)
    {
        foreach (var (key, value) in _entries)
        {
            _keys.Write(target, key);
            _values.Write(target, in value, session);
        }

        IsChanged = false;
    }

    public override void Read(ReadOnlySpan<byte> source, int count, SerializerSession session)
    {
        for (var i = 0; i < count; i++)
        {
            var key = _keys.Read(ref source);
            _entries[key] = _values.Read(ref source, session);
        }

        if (source.Length > 0) throw new InvalidOperationException($"{source.Length} bytes are left over behind {count} entries");
    }
}
