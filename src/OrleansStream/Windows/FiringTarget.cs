using OrleansStream.Functions;

namespace OrleansStream.Windows;

/// <summary>What becomes of the content of a window that fires.</summary>
internal abstract class FiringTarget<TKey, TValue>
    where TKey : notnull
{
    public abstract void Fire(in Firing<TKey> at, TValue value);
}

/// <summary>It leaves as the window's result.</summary>
internal sealed class ResultTarget<TKey, TValue>(WindowOutputs<WindowResult<TKey, TValue>> outputs) : FiringTarget<TKey, TValue>
    where TKey : notnull
{
    public override void Fire(in Firing<TKey> at, TValue value) => outputs.Emit(new WindowResult<TKey, TValue>(at.Key, at.Window, value) { Firing = at.Kind }, at.Timestamp);
}

/// <summary>All its records go to a window function.</summary>
internal sealed class FunctionTarget<TKey, TIn, TOut>(WindowScope<TKey> scope, WindowOutputs<TOut> outputs, WindowFunction<TKey, TIn, TOut> function) : FiringTarget<TKey, IReadOnlyList<TIn>>
    where TKey : notnull
{
    public override void Fire(in Firing<TKey> at, IReadOnlyList<TIn> value)
    {
        var context = new WindowContext<TKey, TOut>(scope, outputs, in at, scope.KeySlotOf(at.Key, at.Hash));
        function.Process(value, ref context);
    }
}

/// <summary>It goes to a window function as the only one of its kind.</summary>
internal sealed class SingleTarget<TKey, TValue>(FiringTarget<TKey, IReadOnlyList<TValue>> next) : FiringTarget<TKey, TValue>
    where TKey : notnull
{
    public override void Fire(in Firing<TKey> at, TValue value) => next.Fire(in at, [value]);
}

/// <summary>Its records are folded now, because they had to be kept until now.</summary>
internal sealed class FoldTarget<TKey, TIn, TAccumulator, TResult>(AggregateFunction<TIn, TAccumulator, TResult> aggregate, FiringTarget<TKey, TResult> next)
    : FiringTarget<TKey, IReadOnlyList<TIn>>
    where TKey : notnull
{
    public override void Fire(in Firing<TKey> at, IReadOnlyList<TIn> value)
    {
        var accumulator = aggregate.Create();
        foreach (var record in value) aggregate.Add(ref accumulator, in record);
        next.Fire(in at, aggregate.Result(in accumulator));
    }
}
