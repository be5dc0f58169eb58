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

    /// <summary>
    /// Takes into an accumulator what another one has, which is of records that come after its own: of a later time where windows share panes, of a later session where sessions become one.
    /// Sliding windows and sessions need it, and are refused without when the graph is built; nothing else does.
    /// </summary>
    /// <param name="accumulator">The accumulator of the earlier records; afterwards that of all.</param>
    /// <param name="later">The accumulator of the later records, which is not to be changed.</param>
    public virtual void Merge(ref TAccumulator accumulator, in TAccumulator later) =>
        throw new NotSupportedException($"{GetType().Name} has no {nameof(Merge)}; override it to make one accumulator of two.");

    /// <summary>Whether <see cref="Merge"/> was given.</summary>
    internal virtual bool HasMerge => GetType().GetMethod(nameof(Merge), [typeof(TAccumulator).MakeByRefType(), typeof(TAccumulator).MakeByRefType()])!.DeclaringType != typeof(AggregateFunction<TIn, TAccumulator, TResult>);
}

/// <summary>An aggregate written as lambdas.</summary>
internal sealed class LambdaAggregate<TIn, TAccumulator, TResult>(
    TAccumulator seed, Func<TAccumulator, TIn, TAccumulator> add, Func<TAccumulator, TResult> result, Func<TAccumulator, TAccumulator, TAccumulator>? merge = null)
    : AggregateFunction<TIn, TAccumulator, TResult>
{
    public override TAccumulator Create() => seed;

    public override void Add(ref TAccumulator accumulator, in TIn record) => accumulator = add(accumulator, record);

    public override TResult Result(in TAccumulator accumulator) => result(accumulator);

    public override void Merge(ref TAccumulator accumulator, in TAccumulator later)
    {
        if (merge is null) base.Merge(ref accumulator, in later);
        else accumulator = merge(accumulator, later);
    }

    internal override bool HasMerge => merge is not null;
}

/// <summary>An accumulator that is a record itself: the first record of a window, then the fold of it with each other.</summary>
internal sealed class ReduceAggregate<T>(Func<T, T, T> reduce) : AggregateFunction<T, Reduced<T>, T>
{
    public override Reduced<T> Create() => default;

    public override void Add(ref Reduced<T> accumulator, in T record) =>
        accumulator = accumulator.HasValue ? new Reduced<T>(true, reduce(accumulator.Value, record)) : new Reduced<T>(true, record);

    public override T Result(in Reduced<T> accumulator) => accumulator.Value;

    public override void Merge(ref Reduced<T> accumulator, in Reduced<T> later)
    {
        if (later.HasValue) Add(ref accumulator, later.Value);
    }
}

/// <summary>The state of a reduction.</summary>
[GenerateSerializer, Immutable, Alias("os.Reduced`1")]
internal readonly record struct Reduced<T>([property: Id(0)] bool HasValue, [property: Id(1)] T Value);
