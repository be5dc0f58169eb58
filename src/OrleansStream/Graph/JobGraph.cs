using System.Text.RegularExpressions;
using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream.Graph;

/// <summary>
/// A job as a graph of operators, written down before anything runs. Every silo builds the same graph from the same code. What is wrong with it is
/// collected, and refused all at once when the graph is built.
/// </summary>
public sealed partial class JobGraph
{
    private readonly List<Node> _nodes = [];
    private readonly List<string> _problems = [];

    /// <summary>Begins an empty graph.</summary>
    /// <param name="services">For the factories of functions.</param>
    internal JobGraph(IServiceProvider services)
    {
        ArgumentNullException.ThrowIfNull(services);
        Services = services;
    }

    internal IServiceProvider Services { get; }

    /// <summary>What stands in for sources and sinks; null when nothing does.</summary>
    internal IStandIns? StandIns { get; init; }

    internal IReadOnlyList<Node> Nodes => _nodes;

    internal IReadOnlyList<string> Problems => _problems;

    internal IEnumerable<SourceNode> Sources => _nodes.OfType<SourceNode>();

    internal IEnumerable<ISinkNode> Sinks => _nodes.OfType<ISinkNode>();

    /// <summary>Reads a source.</summary>
    /// <param name="name">The source's name, by which its offsets are found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="source">What to read.</param>
    /// <param name="recordsPerSecond">The most records read per second, all subtasks together; null for as many as the job can take.</param>
    public DataStream<T> From<T>(string name, Source<T> source, double? recordsPerSecond = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        LimitFiles(source);
        var node = Add(new SourceNode<T>(this, name, StandIns?.For(name, source) ?? source, recordsPerSecond));
        if (recordsPerSecond is <= 0 or double.NaN) Refuse(node, $"the rate of {recordsPerSecond} records per second must be above 0");
        node.Properties["record"] = TypeName.Of(typeof(T));
        return new DataStream<T>(this, node.Port);
    }

    internal TNode Add<TNode>(TNode node)
        where TNode : Node
    {
        node.Number = _nodes.Count + 1;
        _nodes.Add(node);
        if (!node.IsNamed) return node;
        if (node.Name is null || !Named().IsMatch(node.Name)) Refuse(node, "a name has 1 to 64 characters of a-z, 0-9 and '-'");
        else if (_nodes.Any(other => other != node && other.IsNamed && other.Name == node.Name)) Refuse(node, "another operator has this name; every source, sink and state-holding operator needs one of its own");
        return node;
    }

    /// <summary>Gives what opens files the silo's rules; a graph that no silo runs has none.</summary>
    internal void LimitFiles(object connector)
    {
        if (connector is IOpensFiles files && Services.GetService(typeof(FileAccessRules)) is FileAccessRules rules) files.Limit(rules);
    }

    internal string NextName(string kind) => $"{kind.ToLowerInvariant()}-{_nodes.Count + 1}";

    internal void Refuse(Node node, string problem) => _problems.Add($"{Place(node)}: {problem}.");

    internal static string Place(Node node) => node.IsNamed ? $"{node.Kind} '{node.Name}'"
        : node.Inputs.Count > 0 ? $"{node.Kind} after '{node.Inputs[0].From.Owner.Name}'"
        : node.Kind;

    [GeneratedRegex(@"^[a-z0-9-]{1,64}\z", RegexOptions.CultureInvariant)]
    internal static partial Regex Named();
}
