using OrleansStream.Benchmarks.Parts;
using OrleansStream.Graph;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Windows;

namespace OrleansStream.Benchmarks.Memory;

/// <summary>A kind of state: what is kept, how many records of a key it takes, and what keeps it.</summary>
/// <typeparam name="TKey">The type of the keys.</typeparam>
/// <param name="Name">What is kept of a key.</param>
/// <param name="Records">Records of each key, a second apart.</param>
/// <param name="Add">Adds the operator to a graph, over the streams that come of two sources.</param>
internal sealed record MemoryCase<TKey>(string Name, int Records, Action<KeyedStream<TKey, Entry<TKey>>, KeyedStream<TKey, Entry<TKey>>> Add)
    where TKey : notnull
{
    /// <summary>Whether the watermark passes the records before it is measured.</summary>
    public bool IsPassed { get; init; }

    public static IReadOnlyList<MemoryCase<TKey>> All { get; } =
    [
        Kept("value", 1, KeptStates.Value, static (in record, ref context) => context.Set(KeptStates.Value, record.Value)),
        Kept("value with a time to live", 1, KeptStates.Expiring, static (in record, ref context) => context.Set(KeptStates.Expiring, record.Value)),
        List(1), List(4), Map(1), Map(4),
        Kept("reducing", 1, KeptStates.Reducing, static (in record, ref context) => context.Add(KeptStates.Reducing, record.Value)),
        Kept("aggregating: a sum and a count", 1, KeptStates.Aggregating, static (in record, ref context) => context.Add(KeptStates.Aggregating, record.Value)),
        Kept("a timer and no state", 1, null, static (in record, ref context) => context.RegisterEventTimer(context.Timestamp + 3_600_000)),
        Window("tumbling window of 10 s: a count", 1, TumblingWindows.Of(TimeSpan.FromSeconds(10))),
        Window("sliding window of 10 s every 1 s: a count, a record in 1 s", 1, SlidingWindows.Of(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1))),
        Window("the same, with a record in each of 10 s", 10, SlidingWindows.Of(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1))),
        Window("session window with a gap of 10 s: a count", 1, SessionWindows.WithGap(TimeSpan.FromSeconds(10))),
        new("interval join: a row that waits", 1, static (left, right) => left.Join(right).Between(TimeSpan.Zero, TimeSpan.FromHours(1)).Select("kept", static (one, other) => one.Value + other.Value)),
        new("Deduplicate, for ever", 1, static (stream, _) => stream.Deduplicate("kept")),
        new("Deduplicate, within an hour", 1, static (stream, _) => stream.Deduplicate("kept", within: TimeSpan.FromHours(1))),
        new("TopN of 3: a row", 1, static (stream, _) => stream.TopN("kept", 3, static record => record.Value)),
        new("TopN of 3: three rows", 3, static (stream, _) => stream.TopN("kept", 3, static record => record.Value)),
        new("pattern: a record that the watermark has not passed", 1, Match),
        new("pattern: a partial match of one record", 1, Match) { IsPassed = true },
    ];

    /// <summary>Makes the operator as a job of the graph does, for all keys.</summary>
    public (Operator Head, Operator<Entry<TKey>> Entry) Build(SubtaskContext context)
    {
        var graph = new JobGraph(PartSetup.Services);
        Add(From(graph, "first"), From(graph, "second"));
        if (graph.Problems.Count > 0) throw new InvalidOperationException(string.Join('\n', graph.Problems));
        var node = graph.Nodes[^1];
        var stage = new PlannedStage(0, node, parallelism: 1);
        stage.Add(node);
        var head = node.BuildOperator(new ChainBuilder(stage, context));
        return (head, ((Edge<Entry<TKey>>)node.Inputs[0]).Entry.EndOf(head));
    }

    private static KeyedStream<TKey, Entry<TKey>> From(JobGraph graph, string name) => graph.From(name, Collections.From<Entry<TKey>>([])).KeyBy(static record => record.Key);

    private static MemoryCase<TKey> Kept(string name, int records, StateDeclaration? state, Keep<TKey> keep) =>
        new(name, records, (stream, _) => stream.Process("kept", _ => new KeepingFunction<TKey>(state is null ? [] : [state], keep)));

    private static MemoryCase<TKey> List(int items) =>
        Kept($"list of {items}", items, KeptStates.List, static (in record, ref context) => context.Add(KeptStates.List, record.Value));

    private static MemoryCase<TKey> Map(int entries) =>
        Kept($"map of {entries}", entries, KeptStates.Map, static (in record, ref context) => context.Set(KeptStates.Map, record.Value, record.Value));

    private static MemoryCase<TKey> Window(string name, int records, WindowAssigner windows) =>
        new(name, records, (stream, _) => stream.Window(windows).Aggregate("kept", 0L, static (count, _) => count + 1, static (one, other) => one + other, static count => count));

    private static void Match(KeyedStream<TKey, Entry<TKey>> stream, KeyedStream<TKey, Entry<TKey>> other) =>
        stream.Match("kept", Patterns.Pattern.Begin<Entry<TKey>>("low").Where(static record => record.Value >= 0).FollowedBy("high").Where(static record => record.Value < 0).Within(TimeSpan.FromHours(1)));
}
