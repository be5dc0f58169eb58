using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Sources;
using OrleansStream.State;
using OrleansStream.Tests.Stages;

namespace OrleansStream.Tests.Formats;

/// <summary>Counts records per key. In recorded files with its names and state: not to be changed.</summary>
internal sealed class RecordedCounter : KeyedFunction<string, string, string>
{
    private static readonly ValueState<long> Count = new("count");

    public override IReadOnlyList<StateDeclaration> States => [Count];

    public static void Define(JobGraph graph) => Define(graph, new RecordingSink<string>());

    public static void Define(JobGraph graph, RecordingSink<string> sink) => graph
        .From("left", Collections.From<string>([]))
        .Merge(graph.From("right", Collections.From<string>([])))
        .KeyBy(static command => command)
        .Process("count", static _ => new RecordedCounter())
        .To("results", sink);

    public override void Process(in string record, ref KeyedContext<string, string> context) =>
        context.Emit($"{record}={context.Update(Count, static n => n + 1)} at {context.Watermark}");
}
