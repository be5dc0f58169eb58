using OrleansStream.Exchange;
using OrleansStream.Functions;
using OrleansStream.Stages;

namespace OrleansStream.Graph;

/// <summary>Makes the operators of one subtask: from a stage's head along every edge that stays in the stage, to the channels of those that leave it.</summary>
internal sealed class ChainBuilder(PlannedStage stage, SubtaskContext context)
{
    private readonly List<IPartitionWriter> _writers = [];

    public SubtaskContext Context => context;

    public IServiceProvider Services => context.Services;

    /// <summary>Everything that writes to channels.</summary>
    public IReadOnlyList<IPartitionWriter> Writers => _writers;

    /// <summary>What a node's port feeds.</summary>
    public Output<T> OutputOf<T>(Port<T> port)
    {
        var targets = new List<Operator<T>>();
        foreach (var edge in port.Edges.Cast<Edge<T>>())
        {
            if (stage.Contains(edge.To))
            {
                targets.Add(edge.Entry.Build(this));
            }
            else
            {
                var writer = (Operator<T>)edge.BuildWriter(this, stage.OpenChannels(edge, context));
                _writers.Add((IPartitionWriter)writer);
                targets.Add(writer);
            }
        }

        return new Output<T>([.. targets]);
    }

    public Failures<T> FailuresOf<T>(Node node, OnError onError, Port<DeadLetter<T>>? deadLetters) =>
        new(context, node.Name, onError, deadLetters is null ? new Output<DeadLetter<T>>([]) : OutputOf(deadLetters));

    public IReadOnlyDictionary<string, ISideOutput> SidesOf(IEnumerable<ISidePort> ports) => ports.ToDictionary(static port => port.Name, port => port.Build(this));

    /// <summary>Notes an operator, so that it is opened, saved and closed. What a head feeds comes before it.</summary>
    public TOperator Add<TOperator>(TOperator made)
        where TOperator : Operator
    {
        context.Operators.Add(made);
        if (made is IAsyncOperator asynchronous) context.Asynchronous.Add(asynchronous);
        return made;
    }
}

/// <summary>A side output of a node, as far as it is read by anyone.</summary>
internal interface ISidePort
{
    string Name { get; }

    Port Port { get; }

    ISideOutput Build(ChainBuilder chain);
}

/// <inheritdoc/>
internal sealed class SidePort<T>(Port<T> port) : ISidePort
{
    public string Name => port.Side!;

    public Port Port => port;

    public Port<T> Typed => port;

    public ISideOutput Build(ChainBuilder chain) => new SideOutputTarget<T>(chain.OutputOf(port));
}
