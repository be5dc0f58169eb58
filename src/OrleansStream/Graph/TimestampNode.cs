using OrleansStream.Exchange;
using OrleansStream.Functions;
using OrleansStream.Stages;
using OrleansStream.Time;

namespace OrleansStream.Graph;

/// <summary>A node that gives records their event time, whatever their type.</summary>
internal interface ITimestampNode
{
    /// <summary>The group in which its source waits for others; null for none.</summary>
    string? AlignmentGroup { get; }
}

/// <summary>Gives records their event time.</summary>
internal sealed class TimestampNode<T>(JobGraph graph, string name, Func<T, long>? select, WatermarkStrategy<T> strategy, OnError onError)
    : ConsumerNode<T>(graph, "WithTimestamps", name, isNamed: false), IDeadLetterOwner<T>, ITimestampNode
{
    private const double MostDays = 36_500;

    public OnError OnError => onError;

    public string? AlignmentGroup => strategy.AlignmentGroup;

    public Port<T> Port => field ??= new Port<T>(this);

    public Port<DeadLetter<T>> DeadLetters => field ??= new Port<DeadLetter<T>>(this, "dead-letters");

    /// <summary>What of the strategy is schema: how watermarks are judged, and so what is saved of them. Idleness and alignment are policy.</summary>
    public void Describe()
    {
        if (strategy.MaxOutOfOrderness is { } bound) Properties["maxOutOfOrderness"] = bound.ToString("c");
        else Properties["watermarks"] = strategy.IsCustom ? "custom" : "punctuated";
    }

    /// <summary>Refuses what cannot be; to be asked when the node is connected.</summary>
    public void Check()
    {
        if (strategy.MaxOutOfOrderness is { } bound && (bound < TimeSpan.Zero || bound.TotalDays > MostDays)) Graph.Refuse(this, $"a maxOutOfOrderness of {bound} is not between 0 and 100 years");
        if (strategy.IdleAfter is { } idle && idle <= TimeSpan.Zero) Graph.Refuse(this, $"an idleAfter of {idle} must be above 0");
        else if (strategy.IdleAfter < TimeSpan.FromMilliseconds(1)) Graph.Refuse(this, $"an idleAfter of {strategy.IdleAfter} is less than a millisecond");
        if (strategy.Period < TimeSpan.FromMilliseconds(1)) Graph.Refuse(this, $"a period of {strategy.Period} between calls of a watermark generator is less than a millisecond");
        if (strategy.AlignmentGroup is { } group) CheckAlignment(group);
    }

    public override Operator<T> Build(ChainBuilder chain)
    {
        var context = chain.Context;
        var watermarks = new SplitWatermarks(strategy.MaxOutOfOrderness is { } bound ? (long)bound.TotalMilliseconds : SplitWatermarks.NoBound, Milliseconds(strategy.IdleAfter));
        var generators = strategy.Generator is { } make ? new SplitGenerators<T>(make, Milliseconds(strategy.Period)) : null;
        if (strategy.AlignmentGroup is { } group)
        {
            var members = Graph.Nodes.OfType<ITimestampNode>().Count(node => node.AlignmentGroup == group) * context.Parallelism;
            context.Alignment = new SplitAlignment(context, watermarks, group, (long)strategy.MaxDrift.TotalMilliseconds, hasOthers: members > 1);
        }

        var made = new TimestampOperator<T>(
            context, select, watermarks, chain.OutputOf(Port), chain.FailuresOf(this, onError, DeadLetters), generators, strategy.AlignmentGroup is null ? null : context.Alignment)
        { Name = Name };
        context.WatermarkOrigin = made;
        return chain.Add(made);
    }

    private void CheckAlignment(string group)
    {
        if (!JobGraph.Named().IsMatch(group)) Graph.Refuse(this, $"the name of alignment group '{group}' must have 1 to 64 characters of a-z, 0-9 and '-'");
        if (strategy.MaxDrift < TimeSpan.FromMilliseconds(1) || strategy.MaxDrift.TotalDays > MostDays) Graph.Refuse(this, $"a maxDrift of {strategy.MaxDrift} is not between 1 millisecond and 100 years");
        if (SourceAbove(this) is not { } source)
        {
            Graph.Refuse(this, "alignment pauses the splits of one source, and there is none in the same stage; put WithTimestamps behind From, before Merge, KeyBy, Rebalance or Broadcast");
        }
        else if (Graph.Nodes.Any(other => other != this && other is ITimestampNode { AlignmentGroup: not null } && SourceAbove(other) == source))
        {
            Graph.Refuse(this, $"source '{source.Name}' is in an alignment group by another WithTimestamps already; a source can be in one only");
        }
    }

    /// <summary>The source that heads the node's stage; null where there is none.</summary>
    private static SourceNode? SourceAbove(Node node)
    {
        while (node.Inputs is [{ Partitioning: Partitioning.Forward } only]) node = only.From.Owner;
        return node as SourceNode;
    }

    private static long? Milliseconds(TimeSpan? time) => time is { } some ? (long)some.TotalMilliseconds : null;
}
