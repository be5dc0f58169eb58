using System.Numerics;
using OrleansStream.Functions;

namespace OrleansStream.Changes;

/// <summary>An aggregate from which a record can be taken out again, so that it can follow a stream of changes.</summary>
/// <inheritdoc cref="AggregateFunction{TIn, TAccumulator, TResult}"/>
public abstract class RetractableAggregate<TIn, TAccumulator, TResult> : AggregateFunction<TIn, TAccumulator, TResult>
{
    /// <summary>Takes a record that was added out of the accumulator; it need not be the one added last.</summary>
    public abstract void Retract(ref TAccumulator accumulator, in TIn record);
}

/// <summary>A retractable aggregate written as lambdas.</summary>
internal sealed class LambdaRetractable<TIn, TAccumulator, TResult>(
    TAccumulator seed, Func<TAccumulator, TIn, TAccumulator> add, Func<TAccumulator, TIn, TAccumulator> retract, Func<TAccumulator, TResult> result)
    : RetractableAggregate<TIn, TAccumulator, TResult>
{
    public override TAccumulator Create() => seed;

    public override void Add(ref TAccumulator accumulator, in TIn record) => accumulator = add(accumulator, record);

    public override void Retract(ref TAccumulator accumulator, in TIn record) => accumulator = retract(accumulator, record);

    public override TResult Result(in TAccumulator accumulator) => result(accumulator);
}

/// <summary>How many records there are.</summary>
internal sealed class CountAggregate<T> : RetractableAggregate<T, long, long>
{
    public override long Create() => 0;

    public override void Add(ref long accumulator, in T record) => accumulator++;

    public override void Retract(ref long accumulator, in T record) => accumulator--;

    public override long Result(in long accumulator) => accumulator;
}

/// <summary>The sum of a number of each record. An integer that overflows is an error, never a wrong sum.</summary>
internal sealed class SumAggregate<T, TNumber>(Func<T, TNumber> select) : RetractableAggregate<T, TNumber, TNumber>
    where TNumber : struct, INumber<TNumber>
{
    public override TNumber Create() => TNumber.Zero;

    public override void Add(ref TNumber accumulator, in T record) => accumulator = checked(accumulator + select(record));

    public override void Retract(ref TNumber accumulator, in T record) => accumulator = checked(accumulator - select(record));

    public override TNumber Result(in TNumber accumulator) => accumulator;
}

/// <summary>The smallest or largest value of the records so far.</summary>
internal sealed class ExtremeAggregate<T, TValue>(Func<T, TValue> select, bool isMax) : AggregateFunction<T, Reduced<TValue>, TValue>
{
    public override Reduced<TValue> Create() => default;

    public override void Add(ref Reduced<TValue> accumulator, in T record)
    {
        var value = select(record);
        var order = accumulator.HasValue ? Comparer<TValue>.Default.Compare(value, accumulator.Value) : 0;
        if (!accumulator.HasValue || (isMax ? order > 0 : order < 0)) accumulator = new Reduced<TValue>(true, value);
    }

    public override TValue Result(in Reduced<TValue> accumulator) => accumulator.Value;
}
