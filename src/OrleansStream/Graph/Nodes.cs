using OrleansStream.Functions;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.Time;

namespace OrleansStream.Graph;

/// <summary>A node that reads a source.</summary>
internal abstract class SourceNode(JobGraph graph, string name) : Node(graph, "From", name, isNamed: true)
{
    public abstract bool IsReplayable { get; }

    /// <summary>Whether its splits bring their watermarks with them.</summary>
    public abstract bool IsTimed { get; }

    public abstract ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation);

    public abstract SourceHead Build(ChainBuilder chain);

    public sealed override Operator BuildOperator(ChainBuilder chain) => Build(chain);
}

/// <inheritdoc/>
internal sealed class SourceNode<T> : SourceNode, ISideOwner
{
    private readonly Source<T> _source;
    private readonly double? _recordsPerSecond;

    public SourceNode(JobGraph graph, string name, Source<T> source, double? recordsPerSecond)
        : base(graph, name)
    {
        _source = source;
        _recordsPerSecond = recordsPerSecond;
        Port = new Port<T>(this);
    }

    public Port<T> Port { get; }

    public List<ISidePort> Sides { get; } = [];

    public override bool IsReplayable => _source.IsReplayable;

    public override bool IsTimed => _source is ITimedSource;

    public override ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation) => _source.DiscoverAsync(cancellation);

    public override SourceHead Build(ChainBuilder chain)
    {
        var output = chain.OutputOf(Port);
        if (IsTimed)
        {
            var watermarks = chain.Add(new SourceWatermarks<T>(chain.Context, output) { Name = Name });
            // Where WithTimestamps follows, it begins the watermarks anew.
            chain.Context.WatermarkOrigin ??= watermarks;
            output = new Output<T>([watermarks]);
        }

        var head = new SourceHead<T>(chain.Context, _source, _recordsPerSecond, output, chain.SidesOf(Sides)) { Name = Name };
        chain.Context.Source = head;
        return chain.Add(head);
    }
}

/// <summary>Select, Where or SelectMany.</summary>
internal sealed class StatelessNode<TIn, TOut>(
    JobGraph graph, string kind, string name, OnError onError, Func<Output<TOut>, Failures<TIn>, string, Operator<TIn>> make)
    : ConsumerNode<TIn>(graph, kind, name, isNamed: false), IDeadLetterOwner<TIn>
{
    public OnError OnError => onError;

    public Port<TOut> Port => field ??= new Port<TOut>(this);

    public Port<DeadLetter<TIn>> DeadLetters => field ??= new Port<DeadLetter<TIn>>(this, "dead-letters");

    public override Operator<TIn> Build(ChainBuilder chain) => chain.Add(make(chain.OutputOf(Port), chain.FailuresOf(this, onError, DeadLetters), Name));
}

/// <summary>A node behind a keyed exchange: a function or a window.</summary>
internal sealed class KeyedNode<TIn, TOut>(JobGraph graph, string kind, string name, OnError onError, Func<ChainBuilder, KeyedNode<TIn, TOut>, Operator<TIn>> make)
    : ConsumerNode<TIn>(graph, kind, name, isNamed: true), ISideOwner, IDeadLetterOwner<TIn>
{
    public OnError OnError => onError;

    public Port<TOut> Port => field ??= new Port<TOut>(this);

    public Port<DeadLetter<TIn>> DeadLetters => field ??= new Port<DeadLetter<TIn>>(this, "dead-letters");

    public List<ISidePort> Sides { get; } = [];

    /// <summary>Says why the operator never emits to a side output; a function may emit to any.</summary>
    public Func<string, Type, string?> SideCheck { get; set; } = static (_, _) => null;

    public string? SideProblem(string name, Type record) => SideCheck(name, record);

    public override Operator<TIn> Build(ChainBuilder chain) => chain.Add(make(chain, this));
}

/// <summary>A node that writes a sink.</summary>
internal abstract class SinkNode<T>(JobGraph graph, string name) : ConsumerNode<T>(graph, "To", name, isNamed: true), ISinkNode
{
    public abstract SinkGuarantee Guarantee { get; }

    public abstract ISinkCommitter Committer { get; }

    public abstract ValueTask InitializeAsync(CancellationToken cancellation);
}

/// <summary>A sink whose record type does not matter.</summary>
internal interface ISinkNode
{
    string Name { get; }

    SinkGuarantee Guarantee { get; }

    ISinkCommitter Committer { get; }

    ValueTask InitializeAsync(CancellationToken cancellation);
}

/// <inheritdoc/>
internal sealed class SinkNodeOf<T>(JobGraph graph, string name, Sink<T> sink) : SinkNode<T>(graph, name)
{
    public override SinkGuarantee Guarantee => sink.Guarantee;

    public override ISinkCommitter Committer => sink;

    public override ValueTask InitializeAsync(CancellationToken cancellation) => sink.InitializeAsync(cancellation);

    public override Operator<T> Build(ChainBuilder chain) => chain.Add(new SinkOperator<T>(chain.Context, sink) { Name = Name });
}
