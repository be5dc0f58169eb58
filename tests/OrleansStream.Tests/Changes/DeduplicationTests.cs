using OrleansStream.Changes;
using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Changes;

public sealed class DeduplicationTests
{
    private readonly TestInput<Row> _input = new();
    private readonly TestOutput<Row> _output = new();

    [Fact]
    public Task The_first_of_each_key_passes_at_once_and_no_other() => ChangeCases.RunAsync(
        ChangeCases.Rows,
        static rows => rows.KeyBy(static row => row.Key).Deduplicate("first"),
        static row => row.Key,
        static row => row.Key,
        static given => given.Where(static one => !one.IsWatermark).Take(1).Select(static one => one.Value));

    [Fact]
    public Task The_first_within_a_time_passes_unless_one_that_passed_is_near() => ChangeCases.RunAsync(
        ChangeCases.Rows,
        static rows => rows.KeyBy(static row => row.Key).Deduplicate("first", within: TimeSpan.FromMilliseconds(10)),
        static row => row.Key,
        static row => row.Key,
        static given => FirstWithin(given, 10));

    [Fact]
    public Task The_last_of_each_key_passes_as_updates() => ChangeCases.RunAsync(
        ChangeCases.Rows,
        static rows => rows.KeyBy(static row => row.Key).Deduplicate("last", Keep.Last),
        static row => row.Key,
        static row => row.Key,
        static given => given.Where(static one => !one.IsWatermark).Where((one, index) => given.Where(static other => !other.IsWatermark).Take(index).All(other => other.Time <= one.Time)).Select(static one => one.Value));

    [Fact]
    public Task Changes_of_the_last_of_each_key_follow_event_time() => ChangeCases.RunAsync(
        ChangeCases.Rows,
        static rows => rows.KeyBy(static row => row.Key).DeduplicateChanges("last", Keep.Last),
        static row => row.Key,
        static change => change.Value.Key,
        static given => Kept(given, Keep.Last));

    [Fact]
    public Task Changes_of_the_first_of_each_key_follow_event_time() => ChangeCases.RunAsync(
        ChangeCases.Rows,
        static rows => rows.KeyBy(static row => row.Key).DeduplicateChanges("first", Keep.First),
        static row => row.Key,
        static change => change.Value.Key,
        static given => Kept(given, Keep.First));

    [Fact]
    public Task Each_value_of_a_key_passes_once() => ChangeCases.RunAsync(
        ChangeCases.Rows,
        static rows => rows.KeyBy(static row => row.Key).DistinctBy("values", static row => (row.Value, row.Tag)),
        static row => row.Key,
        static row => row.Key,
        static given => given.Where(static one => !one.IsWatermark).Select(static one => one.Value).Distinct());

    [Fact]
    public async Task A_record_that_equals_one_before_it_is_not_distinct()
    {
        var input = new TestInput<string>();
        var output = new TestOutput<string>();
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", input).KeyBy(static word => word[..1]).Distinct("words").To("out", output));
        foreach (var word in new[] { "an", "ox", "an", "at", "ox" }) input.Add(word, 1);
        await harness.RunAsync();

        Assert.Equal(["an", "ox", "at"], output.Values);
    }

    [Theory]
    [InlineData(Keep.First)]
    [InlineData(Keep.Last)]
    public async Task A_key_is_forgotten_when_the_watermark_is_the_span_behind_its_record(Keep keep)
    {
        await using var harness = await JobHarness.StartAsync(graph => graph
            .From("in", _input).KeyBy(static row => row.Key).Deduplicate("kept", keep, TimeSpan.FromMilliseconds(10)).To("out", _output));
        _input.Add(new Row("a", 1, 0), 100);
        _input.Watermark(109);
        await harness.RunAsync();
        Assert.True(harness.HasState("kept", "a"));
        _input.Watermark(110);
        await harness.RunAsync();
        Assert.Equal(0, harness.KeyCount("kept"));

        // Late, and nothing is left that it could be held against; it leaves nothing either.
        _input.Add(new Row("a", 2, 0), 99);
        await harness.RunAsync();
        Assert.Equal([1, 2], _output.Values.Select(static row => row.Value));
        Assert.Equal(0, harness.KeyCount("kept"));
    }

    [Fact]
    public async Task Times_at_the_span_are_apart_and_times_at_the_ends_of_time_do_not_wrap()
    {
        await using var harness = await JobHarness.StartAsync(graph => graph
            .From("in", _input).KeyBy(static row => row.Key).Deduplicate("first", within: TimeSpan.FromMilliseconds(10)).To("out", _output));
        foreach (var time in new[] { 100, 109, 110, 90, 91, long.MaxValue - 1, long.MaxValue - 12, long.MaxValue - 3, long.MinValue + 1, long.MinValue + 11, long.MinValue + 2 })
        {
            _input.Add(new Row("a", 0, 0), time);
        }

        _input.End();
        await harness.RunAsync();

        Assert.Equal([100, 110, 90, long.MaxValue - 1, long.MaxValue - 12, long.MinValue + 1, long.MinValue + 11], _output.Records.Select(static record => record.Timestamp));
        Assert.Equal(0, harness.KeyCount("first"));
    }

    [Fact]
    public async Task A_record_whose_value_cannot_be_read_leaves_nothing_behind()
    {
        var letters = new TestOutput<DeadLetter<Row>>();
        await using var harness = await JobHarness.StartAsync(graph =>
        {
            var distinct = graph.From("in", _input).KeyBy(static row => row.Key)
                .DistinctBy("values", static row => row.Value < 0 ? throw new FormatException("below 0") : row.Value == 0 ? null! : $"{row.Value}", OnError.DeadLetter);
            distinct.To("out", _output);
            distinct.DeadLetters<Row>().To("letters", letters);
        });
        foreach (var value in new[] { -1, 0, 5, 5 }) _input.Add(new Row("a", value, 0), 1);
        await harness.RunAsync();

        Assert.Equal([5], _output.Values.Select(static row => row.Value));
        Assert.Equal([("a", -1), ("a", 0)], letters.Values.Select(static letter => (letter.Key!, letter.Record.Value)));
    }

    private static IEnumerable<Row> FirstWithin(IReadOnlyList<Given<Row>> given, long within)
    {
        var passed = new List<long>();
        var watermark = long.MinValue;
        foreach (var one in given)
        {
            if (one.IsWatermark)
            {
                watermark = one.Time;
                continue;
            }

            if (passed.Any(time => watermark < time + within && Math.Abs(time - one.Time) < within)) continue;
            passed.Add(one.Time);
            yield return one.Value;
        }
    }

    private static IEnumerable<Change<Row>> Kept(IReadOnlyList<Given<Row>> given, Keep keep)
    {
        var rows = given.Where(static one => !one.IsWatermark).ToList();
        var before = -1;
        for (var count = 1; count <= rows.Count; count++)
        {
            var order = Enumerable.Range(0, count).OrderBy(index => rows[index].Time).ThenBy(static index => index).ToList();
            var chosen = keep == Keep.Last ? order[^1] : order[0];
            if (chosen == before) continue;
            if (before >= 0) yield return Change.UpdateBefore(rows[before].Value);
            yield return before >= 0 ? Change.UpdateAfter(rows[chosen].Value) : Change.Insert(rows[chosen].Value);
            before = chosen;
        }
    }
}
