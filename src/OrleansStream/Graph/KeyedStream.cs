using OrleansStream.Functions;
using OrleansStream.State;
using OrleansStream.Windows;

namespace OrleansStream.Graph;

/// <summary>A stream whose records go to the subtask that owns their key; operators on it have state per key.</summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed partial class KeyedStream<TKey, T>
    where TKey : notnull
{
    private readonly DataStream<T> _stream;
    private readonly Func<T, TKey> _key;

    internal KeyedStream(DataStream<T> stream, Func<T, TKey> key)
    {
        _stream = stream;
        _key = key;
    }

    /// <summary>Runs a function over the records of each key, with state and timers.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="function">Makes the function, once per subtask, and now and then only to know what state it declares: when the graph is built, and when state is read that no subtask begins with yet.</param>
    /// <param name="onError">What happens to a record at which it throws.</param>
    public DataStream<TOut> Process<TOut>(string name, Func<IServiceProvider, KeyedFunction<TKey, T, TOut>> function, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Keyed("Process", name, function, onError, static _ => { });
    }

    /// <summary>Adds a keyed function under the name of the operator that it makes.</summary>
    internal DataStream<TOut> Keyed<TOut>(string kind, string name, Func<IServiceProvider, KeyedFunction<TKey, T, TOut>> function, OnError onError, Action<KeyedNode<T, TOut>> check)
    {
        var graph = _stream.Graph;
        IReadOnlyList<StateDeclaration> states = [];
        var node = graph.Add(new KeyedNode<T, TOut>(graph, kind, name, onError, (chain, self) =>
        {
            var output = chain.OutputOf(self.Port);
            var sides = chain.SidesOf(self.Sides);
            var scope = new KeyedScope<TKey, TOut>(self.Name, chain.Context, states, output, sides, undo: self.OnError == OnError.DeadLetter);
            return new KeyedOperator<TKey, T, TOut>(chain.Context, _key, function(chain.Services), scope, chain.FailuresOf(self, self.OnError, self.DeadLetters)) { Name = self.Name };
        }));
        states = StateCheck.Declared(graph, node, () => function(graph.Services).States);
        node.Properties["result"] = TypeName.Of(typeof(TOut));
        check(node);
        Connect(node);
        return new DataStream<TOut>(graph, node.Port);
    }

    /// <summary>Divides the records of each key into windows.</summary>
    /// <param name="windows">Which windows: by time, by sessions, by number, or one for all.</param>
    /// <param name="allowedLateness">How long after its end a window is kept: each record that still comes fires it again with the new result.</param>
    /// <param name="late">Where records go whose window is gone; read it with <see cref="DataStream{T}.SideOutput"/>. They are counted either way.</param>
    public WindowedStream<TKey, T> Window(WindowAssigner windows, TimeSpan allowedLateness = default, SideOutput<T>? late = null)
    {
        ArgumentNullException.ThrowIfNull(windows);
        return new WindowedStream<TKey, T>(_stream.Graph, this, windows, allowedLateness, late);
    }

    internal Func<T, TKey> Key => _key;

    internal void Connect(IEntry<T> entry)
    {
        var node = entry.Node;
        node.Properties["key"] = TypeName.Of(typeof(TKey));
        if (node.Inputs.Count == 0 && !KeyCodec.IsSupported(typeof(TKey)))
        {
            _stream.Graph.Refuse(node, $"its key is a {TypeName.Of(typeof(TKey))}; a key is a string, an integer, a Guid, or a tuple of these");
        }

        foreach (var port in _stream.Ports) DataStream<T>.Join(new KeyedEdge<TKey, T>(port, entry, _key));
    }
}
