using OrleansStream.Functions;
using OrleansStream.Patterns;
using OrleansStream.Stages;

namespace OrleansStream.Graph;

/// <content>Finding patterns among the records of each key.</content>
public sealed partial class KeyedStream<TKey, T>
{
    /// <summary>
    /// Finds a pattern among the records of each key, in the order of event time: records wait until the watermark has passed them, and those of one time keep the order in which they
    /// came. A match leaves with the time of the record that completed it, or of the end of what it had to wait for.
    /// </summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="pattern">What to find.</param>
    /// <param name="timedOut">Where partial matches go whose time ran out; read it with <see cref="DataStream{T}.SideOutput"/>.</param>
    /// <param name="late">Where records go that the watermark had passed when they came; read it with <see cref="DataStream{T}.SideOutput"/>. They are counted either way.</param>
    /// <param name="maxPartialMatches">The most partial matches of a key, and the most records in them. A record that would bring more is treated as one at which a condition throws.</param>
    /// <param name="onError">What happens to a record at which a condition throws. A record for the dead letters leaves no trace in the pattern.</param>
    public DataStream<Match<T>> Match(
        string name, Pattern<T> pattern, SideOutput<TimedOutMatch<T>>? timedOut = null, SideOutput<T>? late = null, int maxPartialMatches = 10_000, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        var graph = _stream.Graph;
        var node = graph.Add(new KeyedNode<T, Match<T>>(graph, "Match", name, onError, (chain, self) =>
        {
            var outputs = new PatternOutputs<T>(chain.OutputOf(self.Port), SideOf(timedOut, self, chain), SideOf(late, self, chain));
            var wantsTimedOut = timedOut is not null && self.Sides.Exists(side => side.Name == timedOut.Name);
            var failures = chain.FailuresOf(self, self.OnError, self.DeadLetters);
            return new PatternOperator<TKey, T>(self.Name, chain.Context, _key, PatternCompiler<T>.Compile(pattern), maxPartialMatches, outputs, wantsTimedOut, failures) { Name = self.Name };
        }));

        node.NeedsEventTime = true;
        foreach (var problem in PatternCheck.Problems(pattern)) graph.Refuse(node, problem);
        if (timedOut is not null && !PatternCheck.HasBound(pattern)) graph.Refuse(node, $"nothing can go to side output '{timedOut.Name}': the pattern has no Within, so nothing runs out of time");
        if (timedOut is not null && late is not null && timedOut.Name == late.Name) graph.Refuse(node, $"both side outputs are named '{late.Name}'");
        if (maxPartialMatches < 1) graph.Refuse(node, $"maxPartialMatches of {maxPartialMatches} must be 1 or more");
        StateCheck.CheckStored(graph, node, "what a pattern keeps", typeof(T));
        node.SideCheck = (side, record) => side == timedOut?.Name && record == typeof(TimedOutMatch<T>) ? null
            : side == late?.Name && record == typeof(T) ? null
            : "it emits only what ran out of time and what came late, to the outputs that Match is given";
        node.Properties["pattern"] = PatternText.Of(pattern);
        node.Properties["record"] = TypeName.Of(typeof(T));
        Connect(node);
        return new DataStream<Match<T>>(graph, node.Port);
    }

    private static Output<TSide> SideOf<TSide>(SideOutput<TSide>? output, KeyedNode<T, Match<T>> owner, ChainBuilder chain) =>
        output is not null && owner.Sides.Find(side => side.Name == output.Name) is SidePort<TSide> port ? chain.OutputOf(port.Typed) : new Output<TSide>([]);
}
