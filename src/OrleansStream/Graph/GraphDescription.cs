using System.IO.Hashing;
using System.Text;
using System.Text.Json;

namespace OrleansStream.Graph;

/// <summary>Describes a graph: as text for people, as JSON for programs, as a fingerprint for the history.</summary>
internal static class GraphDescription
{
    /// <summary>One line an operator, indented below what it reads first.</summary>
    public static string ToText(JobGraph graph)
    {
        var text = new StringBuilder();
        foreach (var node in graph.Nodes)
        {
            text.Append(node.Number).Append(". ").Append(node.Kind).Append(" '").Append(node.Name).Append('\'');
            if (node.Inputs.Count > 0) text.Append(" <- ").AppendJoin(", ", node.Inputs.Select(static edge => $"{PortName(edge)} ({Word(edge.Partitioning)})"));
            if (node.Properties.Count > 0) text.Append(" { ").AppendJoin(", ", node.Properties.Select(static pair => $"{pair.Key}: {pair.Value}")).Append(" }");
            text.Append('\n');
        }

        return text.ToString();
    }

    public static string ToJson(JobGraph graph)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartArray("operators");
            foreach (var node in graph.Nodes) Write(json, node);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    public static string Fingerprint(JobGraph graph) => Convert.ToHexStringLower(XxHash128.Hash(Encoding.UTF8.GetBytes(ToJson(graph))));

    private static void Write(Utf8JsonWriter json, Node node)
    {
        json.WriteStartObject();
        json.WriteString("kind", node.Kind);
        json.WriteString("name", node.Name);
        json.WriteStartArray("inputs");
        foreach (var edge in node.Inputs)
        {
            json.WriteStartObject();
            json.WriteString("from", PortName(edge));
            json.WriteString("partitioning", Word(edge.Partitioning));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("properties");
        foreach (var (name, value) in node.Properties) json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string PortName(Edge edge) => edge.From.Side is { } side ? $"{edge.From.Owner.Name}:{side}" : edge.From.Owner.Name;

    /// <summary>The method of a stream that divides records in a way.</summary>
    public static string MethodOf(Exchange.Partitioning partitioning) => partitioning switch
    {
        Exchange.Partitioning.ByKey => "KeyBy",
        Exchange.Partitioning.ByHand => "PartitionBy",
        var other => other.ToString(),
    };

    private static string Word(Exchange.Partitioning partitioning) => partitioning switch
    {
        Exchange.Partitioning.ByKey => "by key",
        Exchange.Partitioning.ByHand => "by hand",
        var other => other.ToString().ToLowerInvariant(),
    };
}
