using OrleansStream.Functions;
using OrleansStream.State;
using OrleansStream.Windows;

namespace OrleansStream.Graph;

/// <summary>Functions over whole windows.</summary>
public sealed partial class WindowedStream<TKey, T>
{
    /// <summary>Runs a function over all records of each key and window when it fires. All of them are kept until then; where an aggregate is enough, it takes much less.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="function">Makes the function, once per subtask, and now and then only to know what state it declares: when the graph is built, and when state is read that no subtask begins with yet.</param>
    /// <param name="onError">What happens to a record at which it throws. When it throws at the end of a window, where there is no record to blame, the attempt ends.</param>
    public DataStream<TOut> Process<TOut>(string name, Func<IServiceProvider, WindowFunction<TKey, T, TOut>> function, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(function);
        var states = StatesOf(function, out var problem);
        var node = AddGeneral<TOut>(name, onError, states.Window, states.Key, (services, outputs) =>
            Listed(scope => new FunctionTarget<TKey, T, TOut>(scope, outputs, function(services))));
        if (Evictor is null) StateCheck.CheckStored(_graph, node, "a record that is kept", typeof(T));
        return Finish(node, problem);
    }

    /// <summary>Folds the records of each key and window, and runs a function over the result when it fires: it knows the window, and has state, while only the accumulator is kept of the records.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="aggregate">The aggregate; it must keep nothing in fields.</param>
    /// <param name="function">Makes the function, once per subtask, and now and then only to know what state it declares: when the graph is built, and when state is read that no subtask begins with yet. It sees one record: the aggregate's result.</param>
    /// <param name="onError">What happens to a record at which one of them throws. When they throw at the end of a window, where there is no record to blame, the attempt ends.</param>
    public DataStream<TOut> Aggregate<TAccumulator, TResult, TOut>(
        string name, AggregateFunction<T, TAccumulator, TResult> aggregate, Func<IServiceProvider, WindowFunction<TKey, TResult, TOut>> function, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(aggregate);
        ArgumentNullException.ThrowIfNull(function);
        var states = StatesOf(function, out var problem);
        var node = AddGeneral<TOut>(name, onError, states.Window, states.Key, (services, outputs) =>
            Folded(aggregate, scope => new SingleTarget<TKey, TResult>(new FunctionTarget<TKey, TResult, TOut>(scope, outputs, function(services)))));
        CheckAggregate(node, aggregate);
        return Finish(node, problem);
    }

    /// <summary>Folds the records of each key and window into one of their own kind, and runs a function over it when the window fires.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="reduce">Makes one record of two.</param>
    /// <param name="function">Makes the function, once per subtask, and now and then only to know what state it declares: when the graph is built, and when state is read that no subtask begins with yet. It sees one record: what the others were reduced to.</param>
    /// <param name="onError">What happens to a record at which one of them throws.</param>
    public DataStream<TOut> Reduce<TOut>(string name, Func<T, T, T> reduce, Func<IServiceProvider, WindowFunction<TKey, T, TOut>> function, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(reduce);
        return Aggregate(name, new ReduceAggregate<T>(reduce), function, onError);
    }

    private DataStream<TOut> Finish<TOut>(KeyedNode<T, TOut> node, string? problem)
    {
        if (problem is not null) _graph.Refuse(node, problem);
        node.Properties["result"] = TypeName.Of(typeof(TOut));
        return new DataStream<TOut>(_graph, node.Port);
    }

    private (IReadOnlyList<StateDeclaration> Window, IReadOnlyList<StateDeclaration> Key) StatesOf<TIn, TOut>(Func<IServiceProvider, WindowFunction<TKey, TIn, TOut>> make, out string? problem)
    {
        try
        {
            problem = null;
            var function = make(_graph.Services);
            return (function.WindowStates, function.States);
        }
        catch (Exception error)
        {
            problem = $"its function could not be made to read its state declarations: {error.GetType().Name}: {error.Message}";
            return ([], []);
        }
    }
}
