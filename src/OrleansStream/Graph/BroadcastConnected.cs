using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Graph;

/// <summary>A stream beside one that writes broadcast state.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
/// <typeparam name="TBroadcast">The type of a broadcast record.</typeparam>
public sealed class BroadcastConnected<T, TBroadcast>
{
    private readonly DataStream<T> _stream;
    private readonly BroadcastStream<TBroadcast> _broadcast;

    internal BroadcastConnected(DataStream<T> stream, BroadcastStream<TBroadcast> broadcast)
    {
        _stream = stream;
        _broadcast = broadcast;
    }

    /// <summary>Runs a function that reads, for the records of the stream, the state that the broadcast records write.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="function">Makes the function, once per subtask, and when state is read that no subtask begins with yet.</param>
    /// <param name="onError">What happens to a record at which it throws. A broadcast record becomes one dead letter, not one of each subtask.</param>
    public DataStream<TOut> Process<TOut>(string name, Func<IServiceProvider, BroadcastFunction<T, TBroadcast, TOut>> function, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(function);
        var graph = _stream.Graph;
        var declared = _broadcast.States;
        var node = graph.Add(new TwoInputNode<T, TBroadcast, TOut>(graph, "Process", name, isNamed: true, onError, (chain, self) =>
        {
            var table = new BroadcastTable(self.Name, declared, chain.Context.Serializers);
            var scope = new FunctionScope<TOut>(self.Name, chain.Context, chain.OutputOf(self.Port), chain.SidesOf(self.Sides), undo: self.OnError == OnError.DeadLetter) { BroadcastTable = table };
            var (first, second) = self.FailuresOf(chain);
            return new BroadcastOperator<T, TBroadcast, TOut>(chain.Context, function(chain.Services), scope, table, first, second) { Name = self.Name };
        }));
        node.Properties["result"] = TypeName.Of(typeof(TOut));
        BroadcastCheck.Check(graph, node, declared, []);
        _stream.Connect(node.First);
        var first = node.Inputs.Count;
        _broadcast.Stream.Connect(node.Second);
        node.NoteInputs(first);
        return new DataStream<TOut>(graph, node.Port);
    }
}

/// <summary>A keyed stream beside one that writes broadcast state.</summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="T">The type of a record.</typeparam>
/// <typeparam name="TBroadcast">The type of a broadcast record.</typeparam>
public sealed class KeyedBroadcastConnected<TKey, T, TBroadcast>
    where TKey : notnull
{
    private readonly KeyedStream<TKey, T> _keyed;
    private readonly BroadcastStream<TBroadcast> _broadcast;

    internal KeyedBroadcastConnected(KeyedStream<TKey, T> keyed, BroadcastStream<TBroadcast> broadcast)
    {
        _keyed = keyed;
        _broadcast = broadcast;
    }

    /// <summary>Runs a function over the records of each key, with state and timers, that also reads the state that the broadcast records write.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="function">Makes the function, once per subtask, and now and then only to know what state it declares: when the graph is built, and when state is read that no subtask begins with yet.</param>
    /// <param name="onError">What happens to a record at which it throws. A broadcast record becomes one dead letter, not one of each subtask.</param>
    public DataStream<TOut> Process<TOut>(string name, Func<IServiceProvider, KeyedBroadcastFunction<TKey, T, TBroadcast, TOut>> function, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(function);
        var graph = _keyed.Graph;
        var declared = _broadcast.States;
        IReadOnlyList<StateDeclaration> states = [];
        var node = graph.Add(new TwoInputNode<T, TBroadcast, TOut>(graph, "Process", name, isNamed: true, onError, (chain, self) =>
        {
            var table = new BroadcastTable(self.Name, declared, chain.Context.Serializers);
            var output = chain.OutputOf(self.Port);
            var scope = new KeyedScope<TKey, TOut>(self.Name, chain.Context, states, output, chain.SidesOf(self.Sides), undo: self.OnError == OnError.DeadLetter) { BroadcastTable = table };
            var (first, second) = self.FailuresOf(chain);
            return new KeyedBroadcastOperator<TKey, T, TBroadcast, TOut>(chain.Context, _keyed.Key, function(chain.Services), scope, table, first, second) { Name = self.Name };
        }));
        states = StateCheck.Declared(graph, node, () => function(graph.Services).States);
        node.Properties["result"] = TypeName.Of(typeof(TOut));
        BroadcastCheck.Check(graph, node, declared, states);
        _keyed.Connect(node.First);
        var first = node.Inputs.Count;
        _broadcast.Stream.Connect(node.Second);
        node.NoteInputs(first);
        return new DataStream<TOut>(graph, node.Port);
    }
}

/// <summary>Checks, when the graph is built, what a broadcast is said to write.</summary>
internal static class BroadcastCheck
{
    public static void Check(JobGraph graph, Node node, IReadOnlyList<BroadcastDeclaration> declared, IReadOnlyList<StateDeclaration> states)
    {
        if (declared.Count == 0) graph.Refuse(node, "its broadcast side writes no state; give Broadcast the states that it writes");
        var names = states.Select(static state => state.Name).ToHashSet();
        foreach (var state in declared)
        {
            if (!JobGraph.Named().IsMatch(state.Name)) graph.Refuse(node, $"the name of broadcast state '{state.Name}' must have 1 to 64 characters of a-z, 0-9 and '-'");
            if (!names.Add(state.Name)) graph.Refuse(node, $"state '{state.Name}' is declared twice");
            StateCheck.CheckStored(graph, node, $"broadcast state '{state.Name}'", state.ValueType);
            if (!KeyCodec.IsSupported(state.MapKeyType)) graph.Refuse(node, $"broadcast state '{state.Name}' has map keys of {TypeName.Of(state.MapKeyType)}; a key is a string, an integer, a Guid, or a tuple of these");
            node.Properties[$"broadcast:{state.Name}"] = TypeName.Of(state.GetType());
        }
    }
}
