using System.Numerics;
using OrleansStream.Changes;
using OrleansStream.Functions;

namespace OrleansStream.Graph;

/// <summary>A stream of changes, by the key of the rows: what follows the rows that are there, and forgets those that have gone.</summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="T">The type of a row.</typeparam>
/// <remarks>A change that takes back a row that is not there, or no longer as it came, is an error of the record: it is never answered with a wrong result.</remarks>
public sealed class KeyedChanges<TKey, T>
    where TKey : notnull
{
    private readonly KeyedStream<TKey, Change<T>> _keyed;

    internal KeyedChanges(KeyedStream<TKey, Change<T>> keyed) => _keyed = keyed;

    /// <summary>Folds the rows of each key with an aggregate that can take them out again, and emits how the result changes. A key without rows has no result: that is a delete.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="aggregate">The aggregate; it must keep nothing in fields.</param>
    /// <param name="onError">What happens to a change at which it throws, or that takes back what is not there.</param>
    public DataStream<Change<KeyedResult<TKey, TResult>>> Aggregate<TAccumulator, TResult>(string name, RetractableAggregate<T, TAccumulator, TResult> aggregate, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(aggregate);
        return Add("Aggregate", name, () => new RetractingChanges<TKey, T, TAccumulator, TResult>(aggregate), onError);
    }

    /// <summary>Folds the rows of each key, and emits how the result changes. A key without rows has no result: that is a delete.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="seed">The accumulator before the first row: a struct or an immutable value.</param>
    /// <param name="add">Takes a row into the accumulator.</param>
    /// <param name="retract">Takes a row that was added out of the accumulator.</param>
    /// <param name="result">Makes the result.</param>
    /// <param name="onError">What happens to a change at which one of them throws, or that takes back what is not there.</param>
    public DataStream<Change<KeyedResult<TKey, TResult>>> Aggregate<TAccumulator, TResult>(
        string name,
        TAccumulator seed,
        Func<TAccumulator, T, TAccumulator> add,
        Func<TAccumulator, T, TAccumulator> retract,
        Func<TAccumulator, TResult> result,
        OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(add);
        ArgumentNullException.ThrowIfNull(retract);
        ArgumentNullException.ThrowIfNull(result);
        return Aggregate(name, new LambdaRetractable<T, TAccumulator, TResult>(seed, add, retract, result), onError);
    }

    /// <summary>Counts the rows of each key.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="onError">What happens to a change that takes back what is not there.</param>
    public DataStream<Change<KeyedResult<TKey, long>>> Count(string name, OnError onError = OnError.Fail) => Add("Count", name, static () => new RetractingChanges<TKey, T, long, long>(new CountAggregate<T>()), onError);

    /// <summary>Adds up a number of the rows of each key. An integer sum that overflows is an error; sums of floating-point numbers keep the rounding of rows that have gone.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="select">Reads the number.</param>
    /// <param name="onError">What happens to a change at which it throws, or that takes back what is not there.</param>
    public DataStream<Change<KeyedResult<TKey, TNumber>>> Sum<TNumber>(string name, Func<T, TNumber> select, OnError onError = OnError.Fail)
        where TNumber : struct, INumber<TNumber>
    {
        ArgumentNullException.ThrowIfNull(select);
        return Add("Sum", name, () => new RetractingChanges<TKey, T, TNumber, TNumber>(new SumAggregate<T, TNumber>(select)), onError);
    }

    /// <summary>The smallest value of the rows of each key. The values of all rows that are there are kept, and a change takes time in their number.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="select">Reads the value; values are compared in their default order.</param>
    /// <param name="onError">What happens to a change at which it throws, or that takes back what is not there.</param>
    public DataStream<Change<KeyedResult<TKey, TValue>>> Min<TValue>(string name, Func<T, TValue> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Add("Min", name, () => new RetractingExtreme<TKey, T, TValue>(select, isMax: false), onError);
    }

    /// <summary>The largest value of the rows of each key. The values of all rows that are there are kept, and a change takes time in their number.</summary>
    /// <inheritdoc cref="Min{TValue}(string, Func{T, TValue}, OnError)"/>
    public DataStream<Change<KeyedResult<TKey, TValue>>> Max<TValue>(string name, Func<T, TValue> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Add("Max", name, () => new RetractingExtreme<TKey, T, TValue>(select, isMax: true), onError);
    }

    /// <summary>
    /// Follows the first rows of each key in the order of a value, as inserts and deletes. Rows of equal value are in the order of arrival. All rows that are there are kept, for each may come among the first,
    /// and a change takes time in their number.
    /// </summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="n">How many; from 1 to 10,000.</param>
    /// <param name="by">Reads the value; a pure function, called again for rows that are kept.</param>
    /// <param name="descending">Whether the largest values come first; the default.</param>
    /// <param name="onError">What happens to a change at which <paramref name="by"/> throws, or that takes back what is not there.</param>
    public DataStream<Change<T>> TopN<TBy>(string name, int n, Func<T, TBy> by, bool descending = true, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(by);
        return _keyed.Keyed<Change<T>>(
            "TopN", name, _ => new TopRetractions<TKey, T, TBy, T>(n, new RowOrder<T, TBy>(by, descending), new TopMembers<T>()), onError, node => TopCheck.Check(node, n, descending));
    }

    /// <summary>Follows which row of each key has which rank in the order of a value. Rows of equal value are in the order of arrival; all rows that are there are kept.</summary>
    /// <inheritdoc cref="TopN{TBy}(string, int, Func{T, TBy}, bool, OnError)"/>
    public DataStream<Change<Ranked<T>>> RankedTopN<TBy>(string name, int n, Func<T, TBy> by, bool descending = true, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(by);
        return _keyed.Keyed<Change<Ranked<T>>>(
            "RankedTopN", name, _ => new TopRetractions<TKey, T, TBy, Ranked<T>>(n, new RowOrder<T, TBy>(by, descending), new TopRanks<T>()), onError, node => TopCheck.Check(node, n, descending));
    }

    private DataStream<Change<KeyedResult<TKey, TResult>>> Add<TResult>(string kind, string name, Func<KeyedFunction<TKey, Change<T>, Change<KeyedResult<TKey, TResult>>>> function, OnError onError) =>
        _keyed.Keyed<Change<KeyedResult<TKey, TResult>>>(kind, name, _ => function(), onError, static node =>
        {
            node.SideCheck = static (_, _) => "it has none";
            node.Properties["input"] = "changes";
        });
}

/// <summary>What can be done with a stream of changes and not with any other.</summary>
public static class ChangeStreams
{
    /// <summary>
    /// Sends the changes of each row to the subtask that owns the row's key. An update that gives a row another key leaves the old one and comes to the new one.
    /// </summary>
    /// <param name="changes">The changes.</param>
    /// <param name="key">Reads a row's key: a string, an integer, a Guid, or a tuple of these; not null.</param>
    public static KeyedChanges<TKey, T> KeyChangesBy<TKey, T>(this DataStream<Change<T>> changes, Func<T, TKey> key)
        where TKey : notnull
    {
        ArgumentNullException.ThrowIfNull(changes);
        ArgumentNullException.ThrowIfNull(key);
        return new KeyedChanges<TKey, T>(changes.KeyBy(change => key(change.Value)));
    }
}
