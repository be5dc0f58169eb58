using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>
/// A function over the records that two streams have for each key, with state and timers of that key, which both sides share. Created per subtask by a factory; calls come one at a
/// time, in no order between the two streams. It is synchronous and must not keep anything but what it declares in <see cref="States"/>: fields are lost in a restart.
/// </summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TFirst">The type of a record of the first stream.</typeparam>
/// <typeparam name="TSecond">The type of a record of the second stream.</typeparam>
/// <typeparam name="TOut">The type of a result.</typeparam>
public abstract class KeyedCoFunction<TKey, TFirst, TSecond, TOut>
    where TKey : notnull
{
    /// <summary>Every piece of state that the function uses.</summary>
    public virtual IReadOnlyList<StateDeclaration> States => [];

    /// <summary>Takes one record of the first stream.</summary>
    /// <param name="record">The record; its key, time and state are in <paramref name="context"/>.</param>
    /// <param name="context">The key at hand.</param>
    public abstract void ProcessFirst(in TFirst record, ref KeyedContext<TKey, TOut> context);

    /// <summary>Takes one record of the second stream.</summary>
    /// <param name="record">The record; its key, time and state are in <paramref name="context"/>.</param>
    /// <param name="context">The key at hand.</param>
    public abstract void ProcessSecond(in TSecond record, ref KeyedContext<TKey, TOut> context);

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

    /// <summary>Called for each key that has state when all timers have fired at the end of time.</summary>
    internal virtual void OnEndOfTime(ref KeyedContext<TKey, TOut> context)
    {
    }

    /// <summary>Whether <see cref="OnEndOfTime"/> does anything.</summary>
    internal virtual bool EndsWithTime => false;
}
