using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Joins;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Joins;

public sealed class IntervalJoinTests
{
    private static readonly SideOutput<string> LateLeft = new("late-left");
    private static readonly SideOutput<string> LateRight = new("late-right");

    private readonly TestInput<string> _left = new();
    private readonly TestInput<string> _right = new();
    private readonly TestOutput<string> _output = new();
    private readonly TestOutput<string> _late = new();
    private readonly TestOutput<DeadLetter<string>> _letters = new();

    [Theory]
    [InlineData(false, false, "88,90,100,105,106")]
    [InlineData(true, false, "90,100,105,106")]
    [InlineData(false, true, "88,90,100,105")]
    [InlineData(true, true, "90,100,105")]
    public async Task Partners_at_the_bounds_are_in_or_out_as_was_said(bool excludeLower, bool excludeUpper, string expected)
    {
        await using var harness = await StartAsync((left, right) => left.Join(right).Between(Ms(-12), Ms(6), excludeLower, excludeUpper).Select("join", static (_, r) => r));
        _left.Add("a", 100);
        foreach (var at in (long[])[87, 88, 90, 100, 105, 106, 107]) _right.Add($"a{at}", at);
        await harness.RunAsync();

        Assert.Equal(expected, string.Join(',', _output.Values.Select(static text => text[1..])));
        Assert.All(_output.Records, static record => Assert.Equal(Math.Max(100, long.Parse(record.Value[1..], System.Globalization.CultureInfo.InvariantCulture)), record.Timestamp));
    }

    [Fact]
    public async Task Rows_without_partner_come_out_once_none_can_come_any_more_and_not_before()
    {
        await using var harness = await StartAsync(static (left, right) => left.Join(right).Between(Ms(-5), Ms(10)).SelectFull("join", Pair));
        _left.Add("a1", 100);
        _right.Add("a2", 200);
        Watermark(109);
        await harness.RunAsync();
        Assert.Empty(_output.Take());
        Watermark(110);
        await harness.RunAsync();
        Assert.Equal([new("a1|", 110)], _output.Take());
        Watermark(204);
        await harness.RunAsync();
        Assert.Empty(_output.Take());
        Watermark(205);
        await harness.RunAsync();
        Assert.Equal([new("|a2", 205)], _output.Take());
        Assert.Equal(0, harness.KeyCount("join"));
    }

    [Fact]
    public async Task A_row_without_partner_is_not_late_for_a_window_that_follows()
    {
        var counts = new TestOutput<string>();
        await using var harness = await JobHarness.StartAsync(graph => graph.From("left", _left).KeyBy(static text => text[0]).Join(graph.From("right", _right).KeyBy(static text => text[0]))
            .Between(Ms(-5), Ms(25)).SelectLeft("join", static (l, r) => Pair(l, r))
            .KeyBy(static text => text[0]).Window(OrleansStream.Windows.TumblingWindows.Of(Ms(10))).Aggregate("count", 0, static (count, _) => count + 1, static count => count)
            .Select(static result => $"{result.Key} {result.Window.Start} {result.Value}").To("out", counts));
        _left.Add("a1", 100);
        _left.Add("b1", 105);
        _right.Add("b2", 107);
        Watermark(150);
        await harness.RunAsync();

        Assert.Equal(["b 100 1", "a 120 1"], counts.Values);
        Assert.Equal(0, harness.LateRecords("count"));
    }

    [Fact]
    public async Task An_interval_that_lies_in_the_past_lets_a_row_without_partner_go_at_once()
    {
        await using var harness = await StartAsync(static (left, right) => left.Join(right).Between(Ms(-30), Ms(-20)).SelectLeft("join", static (l, r) => Pair(l, r)));
        _right.Add("a0", 75);
        Watermark(90);
        _left.Add("a1", 105);
        _left.Add("a2", 101);
        _left.Add("a3", 120);
        await harness.RunAsync();

        Assert.Equal([new("a1|a0", 105), new("a2|a0", 101)], _output.Take());
        Watermark(100);
        await harness.RunAsync();
        Assert.Equal([new("a3|", 120)], _output.Take());
        Assert.Equal(1, harness.KeyCount("join"));
        Watermark(105);
        await harness.RunAsync();
        Assert.Equal(0, harness.KeyCount("join"));
    }

    [Fact]
    public async Task The_end_of_input_lets_out_all_rows_without_partner()
    {
        await using var harness = await StartAsync(static (left, right) => left.Join(right).Between(Ms(-5), TimeSpan.FromDays(9_000_000)).SelectFull("join", Pair));
        _left.Add("a1", 100);
        _left.Add("b1", long.MaxValue - 20);
        _right.Add("c1", long.MaxValue - 3);
        _left.End();
        await harness.RunAsync();
        Assert.Empty(_output.Records);
        _right.End();
        await harness.RunAsync();

        Assert.Equal([("a1|", 100 + (9_000_000L * 86_400_000)), ("b1|", long.MaxValue - 1), ("|c1", long.MaxValue - 1)], _output.Records.Select(static record => (record.Value, record.Timestamp)).OrderBy(static row => row.Value.Trim('|'), StringComparer.Ordinal));
        Assert.Equal(0, harness.KeyCount("join"));
    }

    [Fact]
    public async Task Late_records_are_counted_and_go_to_an_output_of_their_side()
    {
        await using var harness = await JobHarness.StartAsync(graph =>
        {
            var joined = graph.From("left", _left).KeyBy(static text => text[0]).Join(graph.From("right", _right).KeyBy(static text => text[0]))
                .Between(Ms(-50), Ms(50), lateLeft: LateLeft, lateRight: LateRight).Select("join", static (l, r) => Pair(l, r));
            joined.To("out", _output);
            joined.SideOutput(LateLeft).Select(static text => $"left {text}").Merge(joined.SideOutput(LateRight).Select(static text => $"right {text}")).To("late", _late);
        });
        _left.Add("a1", 120);
        Watermark(100);
        await harness.RunAsync();
        _right.Add("a2", 100);
        _left.Add("a3", 99);
        _right.Add("a4", 101);
        await harness.RunAsync();

        Assert.Equal(["a1|a4"], _output.Values);
        Assert.Equal([new("left a3", 99), new("right a2", 100)], _late.Records.OrderBy(static record => record.Value, StringComparer.Ordinal));
        Assert.Equal(2, harness.LateRecords("join"));
    }

    [Fact]
    public async Task A_record_at_whose_pair_the_selector_throws_becomes_a_dead_letter_and_has_no_partners()
    {
        await using var harness = await StartAsync((left, right) => left.Join(right).Between(Ms(-5), Ms(5)).SelectFull("join", static (l, r) => l == "a!" ? throw new FormatException("no") : Pair(l, r), OnError.DeadLetter));
        _right.Add("a1", 101);
        _right.Add("a2", 102);
        await harness.RunAsync();
        _left.Add("a!", 100);
        _left.Add("a3", 103);
        Watermark(200);
        await harness.RunAsync();

        Assert.Equal(["a3|a1", "a3|a2"], _output.Values);
        Assert.Equal([new(new("join", "a!", 100, "a", "FormatException: no"), 100)], _letters.Records);
        Assert.Equal(0, harness.KeyCount("join"));
    }

    [Fact]
    public async Task A_row_without_partner_at_which_the_selector_throws_becomes_a_dead_letter()
    {
        await using var harness = await StartAsync((left, right) => left.Join(right).Between(Ms(-5), Ms(5)).SelectFull("join", static (l, r) => r is null ? throw new FormatException("no") : Pair(l, r), OnError.DeadLetter));
        _left.Add("a1", 100);
        _right.Add("a2", 110);
        Watermark(200);
        await harness.RunAsync();

        Assert.Equal(["|a2"], _output.Values);
        Assert.Equal([new(new("join", "a1", 100, "a", "FormatException: no"), 105)], _letters.Records.Select(static letter => letter with { Timestamp = 105 }));
        Assert.Equal(1, harness.DeadLetters("join"));
    }

    [Fact]
    public async Task A_stream_can_be_joined_with_itself()
    {
        await using var harness = await JobHarness.StartAsync(graph =>
        {
            var keyed = graph.From("left", _left).KeyBy(static text => text[0]);
            keyed.Join(keyed).Between(Ms(1), Ms(5)).Select("join", static (l, r) => Pair(l, r)).To("out", _output);
        });
        _left.Add("a1", 1);
        _left.Add("a2", 3);
        _left.Add("a3", 8);
        _left.End();
        await harness.RunAsync();

        Assert.Equal(["a1|a2", "a2|a3"], _output.Values);
    }

    [Theory]
    [InlineData(long.MinValue, long.MaxValue, -1, 1, false)]
    [InlineData(long.MaxValue, long.MinValue, -1, 1, false)]
    [InlineData(long.MaxValue - 1, long.MaxValue, 1, 1, true)]
    [InlineData(long.MinValue, long.MinValue + 1, 1, 1, true)]
    [InlineData(-5, 5, 10, 10, true)]
    [InlineData(-5, 5, 11, 20, false)]
    public void Bounds_never_wrap(long left, long right, long lower, long upper, bool expected) => Assert.Equal(expected, new IntervalBounds(lower, upper).Contains(left, right));

    [Fact]
    public Task Any_interval_join_gives_what_a_nested_loop_over_all_records_gives() => JoinCases.CheckAsync(static async one =>
    {
        var kind = (JoinKind)one.Next(4);
        var lower = one.Next(25) - 12;
        var upper = lower + one.Next(14);
        var found = await one.RunAsync("join", (graph, one, output) =>
        {
            var join = graph.From("left", one.Left).KeyBy(static text => text[0]).Join(graph.From("right", one.Right).KeyBy(static text => text[0])).Between(Ms(lower), Ms(upper));
            (kind switch
            {
                JoinKind.Inner => join.Select("join", static (l, r) => Pair(l, r)),
                JoinKind.Left => join.SelectLeft("join", static (l, r) => Pair(l, r)),
                JoinKind.Right => join.SelectRight("join", static (l, r) => Pair(l, r)),
                _ => join.SelectFull("join", Pair),
            }).To("out", output);
        });

        Assert.Equal(JoinCase.Sorted(Reference(one, kind, lower, upper)), found);
    });

    private static IEnumerable<string> Reference(JoinCase one, JoinKind kind, int lower, int upper)
    {
        var left = one.Of(isLeft: true).Where(static record => !record.IsLate).ToList();
        var right = one.Of(isLeft: false).Where(static record => !record.IsLate).ToList();
        foreach (var l in left)
        {
            var partners = right.Where(r => ArePartners(l, r)).ToList();
            foreach (var r in partners) yield return $"{Pair(l.Text, r.Text)} @{Math.Max(l.Time, r.Time)}";
            if (partners.Count == 0 && (kind & JoinKind.Left) != 0) yield return $"{Pair(l.Text, null)} @{Certain(l.Time, upper)}";
        }

        if ((kind & JoinKind.Right) == 0) yield break;
        foreach (var r in right.Where(r => !left.Exists(l => ArePartners(l, r)))) yield return $"{Pair(null, r.Text)} @{Certain(r.Time, -lower)}";

        bool ArePartners(JoinRecord l, JoinRecord r) => l.Key == r.Key && (Int128)r.Time - l.Time >= lower && (Int128)r.Time - l.Time <= upper;
        static long Certain(long time, long behind) => (long)Int128.Max(time, Int128.Min((Int128)time + behind, long.MaxValue - 1));
    }

    private static string Pair(string? left, string? right) => $"{left}|{right}";

    private static TimeSpan Ms(long milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private void Watermark(long time)
    {
        _left.Watermark(time);
        _right.Watermark(time);
    }

    private Task<JobHarness> StartAsync(Func<KeyedStream<char, string>, KeyedStream<char, string>, DataStream<string>> define) => JobHarness.StartAsync(graph =>
    {
        var joined = define(graph.From("left", _left).KeyBy(static text => text[0]), graph.From("right", _right).KeyBy(static text => text[0]));
        joined.To("out", _output);
        if (((ITwoInputs)joined.Ports.Single().Owner).OnError == OnError.DeadLetter) joined.DeadLetters<string>().To("letters", _letters);
    });
}
