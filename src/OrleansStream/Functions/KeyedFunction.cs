using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>
/// A function over the records of each key, with state and timers of that key. Created per subtask by a factory; calls come one at a time.
/// It is synchronous and must not keep anything but what it declares in <see cref="States"/>: fields are lost in a restart.
/// </summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TIn">The type of a record.</typeparam>
/// <typeparam name="TOut">The type of a result.</typeparam>
public abstract class KeyedFunction<TKey, TIn, TOut>
    where TKey : notnull
{
    /// <summary>Every piece of state that the function uses.</summary>
    public virtual IReadOnlyList<StateDeclaration> States => [];

    /// <summary>Takes one record.</summary>
    /// <param name="record">The record; its key, time and state are in <paramref name="context"/>.</param>
    /// <param name="context">The key at hand.</param>
    public abstract void Process(in TIn record, ref KeyedContext<TKey, TOut> context);

    /// <summary>Called when the watermark has passed a timer of the key; once for each time it was registered for.</summary>
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
