using OrleansStream.Graph;
using OrleansStream.Sinks;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Graph;

public sealed class GraphDescriptionTests
{
    [Fact]
    public void A_graph_describes_itself_as_text() => Assert.Equal(
        """
        1. From 'payments' { record: Payment }
        2. WithTimestamps 'timestamps-2' <- payments (forward) { maxOutOfOrderness: 00:00:10 }
        3. Where 'where-3' <- timestamps-2 (forward) { result: Payment }
        4. Window 'average' <- where-3 (by key) { accumulator: long, allowedLateness: 00:00:00, key: string, offsetMs: 0, result: double, sizeMs: 3600000 }
        5. To 'results' <- average (forward) { record: WindowResult<string, double>, sink: CollectingSink<WindowResult<string, double>> }

        """.ReplaceLineEndings("\n"),
        GraphDescription.ToText(GraphSamples.Graph(GraphSamples.Averages)));

    [Fact]
    public void A_graph_describes_itself_as_json() => Assert.Equal(
        """{"operators":[{"kind":"From","name":"payments","inputs":[],"properties":{"record":"Payment"}},"""
        + """{"kind":"WithTimestamps","name":"timestamps-2","inputs":[{"from":"payments","partitioning":"forward"}],"properties":{"maxOutOfOrderness":"00:00:10"}},"""
        + """{"kind":"Where","name":"where-3","inputs":[{"from":"timestamps-2","partitioning":"forward"}],"properties":{"result":"Payment"}},"""
        + """{"kind":"Window","name":"average","inputs":[{"from":"where-3","partitioning":"by key"}],"properties":{"accumulator":"long","allowedLateness":"00:00:00","""
        + "\"key\":\"string\",\"offsetMs\":\"0\",\"result\":\"double\",\"sizeMs\":\"3600000\"}},"
        + """{"kind":"To","name":"results","inputs":[{"from":"average","partitioning":"forward"}],"properties":{"record":"WindowResult<string, double>","""
        + "\"sink\":\"CollectingSink<WindowResult<string, double>>\"}}]}",
        GraphDescription.ToJson(GraphSamples.Graph(GraphSamples.Averages)));

    [Fact]
    public void The_fingerprint_is_the_same_for_the_same_graph_whatever_runs_it()
    {
        var fingerprint = GraphSamples.Fingerprint(GraphSamples.Averages);

        Assert.Equal(fingerprint, GraphSamples.Fingerprint(GraphSamples.Averages));
        Assert.Equal(fingerprint, GraphSamples.Fingerprint(GraphSamples.Averages, parallelism: 7));
        Assert.Equal(fingerprint, GraphSamples.Fingerprint(static graph => GraphSamples.Averages(graph, "average", TimeSpan.FromHours(1), rate: 100)));
    }

    [Fact]
    public void The_fingerprint_changes_with_everything_that_state_depends_on()
    {
        string[] fingerprints =
        [
            GraphSamples.Fingerprint(GraphSamples.Averages),
            GraphSamples.Fingerprint(static graph => GraphSamples.Averages(graph, "mean", TimeSpan.FromHours(1))),
            GraphSamples.Fingerprint(static graph => GraphSamples.Averages(graph, "average", TimeSpan.FromHours(2))),
            GraphSamples.Fingerprint(static graph => GraphSamples.Averages(graph, "average", TimeSpan.FromHours(1), TimeSpan.FromMinutes(1))),
            GraphSamples.Fingerprint(static graph => Keyed(graph).Process("score", GraphSamples.Keep<Payment, int>()).To("results", new CollectingSink<string>())),
            GraphSamples.Fingerprint(static graph => Keyed(graph).Process("score", GraphSamples.Keep<Payment, long>()).To("results", new CollectingSink<string>())),
            GraphSamples.Fingerprint(static graph => Keyed(graph).Process("score", GraphSamples.Keep<Payment, long>("other")).To("results", new CollectingSink<string>())),
            GraphSamples.Fingerprint(static graph => Keyed(graph).Process("score", GraphSamples.Keep<Payment, long>()).To("results", new ConsoleSink<string>())),
            GraphSamples.Fingerprint(static graph => Keyed(graph, broadcast: true).Process("score", GraphSamples.Keep<Payment, long>()).To("results", new ConsoleSink<string>())),
        ];

        Assert.Equal(fingerprints.Length, fingerprints.Distinct().Count());
    }

    [Theory]
    [InlineData(typeof(int?), "int?")]
    [InlineData(typeof((string, long)), "(string, long)")]
    [InlineData(typeof(List<Dictionary<string, int[]>>), "List<Dictionary<string, int[]>>")]
    [InlineData(typeof(WindowResult<string, double>), "WindowResult<string, double>")]
    [InlineData(typeof(Generic<int>.Part), "Generic<int>.Part")]
    [InlineData(typeof(Dictionary<string, int>.KeyCollection), "Dictionary<string, int>.KeyCollection")]
    public void Types_are_named_as_a_developer_writes_them(Type type, string name) => Assert.Equal(name, TypeName.Of(type));

    private static KeyedStream<string, Payment> Keyed(JobGraph graph, bool broadcast = false)
    {
        var payments = graph.From("payments", GraphSamples.Payments());
        return (broadcast ? payments.Broadcast().Where(static _ => true) : payments).KeyBy(static payment => payment.Account);
    }
}
