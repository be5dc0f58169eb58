using OrleansStream.Exchange;

namespace OrleansStream.Graph;

/// <summary>Finds everything that is wrong with a graph, each with its place.</summary>
internal static class GraphCheck
{
    public static IEnumerable<string> Problems(JobGraph graph)
    {
        foreach (var problem in graph.Problems) yield return problem;
        if (!graph.Sources.Any()) yield return "The graph has no source: begin with From.";
        if (!graph.Sinks.Any()) yield return "The graph has no sink: end each stream with To.";
        foreach (var problem in Unread(graph).Concat(Untimed(graph)).Concat(OpenTypes(graph))) yield return problem;
    }

    /// <summary>An operator whose results nobody reads is a mistake: work for nothing, or a forgotten sink.</summary>
    private static IEnumerable<string> Unread(JobGraph graph)
    {
        var read = graph.Nodes.SelectMany(static node => node.Inputs).Select(static edge => edge.From.Owner).ToHashSet();
        return graph.Nodes.Where(node => node is not ISinkNode && !read.Contains(node)).Select(static node => $"{JobGraph.Place(node)}: nobody reads its results; end the stream with To.");
    }

    /// <summary>Event-time windows, joins and patterns above which no operator begins watermarks would never fire.</summary>
    private static IEnumerable<string> Untimed(JobGraph graph) => graph.Nodes
        .Where(static node => node.NeedsEventTime && Sources(node).Any(static path => !path))
        .Select(static node => $"{JobGraph.Place(node)}: records reach it without event time; put WithTimestamps after the source.");

    /// <summary>For each path up to a source, whether it passes WithTimestamps.</summary>
    private static IEnumerable<bool> Sources(Node node)
    {
        if (node.Kind == "WithTimestamps") return [true];
        return node is SourceNode source ? [source.IsTimed] : node.Inputs.SelectMany(static edge => Sources(edge.From.Owner));
    }

    private static IEnumerable<string> OpenTypes(JobGraph graph)
    {
        var probe = new JobGraph(graph.Services);
        foreach (var node in graph.Nodes)
        {
            foreach (var edge in node.Inputs.Where(edge => edge.Partitioning != Partitioning.Forward || node.Inputs.Count > 1))
            {
                StateCheck.CheckTravels(probe, node, $"a record from '{edge.From.Owner.Name}'", edge.From.RecordType);
            }
        }

        return probe.Problems.Distinct();
    }
}
