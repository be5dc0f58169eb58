using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>The record at hand in a function without keys: its time, and where results go. Valid during one call only.</summary>
/// <typeparam name="TOut">The type of a result.</typeparam>
public readonly struct FunctionContext<TOut>
{
    private readonly FunctionScope<TOut> _scope;

    internal FunctionContext(FunctionScope<TOut> scope, long timestamp)
    {
        _scope = scope;
        Timestamp = timestamp;
    }

    /// <summary>The event time of the record, in milliseconds since 1970.</summary>
    public long Timestamp { get; }

    /// <summary>The watermark: no record at or before this time is on time any more. In milliseconds since 1970; <see cref="long.MinValue"/> before the first.</summary>
    public long Watermark => _scope.Watermark;

    /// <summary>The clock, in milliseconds since 1970. It differs from run to run: results that depend on it do too.</summary>
    public long ProcessingTime => _scope.ProcessingTime;

    /// <summary>Looks up an entry of broadcast state; for functions that read it.</summary>
    /// <exception cref="InvalidOperationException">The operator has no such state.</exception>
    public bool TryGet<TMapKey, TValue>(BroadcastState<TMapKey, TValue> state, TMapKey mapKey, out TValue value)
        where TMapKey : notnull => _scope.Broadcast(state).TryGet(mapKey, out value);

    /// <summary>The entries of broadcast state, in the order in which their keys came; as they are now, until the next broadcast record.</summary>
    /// <exception cref="InvalidOperationException">The operator has no such state.</exception>
    public IReadOnlyDictionary<TMapKey, TValue> Entries<TMapKey, TValue>(BroadcastState<TMapKey, TValue> state)
        where TMapKey : notnull => _scope.Broadcast(state).Entries;

    /// <summary>Emits a result with the time of the record.</summary>
    public void Emit(TOut result) => _scope.Emit(result, Timestamp);

    /// <summary>Emits a result with a time of its own.</summary>
    public void Emit(TOut result, long timestamp) => _scope.Emit(result, timestamp);

    /// <summary>Emits a record to a side output.</summary>
    public void Emit<TSide>(SideOutput<TSide> output, TSide record) => _scope.EmitSide(output, record, Timestamp);
}
