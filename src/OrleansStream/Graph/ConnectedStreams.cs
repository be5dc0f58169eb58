using OrleansStream.Functions;

namespace OrleansStream.Graph;

/// <summary>Two streams side by side; say what to make of the records of either. Watermarks are the lower of both, and there is no order between the two.</summary>
/// <typeparam name="TFirst">The type of a record of the first stream.</typeparam>
/// <typeparam name="TSecond">The type of a record of the second stream.</typeparam>
public sealed class ConnectedStreams<TFirst, TSecond>
{
    private readonly DataStream<TFirst> _first;
    private readonly DataStream<TSecond> _second;

    internal ConnectedStreams(DataStream<TFirst> first, DataStream<TSecond> second)
    {
        _first = first;
        _second = second;
    }

    /// <summary>Maps each record of either stream to one.</summary>
    /// <param name="first">For records of the first stream: a static lambda, or one that captures immutable values.</param>
    /// <param name="second">For records of the second stream.</param>
    /// <param name="onError">What happens to a record at which it throws.</param>
    public DataStream<TOut> Select<TOut>(Func<TFirst, TOut> first, Func<TSecond, TOut> second, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        return Add("Select", null, onError, _ => new SelectEither<TFirst, TSecond, TOut>(first, second));
    }

    /// <summary>Maps each record of either stream to any number of records. One whose sequence throws half way leaves nothing behind.</summary>
    /// <inheritdoc cref="Select"/>
    public DataStream<TOut> SelectMany<TOut>(Func<TFirst, IEnumerable<TOut>> first, Func<TSecond, IEnumerable<TOut>> second, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        return Add("SelectMany", null, onError, _ => new SelectManyOfEither<TFirst, TSecond, TOut>(first, second));
    }

    /// <summary>Runs a function over the records of both streams.</summary>
    /// <param name="name">The operator's name: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="function">Makes the function, once per subtask, and when state is read that no subtask begins with yet.</param>
    /// <param name="onError">What happens to a record at which it throws.</param>
    public DataStream<TOut> Process<TOut>(string name, Func<IServiceProvider, CoFunction<TFirst, TSecond, TOut>> function, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add("Process", name ?? "", onError, function);
    }

    private DataStream<TOut> Add<TOut>(string kind, string? name, OnError onError, Func<IServiceProvider, CoFunction<TFirst, TSecond, TOut>> function)
    {
        var graph = _first.Graph;
        var node = graph.Add(new TwoInputNode<TFirst, TSecond, TOut>(graph, kind, name ?? graph.NextName(kind), name is not null, onError, (chain, self) =>
        {
            var scope = new FunctionScope<TOut>(self.Name, chain.Context, chain.OutputOf(self.Port), chain.SidesOf(self.Sides), undo: self.OnError == OnError.DeadLetter);
            var (first, second) = self.FailuresOf(chain);
            return new CoOperator<TFirst, TSecond, TOut>(chain.Context, function(chain.Services), scope, first, second) { Name = self.Name };
        }));
        node.Properties["result"] = TypeName.Of(typeof(TOut));
        _first.Connect(node.First);
        var firstInputs = node.Inputs.Count;
        _second.Connect(node.Second);
        node.NoteInputs(firstInputs);
        return new DataStream<TOut>(graph, node.Port);
    }
}

/// <summary>Two streams side by side whose records go, by key, to the subtask that owns the key. Watermarks are the lower of both, and there is no order between the two.</summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TFirst">The type of a record of the first stream.</typeparam>
/// <typeparam name="TSecond">The type of a record of the second stream.</typeparam>
public sealed class KeyedConnectedStreams<TKey, TFirst, TSecond>
    where TKey : notnull
{
    private readonly KeyedStream<TKey, TFirst> _first;
    private readonly KeyedStream<TKey, TSecond> _second;

    internal KeyedConnectedStreams(KeyedStream<TKey, TFirst> first, KeyedStream<TKey, TSecond> second)
    {
        _first = first;
        _second = second;
    }

    /// <summary>Runs a function over the records that both streams have for each key, with state and timers.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="function">Makes the function, once per subtask, and now and then only to know what state it declares: when the graph is built, and when state is read that no subtask begins with yet.</param>
    /// <param name="onError">What happens to a record at which it throws.</param>
    public DataStream<TOut> Process<TOut>(string name, Func<IServiceProvider, KeyedCoFunction<TKey, TFirst, TSecond, TOut>> function, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(function);
        var graph = _first.Graph;
        var node = new KeyedPair<TKey, TFirst, TSecond>(_first, _second)
            .Add<TOut>("Process", name, onError, (chain, _, _) => function(chain.Services), () => function(graph.Services).States, static _ => { });
        return new DataStream<TOut>(graph, node.Port);
    }
}
