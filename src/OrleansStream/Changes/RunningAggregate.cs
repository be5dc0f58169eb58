using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Changes;

/// <summary>Folds all records of a key, and tells the result after each.</summary>
internal sealed class RunningUpdates<TKey, TIn, TAccumulator, TResult>(AggregateFunction<TIn, TAccumulator, TResult> aggregate) : KeyedFunction<TKey, TIn, KeyedResult<TKey, TResult>>
    where TKey : notnull
{
    private static readonly ValueState<TAccumulator> Accumulator = new("accumulator");

    public override IReadOnlyList<StateDeclaration> States => [Accumulator];

    public override void Process(in TIn record, ref KeyedContext<TKey, KeyedResult<TKey, TResult>> context)
    {
        var accumulator = context.Has(Accumulator) ? context.Get(Accumulator) : aggregate.Create();
        aggregate.Add(ref accumulator, in record);
        context.Set(Accumulator, accumulator);
        context.Emit(new KeyedResult<TKey, TResult>(context.Key, aggregate.Result(in accumulator)));
    }
}

/// <summary>Folds all records of a key, and tells how the result changes. A result that stays equal is not told.</summary>
internal sealed class RunningChanges<TKey, TIn, TAccumulator, TResult>(AggregateFunction<TIn, TAccumulator, TResult> aggregate) : KeyedFunction<TKey, TIn, Change<KeyedResult<TKey, TResult>>>
    where TKey : notnull
{
    private static readonly ValueState<TAccumulator> Accumulator = new("accumulator");

    public override IReadOnlyList<StateDeclaration> States => [Accumulator];

    public override void Process(in TIn record, ref KeyedContext<TKey, Change<KeyedResult<TKey, TResult>>> context)
    {
        var isKnown = context.Has(Accumulator);
        var accumulator = isKnown ? context.Get(Accumulator) : aggregate.Create();
        var before = isKnown ? aggregate.Result(in accumulator) : default!;
        aggregate.Add(ref accumulator, in record);
        context.Set(Accumulator, accumulator);
        ResultChange.Tell(isKnown, before, isKnown: true, aggregate.Result(in accumulator), ref context);
    }
}

/// <summary>
/// Folds the rows of a key that are there: rows that come are added, rows that go are taken out. A key of which no row is left has no result and no state.
/// Source: Flink's GroupAggFunction.
/// </summary>
internal sealed class RetractingChanges<TKey, TIn, TAccumulator, TResult>(RetractableAggregate<TIn, TAccumulator, TResult> aggregate)
    : KeyedFunction<TKey, Change<TIn>, Change<KeyedResult<TKey, TResult>>>
    where TKey : notnull
{
    private static readonly ValueState<Counted<TAccumulator>> Accumulator = new("accumulator");

    public override IReadOnlyList<StateDeclaration> States => [Accumulator];

    public override void Process(in Change<TIn> change, ref KeyedContext<TKey, Change<KeyedResult<TKey, TResult>>> context)
    {
        var (count, accumulator) = context.Get(Accumulator);
        var wasKnown = count > 0;
        if (!wasKnown) accumulator = aggregate.Create();
        var before = wasKnown ? aggregate.Result(in accumulator) : default!;
        var row = change.Value;
        if (change.IsRetraction)
        {
            if (!wasKnown) throw ResultChange.NotThere(change);
            aggregate.Retract(ref accumulator, in row);
            count--;
        }
        else
        {
            aggregate.Add(ref accumulator, in row);
            count++;
        }

        if (count == 0) context.Clear(Accumulator);
        else context.Set(Accumulator, new Counted<TAccumulator>(count, accumulator));
        ResultChange.Tell(wasKnown, before, count > 0, count > 0 ? aggregate.Result(in accumulator) : default!, ref context);
    }
}

/// <summary>An accumulator and how many rows are in it.</summary>
[GenerateSerializer, Immutable, Alias("os.Counted`1")]
internal readonly record struct Counted<T>([property: Id(0)] long Count, [property: Id(1)] T Value);

/// <summary>Tells how the result of a key changes.</summary>
internal static class ResultChange
{
    public static void Tell<TKey, TResult>(bool wasKnown, TResult before, bool isKnown, TResult after, ref KeyedContext<TKey, Change<KeyedResult<TKey, TResult>>> context)
        where TKey : notnull
    {
        if (wasKnown && isKnown && EqualityComparer<TResult>.Default.Equals(before, after)) return;
        if (wasKnown) context.Emit(new Change<KeyedResult<TKey, TResult>>(isKnown ? ChangeKind.UpdateBefore : ChangeKind.Delete, new(context.Key, before)));
        if (isKnown) context.Emit(new Change<KeyedResult<TKey, TResult>>(wasKnown ? ChangeKind.UpdateAfter : ChangeKind.Insert, new(context.Key, after)));
    }

    public static InvalidOperationException NotThere<T>(Change<T> change) =>
        new($"{change.Kind} of {change.Value}, which is not there: each row that goes must have come before, by the same key and unchanged");
}
