using OrleansStream.Graph;
using OrleansStream.Sinks;
using OrleansStream.Time;

namespace OrleansStream.Tests.Graph;

public sealed class WatermarkRefusalTests
{
    private static readonly WatermarkStrategy<Payment> Monotonous = WatermarkStrategy.Monotonous<Payment>();

    [Fact]
    public void Everything_impossible_in_a_strategy_is_refused_at_once()
    {
        Assert.Equal(
            [
                "WithTimestamps after 'payments': a maxOutOfOrderness of -00:00:01 is not between 0 and 100 years.",
                "WithTimestamps after 'payments': an idleAfter of 00:00:00 must be above 0.",
                "WithTimestamps after 'payments': the name of alignment group 'Two Words' must have 1 to 64 characters of a-z, 0-9 and '-'.",
                "WithTimestamps after 'payments': a maxDrift of 00:00:00 is not between 1 millisecond and 100 years.",
            ],
            Refusals(WatermarkStrategy.BoundedOutOfOrderness<Payment>(TimeSpan.FromSeconds(-1)).WithIdleness(TimeSpan.Zero).WithAlignment("Two Words", TimeSpan.Zero)));
        Assert.Equal(
            ["WithTimestamps after 'payments': a period of 00:00:00 between calls of a watermark generator is less than a millisecond."],
            Refusals(WatermarkStrategy.Custom<Payment>(static () => null!, TimeSpan.Zero)));
    }

    [Theory]
    [InlineData(0.5, "an idleAfter of 00:00:00.0005000 is less than a millisecond.")]
    [InlineData(-1, "an idleAfter of -00:00:00.0010000 must be above 0.")]
    public void An_idle_time_that_is_none_is_refused(double milliseconds, string refusal) =>
        Assert.Equal([$"WithTimestamps after 'payments': {refusal}"], Refusals(Monotonous.WithIdleness(TimeSpan.FromMilliseconds(milliseconds))));

    [Theory]
    [InlineData(-1.0)]
    [InlineData(36_501 * 86_400.0)]
    public void A_drift_that_no_split_can_keep_is_refused(double seconds) => Assert.Contains(
        "is not between 1 millisecond and 100 years", Assert.Single(Refusals(Monotonous.WithAlignment("group", TimeSpan.FromSeconds(seconds)))), StringComparison.Ordinal);

    [Fact]
    public void Alignment_without_a_source_whose_splits_could_wait_is_refused() => Assert.Equal(
        [
            "WithTimestamps after 'payments': alignment pauses the splits of one source, and there is none in the same stage; "
                + "put WithTimestamps behind From, before Merge, KeyBy, Rebalance or Broadcast.",
        ],
        GraphSamples.Refusals(static graph => graph
            .From("payments", GraphSamples.Payments())
            .Merge(graph.From("others", GraphSamples.Payments()))
            .WithTimestamps(static payment => payment.Amount, Monotonous.WithAlignment("group", TimeSpan.FromSeconds(1)))
            .To("results", new CollectingSink<Payment>())));

    [Fact]
    public void A_source_that_would_wait_for_two_groups_is_refused() => Assert.Equal(
        ["WithTimestamps after 'payments': source 'payments' is in an alignment group by another WithTimestamps already; a source can be in one only."],
        GraphSamples.Refusals(static graph =>
        {
            var payments = graph.From("payments", GraphSamples.Payments());
            payments.WithTimestamps(static payment => payment.Amount, Monotonous.WithAlignment("one", TimeSpan.FromSeconds(1))).To("first", new CollectingSink<Payment>());
            payments.WithTimestamps(static payment => payment.Amount, Monotonous.WithAlignment("two", TimeSpan.FromSeconds(1))).To("second", new CollectingSink<Payment>());
        }));

    [Fact]
    public void Idleness_and_alignment_are_policy_and_how_watermarks_are_judged_is_schema()
    {
        var bounded = WatermarkStrategy.BoundedOutOfOrderness<Payment>(TimeSpan.FromSeconds(10));
        var plain = Fingerprint(bounded);
        Assert.Equal(plain, GraphSamples.Fingerprint(static graph => graph
            .From("payments", GraphSamples.Payments()).WithTimestamps(static payment => payment.Amount, TimeSpan.FromSeconds(10)).To("results", new CollectingSink<Payment>())));
        Assert.Equal(plain, Fingerprint(bounded.WithIdleness(TimeSpan.FromSeconds(1)).WithAlignment("group", TimeSpan.FromSeconds(1))));
        Assert.Equal(
            4,
            new[] { plain, Fingerprint(Monotonous), Fingerprint(WatermarkStrategy.Punctuated<Payment>(static (_, _) => null)), Fingerprint(WatermarkStrategy.Custom<Payment>(static () => null!)) }
                .Distinct().Count());
    }

    private static string Fingerprint(WatermarkStrategy<Payment> strategy) => GraphSamples.Fingerprint(graph => Define(graph, strategy));

    private static string[] Refusals(WatermarkStrategy<Payment> strategy) => GraphSamples.Refusals(graph => Define(graph, strategy));

    private static void Define(JobGraph graph, WatermarkStrategy<Payment> strategy) => graph
        .From("payments", GraphSamples.Payments()).WithTimestamps(static payment => payment.Amount, strategy).To("results", new CollectingSink<Payment>());
}
