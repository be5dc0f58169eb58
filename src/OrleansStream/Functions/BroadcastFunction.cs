using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>
/// A function over the records of a stream that reads state which another stream, sent to every subtask, writes. Created per subtask by a factory; calls come one at a time, in no
/// order between the two streams. It must not keep anything in fields.
/// </summary>
/// <typeparam name="TIn">The type of a record.</typeparam>
/// <typeparam name="TBroadcast">The type of a broadcast record.</typeparam>
/// <typeparam name="TOut">The type of a result.</typeparam>
public abstract class BroadcastFunction<TIn, TBroadcast, TOut>
{
    /// <summary>Takes one record, which goes to one subtask; it may read broadcast state.</summary>
    public abstract void Process(in TIn record, ref FunctionContext<TOut> context);

    /// <summary>
    /// Takes one broadcast record, which goes to every subtask. What it does to the broadcast state must depend on the record and on that state only, so that the state is the same
    /// everywhere; where it is not, a restart gives all subtasks that of the first.
    /// </summary>
    /// <remarks>
    /// Records of one subtask of the stream come in the same order everywhere, those of several in any: a stream that is read by several subtasks must write what does not depend on
    /// that order, a map by a key of the record for instance.
    /// </remarks>
    public abstract void ProcessBroadcast(in TBroadcast record, ref BroadcastContext<TOut> context);
}

/// <summary>
/// A function over the records of each key that reads, beside the key's state, state which another stream, sent to every subtask, writes. Created per subtask by a factory; calls
/// come one at a time, in no order between the two streams. It must not keep anything but what it declares in <see cref="States"/>: fields are lost in a restart.
/// </summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TIn">The type of a record.</typeparam>
/// <typeparam name="TBroadcast">The type of a broadcast record.</typeparam>
/// <typeparam name="TOut">The type of a result.</typeparam>
public abstract class KeyedBroadcastFunction<TKey, TIn, TBroadcast, TOut>
    where TKey : notnull
{
    /// <summary>Every piece of state of a key that the function uses.</summary>
    public virtual IReadOnlyList<StateDeclaration> States => [];

    /// <summary>Takes one record of a key; it may read broadcast state.</summary>
    /// <param name="record">The record; its key, time and state are in <paramref name="context"/>.</param>
    /// <param name="context">The key at hand.</param>
    public abstract void Process(in TIn record, ref KeyedContext<TKey, TOut> context);

    /// <inheritdoc cref="BroadcastFunction{TIn, TBroadcast, TOut}.ProcessBroadcast"/>
    /// <param name="record">The record.</param>
    /// <param name="context">The broadcast state, and where results go.</param>
    /// <param name="keys">The keys of this subtask that have state, to apply something to each.</param>
    public abstract void ProcessBroadcast(in TBroadcast record, ref BroadcastContext<TOut> context, SubtaskKeys<TKey, TOut> keys);

    /// <summary>Called when the watermark, the lower one of both streams, has passed a timer of the key; once for each time it was registered for.</summary>
    /// <param name="timestamp">The time it was registered for, in milliseconds since 1970.</param>
    /// <param name="context">The key at hand; results carry the timer's time unless told otherwise.</param>
    public virtual void OnEventTimer(long timestamp, ref KeyedContext<TKey, TOut> context)
    {
    }

    /// <summary>Called when the clock has passed a timer of the key. After a restart timers that fell due meanwhile fire at once.</summary>
    /// <param name="timestamp">The time it was registered for, in milliseconds since 1970.</param>
    /// <param name="context">The key at hand.</param>
    public virtual void OnProcessingTimer(long timestamp, ref KeyedContext<TKey, TOut> context)
    {
    }
}

/// <summary>What is done to a key.</summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TOut">The type of a result.</typeparam>
/// <param name="context">The key at hand; its time is that of the broadcast record.</param>
public delegate void KeyAction<TKey, TOut>(ref KeyedContext<TKey, TOut> context)
    where TKey : notnull;

/// <summary>The keys of one subtask that have state or timers. Valid during one call only.</summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TOut">The type of a result.</typeparam>
public readonly struct SubtaskKeys<TKey, TOut>
    where TKey : notnull
{
    private readonly KeyedBroadcast<TKey, TOut> _keys;
    private readonly long _timestamp;

    internal SubtaskKeys(KeyedBroadcast<TKey, TOut> keys, long timestamp)
    {
        _keys = keys;
        _timestamp = timestamp;
    }

    /// <summary>
    /// Does something to the state of each key, in no order; over all subtasks, each key that has state or timers comes once. Flink's <c>applyToKeyedState</c>.
    /// When it throws the attempt ends, also with <see cref="OnError.DeadLetter"/>: what is one subtask's must not decide on a record of all.
    /// </summary>
    public void ForEach(KeyAction<TKey, TOut> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        _keys.ForEach(action, _timestamp);
    }
}
