using OrleansStream.Exchange;
using OrleansStream.Functions;
using OrleansStream.Sinks;
using OrleansStream.Stages;
using OrleansStream.Time;

namespace OrleansStream.Graph;

/// <summary>The records that leave an operator, or several. Each method adds an operator to the graph; nothing runs before the job does.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed partial class DataStream<T>
{
    private readonly JobGraph _graph;
    private readonly IReadOnlyList<(Port<T> Port, Partitioning Partitioning, Func<T, int, int>? ByHand)> _ports;

    internal DataStream(JobGraph graph, Port<T> port)
        : this(graph, [(port, Partitioning.Forward, null)])
    {
    }

    private DataStream(JobGraph graph, IReadOnlyList<(Port<T> Port, Partitioning Partitioning, Func<T, int, int>? ByHand)> ports)
    {
        _graph = graph;
        _ports = ports;
    }

    internal JobGraph Graph => _graph;

    internal IEnumerable<Port<T>> Ports => _ports.Select(static from => from.Port);

    private Node FirstOwner => _ports[0].Port.Owner;

    /// <summary>Gives each record its event time, and says how far records may be out of order. Needed before any event-time window or timer.</summary>
    /// <param name="timestamp">Reads the record's time.</param>
    /// <param name="maxOutOfOrderness">How much earlier than the latest record a record may come and still be on time.</param>
    /// <param name="idleAfter">After how long without records a split stops holding back the others; never when null.</param>
    /// <param name="onError">What happens to a record whose time cannot be read.</param>
    public DataStream<T> WithTimestamps(Func<T, DateTimeOffset> timestamp, TimeSpan maxOutOfOrderness, TimeSpan? idleAfter = null, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(timestamp);
        return Timestamps(record => EventTime.FromDateTime(timestamp(record)), Bounded(maxOutOfOrderness, idleAfter), onError);
    }

    /// <summary>Gives each record its event time in milliseconds since 1970-01-01T00:00:00Z, and says how far records may be out of order.</summary>
    /// <inheritdoc cref="WithTimestamps(Func{T, DateTimeOffset}, TimeSpan, TimeSpan?, OnError)"/>
    public DataStream<T> WithTimestamps(Func<T, long> timestamp, TimeSpan maxOutOfOrderness, TimeSpan? idleAfter = null, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(timestamp);
        return Timestamps(timestamp, Bounded(maxOutOfOrderness, idleAfter), onError);
    }

    /// <summary>Keeps the times that the source gave, and says how far records may be out of order.</summary>
    /// <inheritdoc cref="WithTimestamps(Func{T, DateTimeOffset}, TimeSpan, TimeSpan?, OnError)"/>
    public DataStream<T> WithTimestamps(TimeSpan maxOutOfOrderness, TimeSpan? idleAfter = null) => Timestamps(null, Bounded(maxOutOfOrderness, idleAfter), OnError.Fail);

    /// <summary>Maps each record to one.</summary>
    /// <param name="map">A static lambda, or one that captures immutable values.</param>
    /// <param name="onError">What happens to a record at which it throws.</param>
    public DataStream<TOut> Select<TOut>(Func<T, TOut> map, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(map);
        return Stateless<TOut>("Select", onError, (output, failures, name) => new SelectOperator<T, TOut>(map, output, failures) { Name = name });
    }

    /// <summary>Keeps the records for which the predicate holds.</summary>
    /// <param name="predicate">A static lambda, or one that captures immutable values.</param>
    /// <param name="onError">What happens to a record at which it throws.</param>
    public DataStream<T> Where(Func<T, bool> predicate, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        return Stateless<T>("Where", onError, (output, failures, name) => new WhereOperator<T>(predicate, output, failures) { Name = name });
    }

    /// <summary>Maps each record to any number of records.</summary>
    /// <param name="map">A static lambda, or one that captures immutable values.</param>
    /// <param name="onError">What happens to a record at which it throws.</param>
    public DataStream<TOut> SelectMany<TOut>(Func<T, IEnumerable<TOut>> map, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(map);
        return Stateless<TOut>("SelectMany", onError, (output, failures, name) => new SelectManyOperator<T, TOut>(map, output, failures) { Name = name });
    }

    /// <summary>Puts the records of several streams together, in no order between them. The watermark is the lowest of theirs. Each stream may be there once.</summary>
    public DataStream<T> Merge(params IEnumerable<DataStream<T>> others)
    {
        ArgumentNullException.ThrowIfNull(others);
        return Merged(others);
    }

    /// <summary>Sends the records of each key, in order, to the one subtask that owns the key.</summary>
    /// <param name="key">Reads the record's key: a string, an integer, a Guid, or a tuple of these; not null.</param>
    public KeyedStream<TKey, T> KeyBy<TKey>(Func<T, TKey> key)
        where TKey : notnull
    {
        ArgumentNullException.ThrowIfNull(key);
        RefusePartitioned("KeyBy");
        return new KeyedStream<TKey, T>(this, key);
    }

    /// <summary>Spreads records evenly over the subtasks of the next operator. Order is kept only between records that go to the same one.</summary>
    public DataStream<T> Rebalance() => Partitioned(Partitioning.Rebalance);

    /// <summary>Sends every record to every subtask of the next operator.</summary>
    public DataStream<T> Broadcast() => Partitioned(Partitioning.Broadcast);

    /// <summary>The records that the operator emits to a side output.</summary>
    public DataStream<TSide> SideOutput<TSide>(SideOutput<TSide> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var owner = FirstOwner;
        if (_ports.Count > 1 || owner is not ISideOwner sides)
        {
            _graph.Refuse(owner, $"side output '{output.Name}' is read from it, but it has none; ask the operator that emits to it, before Select, Where or Merge");
            return new DataStream<TSide>(_graph, new Port<TSide>(owner, output.Name));
        }

        if (!JobGraph.Named().IsMatch(output.Name)) _graph.Refuse(owner, $"the name of side output '{output.Name}' must have 1 to 64 characters of a-z, 0-9 and '-'");
        if (sides.SideProblem(output.Name, typeof(TSide)) is { } problem)
        {
            _graph.Refuse(owner, $"side output '{output.Name}' of {TypeName.Of(typeof(TSide))} is read from it, but {problem}");
            return new DataStream<TSide>(_graph, new Port<TSide>(owner, output.Name));
        }

        var known = sides.Sides.Find(side => side.Name == output.Name);
        if (known is SidePort<TSide> same) return new DataStream<TSide>(_graph, same.Typed);
        if (known is not null) _graph.Refuse(owner, $"side output '{output.Name}' is declared with two record types");
        var port = new Port<TSide>(owner, output.Name);
        sides.Sides.Add(new SidePort<TSide>(port));
        return new DataStream<TSide>(_graph, port);
    }

    /// <summary>The records at which the operator's function threw, when it was given <see cref="OnError.DeadLetter"/>.</summary>
    /// <typeparam name="TIn">The type of the operator's input; of either, when it has two. Two inputs of one type share their dead letters.</typeparam>
    public DataStream<DeadLetter<TIn>> DeadLetters<TIn>()
    {
        var owner = FirstOwner;
        if (_ports.Count == 1 && owner is IDeadLetterOwner<TIn> letters)
        {
            if (letters.OnError != OnError.DeadLetter) RefuseLetters(owner);
            return new DataStream<DeadLetter<TIn>>(_graph, letters.DeadLetters);
        }

        if (_ports.Count == 1 && owner is ITwoInputs two && two.LettersOf<TIn>() is { } ofEither)
        {
            if (two.OnError != OnError.DeadLetter) RefuseLetters(owner);
            return new DataStream<DeadLetter<TIn>>(_graph, ofEither);
        }

        _graph.Refuse(owner, $"dead letters of {TypeName.Of(typeof(TIn))} are read from it, but it takes no such records");
        return new DataStream<DeadLetter<TIn>>(_graph, new Port<DeadLetter<TIn>>(owner, "dead-letters"));
    }

    /// <summary>Writes the records to a sink.</summary>
    /// <param name="name">The sink's name, by which its output is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="sink">Where to write.</param>
    public void To(string name, Sink<T> sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        _graph.LimitFiles(sink);
        var node = _graph.Add(new SinkNodeOf<T>(_graph, name, _graph.StandIns?.For(name, sink) ?? sink));
        node.Properties["record"] = TypeName.Of(typeof(T));
        node.Properties["sink"] = TypeName.Of(sink.GetType());
        Connect(node);
    }

    internal void Connect(IEntry<T> entry)
    {
        foreach (var (port, partitioning, byHand) in _ports) Join(byHand is null ? new Edge<T>(port, entry, partitioning) : new ByHandEdge<T>(port, entry, byHand));
    }

    internal static void Join(Edge<T> edge)
    {
        var graph = edge.To.Graph;
        if (edge.From.Owner.Graph != graph) graph.Refuse(edge.To, $"it takes records from '{edge.From.Owner.Name}', which belongs to another graph");
        edge.From.Edges.Add(edge);
        edge.To.Inputs.Add(edge);
    }

    private void RefuseLetters(Node owner) => _graph.Refuse(owner, "its dead letters are read, but it ends the attempt instead of writing any; give it OnError.DeadLetter");

    private DataStream<TOut> Stateless<TOut>(string kind, OnError onError, Func<Output<TOut>, Failures<T>, string, Operator<T>> make)
    {
        var node = _graph.Add(new StatelessNode<T, TOut>(_graph, kind, _graph.NextName(kind), onError, make));
        node.Properties["result"] = TypeName.Of(typeof(TOut));
        Connect(node);
        return new DataStream<TOut>(_graph, node.Port);
    }
}

/// <summary>A node with side outputs.</summary>
internal interface ISideOwner
{
    List<ISidePort> Sides { get; }

    /// <summary>Why the node can never emit to a side output; null when it may.</summary>
    string? SideProblem(string name, Type record) => null;
}

/// <summary>A node with dead letters.</summary>
internal interface IDeadLetterOwner<T>
{
    OnError OnError { get; }

    Port<DeadLetter<T>> DeadLetters { get; }
}
