using OrleansStream.Exchange;
using OrleansStream.Stages;

namespace OrleansStream.Graph;

/// <summary>One operator of a job's graph.</summary>
internal abstract class Node(JobGraph graph, string kind, string name, bool isNamed)
{
    public JobGraph Graph => graph;

    /// <summary>The operator's public name: Select, Window, To.</summary>
    public string Kind => kind;

    /// <summary>The written name, or one made from the position for operators without state.</summary>
    public string Name => name;

    /// <summary>Whether the user wrote the name.</summary>
    public bool IsNamed => isNamed;

    public int Number { get; set; }

    public List<Edge> Inputs { get; } = [];

    /// <summary>What distinguishes the operator beyond its kind and types: sizes, state names. Part of the fingerprint.</summary>
    public SortedDictionary<string, string> Properties { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether its results come with the watermark, so that records without event time would wait for ever.</summary>
    public bool NeedsEventTime { get; set; }

    /// <summary>Types that travel or rest and so must have generated serializers.</summary>
    public List<(string Place, Type Type)> StoredTypes { get; } = [];

    /// <summary>Makes the operator and, below it, everything chained to it.</summary>
    public abstract Operator BuildOperator(ChainBuilder chain);
}

/// <summary>Where records of one type enter a node: a node of two inputs has two entries.</summary>
internal interface IEntry<T>
{
    Node Node { get; }

    /// <summary>Makes the operator of a node that is chained to the one above.</summary>
    Operator<T> Build(ChainBuilder chain);

    /// <summary>The end of the node's operator, at the head of a stage, that takes what enters here.</summary>
    Operator<T> EndOf(Operator head);
}

/// <summary>A node that takes records of one type, from one or several edges.</summary>
internal abstract class ConsumerNode<T>(JobGraph graph, string kind, string name, bool isNamed) : Node(graph, kind, name, isNamed), IEntry<T>
{
    public Node Node => this;

    public Operator<T> EndOf(Operator head) => (Operator<T>)head;

    /// <summary>Makes the operator and, below it, everything chained to it.</summary>
    public abstract Operator<T> Build(ChainBuilder chain);

    public sealed override Operator BuildOperator(ChainBuilder chain) => Build(chain);
}

/// <summary>The end of a node from which records leave; side outputs have names.</summary>
internal abstract class Port(Node owner, string? side)
{
    public Node Owner => owner;

    public string? Side => side;

    public abstract Type RecordType { get; }

    public List<Edge> Edges { get; } = [];
}

/// <inheritdoc/>
internal sealed class Port<T>(Node owner, string? side = null) : Port(owner, side)
{
    public override Type RecordType => typeof(T);
}

/// <summary>Records of one port going to one node.</summary>
internal abstract class Edge(Port from, Node to, Partitioning partitioning)
{
    public Port From => from;

    public Node To => to;

    public Partitioning Partitioning => partitioning;

    /// <summary>Makes the end of the upper stage's chain that writes the edge's channels.</summary>
    public abstract Operator BuildWriter(ChainBuilder chain, OutputChannel[] channels);

    /// <summary>Makes what hands the batches of the edge to the lower stage's head.</summary>
    public abstract EdgeReceiver BuildReceiver(Operator head);
}

/// <inheritdoc/>
internal class Edge<T>(Port<T> from, IEntry<T> to, Partitioning partitioning) : Edge(from, to.Node, partitioning)
{
    public IEntry<T> Entry => to;

    public override Operator BuildWriter(ChainBuilder chain, OutputChannel[] channels) => Partitioning switch
    {
        Partitioning.Rebalance => new RebalanceWriter<T>(channels, chain.Context.Id.Index, chain.Context) { Name = "rebalance" },
        Partitioning.Forward or Partitioning.Broadcast => new BroadcastWriter<T>(channels, chain.Context) { Name = "forward" },
        _ => throw new InvariantException($"An edge into '{To.Name}' without key is partitioned {Partitioning}."),
    };

    public override EdgeReceiver BuildReceiver(Operator head) => new EdgeReceiver<T>(to.EndOf(head));
}

/// <summary>Records going to the subtask that owns their key.</summary>
internal sealed class KeyedEdge<TKey, T>(Port<T> from, IEntry<T> to, Func<T, TKey> key) : Edge<T>(from, to, Partitioning.ByKey)
    where TKey : notnull
{
    public override Operator BuildWriter(ChainBuilder chain, OutputChannel[] channels) =>
        new KeyWriter<TKey, T>(channels, key, chain.FailuresOf<T>(To, Functions.OnError.Fail, null), chain.Context) { Name = "key-by" };
}

/// <summary>Records going to the subtask that a function of the user's chooses.</summary>
internal sealed class ByHandEdge<T>(Port<T> from, IEntry<T> to, Func<T, int, int> partition) : Edge<T>(from, to, Partitioning.ByHand)
{
    public override Operator BuildWriter(ChainBuilder chain, OutputChannel[] channels) =>
        new ByHandWriter<T>(channels, partition, chain.FailuresOf<T>(To, Functions.OnError.Fail, null), chain.Context) { Name = "partition-by" };
}
