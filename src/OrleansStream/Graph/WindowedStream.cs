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

    internal WindowedStream(JobGraph graph, KeyedStream<TKey, T> keyed, WindowAssigner windows, TimeSpan allowedLateness, SideOutput<T>? late)
    {
        _graph = graph;
        _keyed = keyed;
        _windows = windows;
        _allowedLateness = allowedLateness;
        _late = late;
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
        var node = Add<WindowResult<TKey, TResult>>(name, onError, (chain, self) =>
        {
            var output = chain.OutputOf(self.Port);
            var late = LateOutput(chain, self);
            var failures = chain.FailuresOf(self, self.OnError, self.DeadLetters);
            return _windows switch
            {
                TumblingWindows tumbling => new WindowOperator<TKey, T, TAccumulator, TResult>(
                    self.Name, chain.Context, _keyed.Key, tumbling, _allowedLateness, aggregate, output, late, failures)
                { Name = self.Name },
                SlidingWindows sliding => new SlidingOperator<TKey, T, TAccumulator, TResult>(
                    self.Name, chain.Context, _keyed.Key, sliding, _allowedLateness, aggregate, output, late, failures)
                { Name = self.Name },
                _ => throw new Stages.InvariantException($"Window '{self.Name}' has no operator."),
            };
        });

        if (_windows is SlidingWindows && !aggregate.HasMerge) RefuseMerge(node, aggregate, "sliding windows share what they have in common");
        node.Properties["accumulator"] = TypeName.Of(typeof(TAccumulator));
        node.Properties["result"] = TypeName.Of(typeof(TResult));
        StateCheck.CheckStored(_graph, node, "accumulator", typeof(TAccumulator));
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

    private KeyedNode<T, TOut> Add<TOut>(string name, OnError onError, Func<ChainBuilder, KeyedNode<T, TOut>, Stages.Operator<T>> make)
    {
        var node = _graph.Add(new KeyedNode<T, TOut>(_graph, "Window", name, onError, make));
        node.SideCheck = (name, record) => _late is null ? "it has none; give Window an output for late records"
            : name != _late.Name || record != typeof(T) ? $"it emits late records only, to '{_late.Name}' of {TypeName.Of(typeof(T))}"
            : null;
        if (_windows.Problem is { } problem) _graph.Refuse(node, $"impossible windows: {problem}");
        if (_allowedLateness < TimeSpan.Zero) _graph.Refuse(node, $"an allowed lateness of {_allowedLateness} is below 0");
        if (_windows is not TumblingWindows) node.Properties["windows"] = _windows.Kind;
        foreach (var (property, value) in _windows.Properties) node.Properties[property] = value;
        node.Properties["allowedLateness"] = _allowedLateness.ToString("c");
        _keyed.Connect(node);
        return node;
    }

    private Stages.Output<T> LateOutput<TOut>(ChainBuilder chain, KeyedNode<T, TOut> self) =>
        _late is not null && self.Sides.Find(side => side.Name == _late.Name) is SidePort<T> port ? chain.OutputOf(port.Typed) : new Stages.Output<T>([]);

    private void RefuseMerge<TAccumulator, TResult>(Node node, AggregateFunction<T, TAccumulator, TResult> aggregate, string why) =>
        _graph.Refuse(node, aggregate is LambdaAggregate<T, TAccumulator, TResult>
            ? $"its aggregate has no merge, and {why}; give Aggregate a function that makes one accumulator of two"
            : $"{TypeName.Of(aggregate.GetType())} has no Merge, and {why}; override it to make one accumulator of two");
}
