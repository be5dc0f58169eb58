using OrleansStream.Functions;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Changes;

/// <summary>A record and its event time.</summary>
[GenerateSerializer, Immutable, Alias("os.Timed`1")]
internal readonly record struct Timed<T>([property: Id(0)] long Timestamp, [property: Id(1)] T Value);

/// <summary>
/// Follows which record of a key is the first or the last in event time, and tells each time that it is another. The record is forgotten when the watermark is a span
/// behind it, if one is given.
/// Source: Flink's RowTimeDeduplicateFunction.
/// </summary>
internal abstract class KeptFunction<TKey, T, TOut>(Keep keep, long? withinMs) : KeyedFunction<TKey, T, TOut>
    where TKey : notnull
{
    private static readonly ValueState<Timed<T>> Kept = new("kept");

    public override IReadOnlyList<StateDeclaration> States => [Kept];

    public override void Process(in T record, ref KeyedContext<TKey, TOut> context)
    {
        var isKnown = context.Has(Kept);
        var before = context.Get(Kept);
        var at = context.Timestamp;
        if (isKnown && (keep == Keep.Last ? at < before.Timestamp : at >= before.Timestamp)) return;
        Tell(isKnown, before.Value, record, ref context);
        if (withinMs is { } within)
        {
            var forgottenAt = EventTime.Plus(at, within);
            if (isKnown) context.DeleteEventTimer(EventTime.Plus(before.Timestamp, within));
            if (forgottenAt <= context.Watermark)
            {
                context.Clear(Kept);
                return;
            }

            context.RegisterEventTimer(forgottenAt);
        }

        context.Set(Kept, new Timed<T>(at, record));
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<TKey, TOut> context) => context.Clear(Kept);

    protected abstract void Tell(bool isKnown, T before, T after, ref KeyedContext<TKey, TOut> context);
}

/// <summary>Tells only what is kept now.</summary>
internal sealed class KeptUpdates<TKey, T>(Keep keep, long? withinMs) : KeptFunction<TKey, T, T>(keep, withinMs)
    where TKey : notnull
{
    protected override void Tell(bool isKnown, T before, T after, ref KeyedContext<TKey, T> context) => context.Emit(after);
}

/// <summary>Tells what was kept and what is.</summary>
internal sealed class KeptChanges<TKey, T>(Keep keep, long? withinMs) : KeptFunction<TKey, T, Change<T>>(keep, withinMs)
    where TKey : notnull
{
    protected override void Tell(bool isKnown, T before, T after, ref KeyedContext<TKey, Change<T>> context)
    {
        if (isKnown) context.Emit(Change.UpdateBefore(before));
        context.Emit(isKnown ? Change.UpdateAfter(after) : Change.Insert(after));
    }
}
