namespace OrleansStream.Functions;

/// <summary>Folds the records of a key and window into an accumulator, one at a time, and makes the result from it.</summary>
/// <typeparam name="TIn">The type of a record.</typeparam>
/// <typeparam name="TAccumulator">A struct or an immutable type; it is the state that snapshots hold.</typeparam>
/// <typeparam name="TResult">The type of the result.</typeparam>
public abstract class AggregateFunction<TIn, TAccumulator, TResult>
{
    /// <summary>The accumulator before the first record.</summary>
    public abstract TAccumulator Create();

    /// <summary>Takes a record into the accumulator.</summary>
    public abstract void Add(ref TAccumulator accumulator, in TIn record);

    /// <summary>Makes the result. May be called several times for one accumulator: once for each firing.</summary>
    public abstract TResult Result(in TAccumulator accumulator);
}

/// <summary>An aggregate written as lambdas.</summary>
internal sealed class LambdaAggregate<TIn, TAccumulator, TResult>(TAccumulator seed, Func<TAccumulator, TIn, TAccumulator> add, Func<TAccumulator, TResult> result)
    : AggregateFunction<TIn, TAccumulator, TResult>
{
    public override TAccumulator Create() => seed;

    public override void Add(ref TAccumulator accumulator, in TIn record) => accumulator = add(accumulator, record);

    public override TResult Result(in TAccumulator accumulator) => result(accumulator);
}

/// <summary>An accumulator that is a record itself: the first record of a window, then the fold of it with each other.</summary>
internal sealed class ReduceAggregate<T>(Func<T, T, T> reduce) : AggregateFunction<T, Reduced<T>, T>
{
    public override Reduced<T> Create() => default;

    public override void Add(ref Reduced<T> accumulator, in T record) =>
        accumulator = accumulator.HasValue ? new Reduced<T>(true, reduce(accumulator.Value, record)) : new Reduced<T>(true, record);

    public override T Result(in Reduced<T> accumulator) => accumulator.Value;
}

/// <summary>The state of a reduction.</summary>
[GenerateSerializer, Immutable, Alias("os.Reduced`1")]
internal readonly record struct Reduced<T>([property: Id(0)] bool HasValue, [property: Id(1)] T Value);
