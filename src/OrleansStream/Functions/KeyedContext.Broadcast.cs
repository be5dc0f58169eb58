using OrleansStream.State;

namespace OrleansStream.Functions;

public readonly partial struct KeyedContext<TKey, TOut>
{
    /// <summary>Looks up an entry of broadcast state; for functions that read it.</summary>
    /// <exception cref="InvalidOperationException">The operator has no such state.</exception>
    public bool TryGet<TMapKey, TValue>(BroadcastState<TMapKey, TValue> state, TMapKey mapKey, out TValue value)
        where TMapKey : notnull => _scope.Broadcast(state).TryGet(mapKey, out value);

    /// <summary>The entries of broadcast state, in the order in which their keys came; as they are now, until the next broadcast record.</summary>
    /// <exception cref="InvalidOperationException">The operator has no such state.</exception>
    public IReadOnlyDictionary<TMapKey, TValue> Entries<TMapKey, TValue>(BroadcastState<TMapKey, TValue> state)
        where TMapKey : notnull => _scope.Broadcast(state).Entries;

    /// <summary>The entries of the key's map, in the order in which their keys came, without an allocation.</summary>
    internal MapEntries<TMapKey, TValue> EntriesOf<TMapKey, TValue>(MapState<TMapKey, TValue> state)
        where TMapKey : notnull => _scope.Column<MapColumn<TMapKey, TValue>>(state).Entries(_slot);

    /// <summary>Counts a late record, and emits it where late records are read.</summary>
    internal void Late<TSide>(SideOutput<TSide>? output, TSide record)
    {
        _scope.CountLate();
        if (output is not null) Emit(output, record);
    }
}
