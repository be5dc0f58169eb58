using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Joins;
using OrleansStream.Testing;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Joins;

public sealed class WindowJoinTests
{
    private static readonly SideOutput<string> Late = new("late");

    private readonly TestInput<string> _left = new();
    private readonly TestInput<string> _right = new();
    private readonly TestOutput<string> _output = new();
    private readonly TestOutput<string> _late = new();
    private readonly TestOutput<DeadLetter<string>> _letters = new();

    [Fact]
    public async Task Rows_of_a_window_come_together_when_the_watermark_reaches_its_last_millisecond()
    {
        await using var harness = await StartAsync(static join => join.Window(TumblingWindows.Of(Ms(10))).Select("join", static (l, r) => $"{l}|{r}"));
        _left.Add("a1", 0);
        _left.Add("a2", 9);
        _left.Add("a3", 10);
        await harness.RunAsync();
        _right.Add("a4", 9);
        _right.Add("a5", 0);
        _right.Add("b6", 10);
        Watermark(8);
        await harness.RunAsync();
        Assert.Empty(_output.Take());
        Watermark(9);
        await harness.RunAsync();
        Assert.Equal([new("a1|a4", 9), new("a1|a5", 9), new("a2|a4", 9), new("a2|a5", 9)], _output.Take());
        Watermark(19);
        await harness.RunAsync();

        Assert.Empty(_output.Take());
        Assert.Equal(0, harness.KeyCount("join"));
    }

    [Fact]
    public async Task Outer_joins_let_out_a_side_that_is_alone_in_its_window_also_at_the_end_of_input()
    {
        await using var harness = await StartAsync(static join => join.Window(TumblingWindows.Of(Ms(10))).SelectFull("join", static (l, r) => $"{l}|{r}"));
        _left.Add("a1", 1);
        _left.Add("a2", 2);
        await harness.RunAsync();
        _right.Add("a3", 11);
        _right.Add("b4", 3);
        _left.End();
        _right.End();
        await harness.RunAsync();

        Assert.Equal([new("a1|", 9), new("a2|", 9), new("|b4", 9), new("|a3", 19)], _output.Records.OrderBy(static record => (record.Timestamp, record.Value.Trim('|'))));
        Assert.Equal(0, harness.KeyCount("join"));
    }

    [Fact]
    public async Task A_group_has_all_rows_of_both_sides_in_the_order_in_which_they_came()
    {
        await using var harness = await StartAsync(static join => join.Window(TumblingWindows.Of(Ms(10), Ms(3))).CoGroup("join", static group =>
            ((string[])["", "!"]).Select(mark => $"{group.Key}[{group.Window.Start},{group.Window.End}): {string.Join('+', group.Left)} & {string.Join('+', group.Right)}{mark}")));
        foreach (var time in (long[])[5, 3, 5, 12, -7]) _left.Add($"a{time}", time);
        await harness.RunAsync();
        _right.Add("a4", 4);
        _right.Add("b1", 2);
        _left.End();
        _right.End();
        await harness.RunAsync();

        Assert.Equal(
            ["a[-7,3): a-7 & ", "a[-7,3): a-7 & !", "a[3,13): a5+a3+a5+a12 & a4", "a[3,13): a5+a3+a5+a12 & a4!", "b[-7,3):  & b1", "b[-7,3):  & b1!"],
            _output.Values.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_late_row_is_counted_and_goes_to_the_late_output_which_both_sides_may_share()
    {
        await using var harness = await StartAsync(static join => join.Window(TumblingWindows.Of(Ms(10)), lateLeft: Late, lateRight: Late).SelectFull("join", static (l, r) => $"{l}|{r}"), late: true);
        Watermark(9);
        await harness.RunAsync();
        _left.Add("a1", 9);
        _left.Add("a2", 10);
        _right.Add("b1", 0);
        await harness.RunAsync();
        _left.End();
        _right.End();
        await harness.RunAsync();

        Assert.Equal(["a2|"], _output.Values);
        Assert.Equal(["a1", "b1"], _late.Values);
        Assert.Equal(2, harness.LateRecords("join"));
    }

    [Fact]
    public async Task While_lateness_lasts_each_row_fires_its_window_again_with_all_results()
    {
        await using var harness = await StartAsync(static join => join.Window(TumblingWindows.Of(Ms(10)), Ms(5), lateLeft: Late).Select("join", static (l, r) => $"{l}|{r}"), late: true);
        _left.Add("a1", 1);
        await harness.RunAsync();
        Watermark(9);
        await harness.RunAsync();
        Assert.Empty(_output.Take());
        _right.Add("a2", 2);
        await harness.RunAsync();
        Assert.Equal([new("a1|a2", 9)], _output.Take());
        await harness.RestoreAsync(3);
        Watermark(13);
        _left.Add("a3", 3);
        await harness.RunAsync();
        Assert.Equal([new("a1|a2", 9), new("a3|a2", 9)], _output.Take());
        Assert.Equal(1, harness.KeyCount("join"));
        Watermark(14);
        await harness.RunAsync();
        _left.Add("a4", 4);
        await harness.RunAsync();

        Assert.Empty(_output.Take());
        Assert.Equal(["a4"], _late.Values);
        Assert.Equal(0, harness.KeyCount("join"));
    }

    [Fact]
    public async Task The_rows_of_a_result_that_cannot_be_made_become_dead_letters_and_the_others_go_on()
    {
        await using var harness = await StartAsync(static join => join.Window(TumblingWindows.Of(Ms(10)))
            .Select("join", static (l, r) => l + r == "a1a3" ? throw new FormatException("no") : $"{l}|{r}", OnError.DeadLetter), letters: true);
        _left.Add("a1", 1);
        _left.Add("a2", 2);
        _right.Add("a3", 3);
        _right.Add("a4", 4);
        _left.End();
        _right.End();
        await harness.RunAsync();

        Assert.Equal(["a1|a4", "a2|a3", "a2|a4"], _output.Values);
        Assert.Equal([new("join", "a1", 1, "a", "FormatException: no"), new("join", "a3", 3, "a", "FormatException: no")], _letters.Values);
    }

    [Fact]
    public async Task All_rows_of_a_group_whose_results_cannot_be_made_become_dead_letters()
    {
        await using var harness = await StartAsync(static join => join.Window(TumblingWindows.Of(Ms(10))).CoGroup("join", static group => HalfWay(group.Key), OnError.DeadLetter), letters: true);
        _left.Add("a1", 1);
        _right.Add("a3", 3);
        _right.Add("b4", 4);
        _left.End();
        _right.End();
        await harness.RunAsync();

        Assert.Equal(["b half", "b whole"], _output.Values);
        Assert.Equal(["a1", "a3"], _letters.Values.Select(static letter => letter.Record));

        static IEnumerable<string> HalfWay(char key)
        {
            yield return $"{key} half";
            if (key == 'a') throw new FormatException("no");
            yield return $"{key} whole";
        }
    }

    [Fact]
    public async Task Without_dead_letters_a_result_that_cannot_be_made_ends_the_attempt_and_says_where()
    {
        await using var harness = await StartAsync(static join => join.Window(TumblingWindows.Of(Ms(10))).Select("join", static (l, r) => l.Length > 0 ? throw new FormatException("no") : r));
        _left.Add("a1", 1);
        _right.Add("a3", 3);
        _left.End();
        _right.End();
        var error = await Assert.ThrowsAnyAsync<OrleansStream.Jobs.StreamException>(harness.RunAsync);

        Assert.Contains("operator 'join', subtask 0, key 'a', event time 1970-01-01T00:00:00.001Z: the function threw FormatException: no", error.Message);
    }

    [Fact]
    public Task Any_window_join_gives_what_a_nested_loop_over_all_records_gives() => JoinCases.CheckAsync(static async one =>
    {
        var kind = (JoinKind)one.Next(4);
        var size = 1 + one.Next(12);
        var offset = one.Next(size);
        var found = await one.RunAsync("join", (graph, one, output) =>
        {
            var join = graph.From("left", one.Left).KeyBy(static text => text[0]).Join(graph.From("right", one.Right).KeyBy(static text => text[0]))
                .Window(TumblingWindows.Of(Ms(size), Ms(offset)));
            (kind switch
            {
                JoinKind.Inner => join.Select("join", static (l, r) => $"{l}|{r}"),
                JoinKind.Left => join.SelectLeft("join", static (l, r) => $"{l}|{r}"),
                JoinKind.Right => join.SelectRight("join", static (l, r) => $"{l}|{r}"),
                _ => join.SelectFull("join", static (l, r) => $"{l}|{r}"),
            }).To("out", output);
        });

        Assert.Equal(JoinCase.Sorted(Reference(one, kind, size, offset)), found);
    });

    private static IEnumerable<string> Reference(JoinCase one, JoinKind kind, int size, int offset)
    {
        var groups = one.Records.Where(record => record.Watermark < LastOf(record.Time)).GroupBy(record => (record.Key, Last: LastOf(record.Time)));
        foreach (var group in groups)
        {
            var left = group.Where(static record => record.IsLeft).Select(static record => record.Text).ToList();
            var right = group.Where(static record => !record.IsLeft).Select(static record => record.Text).ToList();
            foreach (var l in left)
            {
                foreach (var r in right) yield return $"{l}|{r} @{group.Key.Last}";
                if (right.Count == 0 && (kind & JoinKind.Left) != 0) yield return $"{l}| @{group.Key.Last}";
            }

            if (left.Count > 0 || (kind & JoinKind.Right) == 0) continue;
            foreach (var r in right) yield return $"|{r} @{group.Key.Last}";
        }

        long LastOf(long time)
        {
            var behind = (int)((((Int128)time - offset) % size + size) % size);
            return (long)Int128.Min((Int128)time - behind + size, long.MaxValue) - 1;
        }
    }

    private static TimeSpan Ms(long milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private void Watermark(long time)
    {
        _left.Watermark(time);
        _right.Watermark(time);
    }

    private Task<JobHarness> StartAsync(Func<KeyedJoin<char, string, string>, DataStream<string>> define, bool late = false, bool letters = false) => JobHarness.StartAsync(graph =>
    {
        var joined = define(graph.From("left", _left).KeyBy(static text => text[0]).Join(graph.From("right", _right).KeyBy(static text => text[0])));
        joined.To("out", _output);
        if (late) joined.SideOutput(Late).To("late", _late);
        if (letters) joined.DeadLetters<string>().To("letters", _letters);
    });
}
