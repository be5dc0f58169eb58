using System.Numerics;
using OrleansStream.Changes;
using OrleansStream.Functions;

namespace OrleansStream.Graph;

/// <content>Aggregates over all records of a key so far, without windows.</content>
public sealed partial class KeyedStream<TKey, T>
{
    /// <summary>Folds all records of each key, as LINQ's <c>Aggregate</c> does, and emits the result after each record. One accumulator is kept for every key.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="seed">The accumulator before the first record: a struct or an immutable value.</param>
    /// <param name="add">Takes a record into the accumulator.</param>
    /// <param name="result">Makes the result.</param>
    /// <param name="onError">What happens to a record at which one of them throws.</param>
    public DataStream<KeyedResult<TKey, TResult>> Aggregate<TAccumulator, TResult>(
        string name, TAccumulator seed, Func<TAccumulator, T, TAccumulator> add, Func<TAccumulator, TResult> result, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(add);
        ArgumentNullException.ThrowIfNull(result);
        return Running("Aggregate", name, new LambdaAggregate<T, TAccumulator, TResult>(seed, add, result), onError);
    }

    /// <summary>Folds all records of each key with an aggregate, and emits the result after each record.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="aggregate">The aggregate; it must keep nothing in fields.</param>
    /// <param name="onError">What happens to a record at which it throws.</param>
    public DataStream<KeyedResult<TKey, TResult>> Aggregate<TAccumulator, TResult>(string name, AggregateFunction<T, TAccumulator, TResult> aggregate, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(aggregate);
        return Running("Aggregate", name, aggregate, onError);
    }

    /// <summary>Folds all records of each key with an aggregate, and emits how the result changes: an insert, then an update whenever it is not equal to the one before.</summary>
    /// <inheritdoc cref="Aggregate{TAccumulator, TResult}(string, AggregateFunction{T, TAccumulator, TResult}, OnError)"/>
    public DataStream<Change<KeyedResult<TKey, TResult>>> AggregateChanges<TAccumulator, TResult>(
        string name, AggregateFunction<T, TAccumulator, TResult> aggregate, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(aggregate);
        return Keyed<Change<KeyedResult<TKey, TResult>>>(
            "AggregateChanges", name, _ => new RunningChanges<TKey, T, TAccumulator, TResult>(aggregate), onError, static node => node.SideCheck = static (_, _) => "it has none");
    }

    /// <summary>Folds all records of each key, and emits how the result changes: an insert, then an update whenever it is not equal to the one before.</summary>
    /// <inheritdoc cref="Aggregate{TAccumulator, TResult}(string, TAccumulator, Func{TAccumulator, T, TAccumulator}, Func{TAccumulator, TResult}, OnError)"/>
    public DataStream<Change<KeyedResult<TKey, TResult>>> AggregateChanges<TAccumulator, TResult>(
        string name, TAccumulator seed, Func<TAccumulator, T, TAccumulator> add, Func<TAccumulator, TResult> result, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(add);
        ArgumentNullException.ThrowIfNull(result);
        return AggregateChanges(name, new LambdaAggregate<T, TAccumulator, TResult>(seed, add, result), onError);
    }

    /// <summary>Folds all records of each key into one of their own kind, and emits it after each record: the first as it is.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="reduce">Makes one record of two.</param>
    /// <param name="onError">What happens to a record at which it throws.</param>
    public DataStream<KeyedResult<TKey, T>> Reduce(string name, Func<T, T, T> reduce, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(reduce);
        return Running("Reduce", name, new ReduceAggregate<T>(reduce), onError);
    }

    /// <summary>Counts the records of each key, and emits the count after each.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    public DataStream<KeyedResult<TKey, long>> Count(string name) => Running("Count", name, new CountAggregate<T>(), OnError.Fail);

    /// <summary>Adds up a number of the records of each key, and emits the sum after each. An integer sum that overflows is an error of the record.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="select">Reads the number.</param>
    /// <param name="onError">What happens to a record at which it throws, or the sum overflows.</param>
    public DataStream<KeyedResult<TKey, TNumber>> Sum<TNumber>(string name, Func<T, TNumber> select, OnError onError = OnError.Fail)
        where TNumber : struct, INumber<TNumber>
    {
        ArgumentNullException.ThrowIfNull(select);
        return Running("Sum", name, new SumAggregate<T, TNumber>(select), onError);
    }

    /// <summary>Emits the smallest value of the records of each key so far, after each record.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="select">Reads the value; values are compared in their default order.</param>
    /// <param name="onError">What happens to a record at which it throws.</param>
    public DataStream<KeyedResult<TKey, TValue>> Min<TValue>(string name, Func<T, TValue> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Running("Min", name, new ExtremeAggregate<T, TValue>(select, isMax: false), onError);
    }

    /// <summary>Emits the largest value of the records of each key so far, after each record.</summary>
    /// <inheritdoc cref="Min{TValue}(string, Func{T, TValue}, OnError)"/>
    public DataStream<KeyedResult<TKey, TValue>> Max<TValue>(string name, Func<T, TValue> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Running("Max", name, new ExtremeAggregate<T, TValue>(select, isMax: true), onError);
    }

    private DataStream<KeyedResult<TKey, TResult>> Running<TAccumulator, TResult>(string kind, string name, AggregateFunction<T, TAccumulator, TResult> aggregate, OnError onError) =>
        Keyed<KeyedResult<TKey, TResult>>(kind, name, _ => new RunningUpdates<TKey, T, TAccumulator, TResult>(aggregate), onError, static node => node.SideCheck = static (_, _) => "it has none");
}
