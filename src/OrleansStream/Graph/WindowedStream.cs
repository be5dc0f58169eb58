using OrleansStream.Functions;
using OrleansStream.Windows;

namespace OrleansStream.Graph;

/// <summary>The records of each key, divided into windows; say what to make of them.</summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed partial class WindowedStream<TKey, T>
    where TKey : notnull
{
    private readonly JobGraph _graph;
    private readonly KeyedStream<TKey, T> _keyed;
    private readonly WindowAssigner _windows;
    private readonly TimeSpan _allowedLateness;
    private readonly SideOutput<T>? _late;
    private readonly Trigger<T>? _trigger;
    private readonly Evictor<T>? _evictor;

    internal WindowedStream(
        JobGraph graph, KeyedStream<TKey, T> keyed, WindowAssigner windows, TimeSpan allowedLateness, SideOutput<T>? late, Trigger<T>? trigger = null, Evictor<T>? evictor = null)
    {
        _graph = graph;
        _keyed = keyed;
        _windows = windows;
        _allowedLateness = allowedLateness;
        _late = late;
        _trigger = trigger;
        _evictor = evictor;
    }

    /// <summary>Lets a trigger decide when windows fire, in place of their end.</summary>
    /// <param name="trigger">The trigger, ready-made (see <see cref="Triggers"/>) or your own. It must keep nothing in fields.</param>
    public WindowedStream<TKey, T> Trigger(Trigger<T> trigger)
    {
        ArgumentNullException.ThrowIfNull(trigger);
        return new WindowedStream<TKey, T>(_graph, _keyed, _windows, _allowedLateness, _late, trigger, _evictor);
    }

    /// <summary>Removes records from windows when they fire. All records of a window are kept then.</summary>
    /// <param name="evictor">The evictor, ready-made (see <see cref="Evictors"/>) or your own. It must keep nothing in fields.</param>
    public WindowedStream<TKey, T> Evict(Evictor<T> evictor)
    {
        ArgumentNullException.ThrowIfNull(evictor);
        return new WindowedStream<TKey, T>(_graph, _keyed, _windows, _allowedLateness, _late, _trigger, evictor);
    }

    /// <summary>Folds the records of each key and window, as LINQ's <c>Aggregate</c> does; only the accumulator is kept.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="seed">The accumulator before the first record: a struct or an immutable value.</param>
    /// <param name="add">Takes a record into the accumulator.</param>
    /// <param name="result">Makes the result when the window fires.</param>
    /// <param name="onError">What happens to a record at which <paramref name="add"/> throws.</param>
    public DataStream<WindowResult<TKey, TResult>> Aggregate<TAccumulator, TResult>(
        string name, TAccumulator seed, Func<TAccumulator, T, TAccumulator> add, Func<TAccumulator, TResult> result, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(add);
        ArgumentNullException.ThrowIfNull(result);
        return Aggregate(name, new LambdaAggregate<T, TAccumulator, TResult>(seed, add, result), onError);
    }

    /// <summary>Folds the records of each key and window, as LINQ's <c>Aggregate</c> does; only the accumulator is kept. With a merge it works for sliding windows and sessions too.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="seed">The accumulator before the first record: a struct or an immutable value.</param>
    /// <param name="add">Takes a record into the accumulator.</param>
    /// <param name="merge">Makes one accumulator of two; the second is of records that come after those of the first.</param>
    /// <param name="result">Makes the result when the window fires.</param>
    /// <param name="onError">What happens to a record at which <paramref name="add"/> throws.</param>
    public DataStream<WindowResult<TKey, TResult>> Aggregate<TAccumulator, TResult>(
        string name, TAccumulator seed, Func<TAccumulator, T, TAccumulator> add, Func<TAccumulator, TAccumulator, TAccumulator> merge, Func<TAccumulator, TResult> result,
        OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(add);
        ArgumentNullException.ThrowIfNull(merge);
        ArgumentNullException.ThrowIfNull(result);
        return Aggregate(name, new LambdaAggregate<T, TAccumulator, TResult>(seed, add, result, merge), onError);
    }

    /// <summary>Folds the records of each key and window with an aggregate that changes its accumulator in place.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="aggregate">The aggregate; it must keep nothing in fields.</param>
    /// <param name="onError">What happens to a record at which it throws.</param>
    public DataStream<WindowResult<TKey, TResult>> Aggregate<TAccumulator, TResult>(
        string name, AggregateFunction<T, TAccumulator, TResult> aggregate, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(aggregate);
        var node = IsPlain
            ? Add<WindowResult<TKey, TResult>>(name, onError, (chain, self) => Plain(chain, self, aggregate))
            : AddGeneral<WindowResult<TKey, TResult>>(name, onError, [], [], (_, outputs) => Folded(aggregate, _ => new ResultTarget<TKey, TResult>(outputs)));
        CheckAggregate(node, aggregate, sharesPanes: IsPlain && _windows is SlidingWindows);
        node.Properties["result"] = TypeName.Of(typeof(TResult));
        return new DataStream<WindowResult<TKey, TResult>>(_graph, node.Port);
    }

    /// <summary>Folds the records of each key and window into one of their own kind.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="reduce">Makes one record of two.</param>
    /// <param name="onError">What happens to a record at which it throws.</param>
    public DataStream<WindowResult<TKey, T>> Reduce(string name, Func<T, T, T> reduce, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(reduce);
        return Aggregate(name, new ReduceAggregate<T>(reduce), onError);
    }
}
