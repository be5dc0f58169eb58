using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>
/// The broadcast record at hand: its time, the broadcast state that it may change, and where results go. Every subtask is called with it, so what is emitted here is emitted once by
/// each. Valid during one call only.
/// </summary>
/// <typeparam name="TOut">The type of a result.</typeparam>
public readonly struct BroadcastContext<TOut>
{
    private readonly FunctionScope<TOut> _scope;

    internal BroadcastContext(FunctionScope<TOut> scope, long timestamp)
    {
        _scope = scope;
        Timestamp = timestamp;
    }

    /// <summary>The event time of the record, in milliseconds since 1970.</summary>
    public long Timestamp { get; }

    /// <summary>
    /// The watermark: no record at or before this time is on time any more. In milliseconds since 1970; <see cref="long.MinValue"/> before the first. Subtasks may be at different ones:
    /// broadcast state must not depend on it.
    /// </summary>
    public long Watermark => _scope.Watermark;

    /// <summary>The clock, in milliseconds since 1970. It differs from subtask to subtask: broadcast state must not depend on it.</summary>
    public long ProcessingTime => _scope.ProcessingTime;

    /// <summary>Looks up an entry.</summary>
    /// <exception cref="InvalidOperationException">The operator has no such state.</exception>
    public bool TryGet<TMapKey, TValue>(BroadcastState<TMapKey, TValue> state, TMapKey mapKey, out TValue value)
        where TMapKey : notnull => _scope.Broadcast(state).TryGet(mapKey, out value);

    /// <summary>All entries, in the order in which their keys came. Changing the map ends the enumeration with an exception.</summary>
    /// <exception cref="InvalidOperationException">The operator has no such state.</exception>
    public IReadOnlyDictionary<TMapKey, TValue> Entries<TMapKey, TValue>(BroadcastState<TMapKey, TValue> state)
        where TMapKey : notnull => _scope.Broadcast(state).Entries;

    /// <summary>Sets an entry.</summary>
    /// <exception cref="InvalidOperationException">The operator has no such state.</exception>
    public void Set<TMapKey, TValue>(BroadcastState<TMapKey, TValue> state, TMapKey mapKey, TValue value)
        where TMapKey : notnull
    {
        var back = _scope.Broadcast(state).Set(mapKey, value);
        _scope.Undo?.Remember(back);
    }

    /// <summary>Removes an entry; false when there was none.</summary>
    /// <exception cref="InvalidOperationException">The operator has no such state.</exception>
    public bool Remove<TMapKey, TValue>(BroadcastState<TMapKey, TValue> state, TMapKey mapKey)
        where TMapKey : notnull
    {
        if (_scope.Broadcast(state).Remove(mapKey) is not { } back) return false;
        _scope.Undo?.Remember(back);
        return true;
    }

    /// <summary>Removes all entries.</summary>
    /// <exception cref="InvalidOperationException">The operator has no such state.</exception>
    public void Clear<TMapKey, TValue>(BroadcastState<TMapKey, TValue> state)
        where TMapKey : notnull
    {
        var back = _scope.Broadcast(state).Clear();
        _scope.Undo?.Remember(back);
    }

    /// <summary>Emits a result with the time of the record, from this subtask.</summary>
    public void Emit(TOut result) => _scope.Emit(result, Timestamp);

    /// <summary>Emits a result with a time of its own, from this subtask.</summary>
    public void Emit(TOut result, long timestamp) => _scope.Emit(result, timestamp);

    /// <summary>Emits a record to a side output, from this subtask.</summary>
    public void Emit<TSide>(SideOutput<TSide> output, TSide record) => _scope.EmitSide(output, record, Timestamp);
}
