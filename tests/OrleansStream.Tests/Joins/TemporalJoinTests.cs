using OrleansStream.Functions;
using OrleansStream.Joins;
using OrleansStream.State;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Joins;

public sealed class TemporalJoinTests
{
    private static readonly SideOutput<string> LateLeft = new("late-left");
    private static readonly SideOutput<string> LateVersion = new("late-version");

    private readonly TestInput<string> _left = new();
    private readonly TestInput<string> _versions = new();
    private readonly TestOutput<string> _output = new();
    private readonly TestOutput<string> _late = new();
    private readonly TestOutput<DeadLetter<string>> _letters = new();

    [Fact]
    public async Task A_record_gets_the_version_that_was_valid_at_its_time_once_no_other_can_come()
    {
        await using var harness = await StartAsync();
        _left.Add("a1", 25);
        _left.Add("a2", 20);
        _left.Add("a3", 19);
        _left.Add("a4", 9);
        await harness.RunAsync();
        _versions.Add("av10", 10);
        _versions.Add("av30", 30);
        _versions.Add("av20", 20);
        Watermark(19);
        await harness.RunAsync();
        Assert.Equal([new("a4|", 9), new("a3|av10", 19)], _output.Take());
        Watermark(40);
        await harness.RunAsync();

        Assert.Equal([new("a2|av20", 20), new("a1|av20", 25)], _output.Take());
    }

    [Fact]
    public async Task An_inner_join_leaves_out_what_has_no_version()
    {
        await using var harness = await StartAsync(inner: true);
        _left.Add("a1", 9);
        _left.Add("a2", 11);
        _left.Add("b3", 11);
        _versions.Add("av10", 10);
        Watermark(40);
        await harness.RunAsync();

        Assert.Equal([new("a2|av10", 11)], _output.Records);
    }

    [Fact]
    public async Task Of_two_versions_of_one_time_the_one_that_came_last_counts()
    {
        await using var harness = await StartAsync();
        _left.Add("a1", 10);
        _versions.Add("avx", 10);
        _versions.Add("avy", 10);
        Watermark(10);
        await harness.RunAsync();

        Assert.Equal(["a1|avy"], _output.Values);
    }

    [Fact]
    public async Task Older_versions_go_when_the_watermark_passes_a_newer_and_the_newest_stays_until_the_end_of_time()
    {
        await using var harness = await StartAsync();
        foreach (var time in (long[])[10, 20, 30, 40]) _versions.Add($"av{time}", time);
        Watermark(30);
        await harness.RestoreAsync(2);
        Assert.Equal(["av30", "av40"], Versions(harness));
        Watermark(1000);
        await harness.RestoreAsync(3);
        Assert.Equal(["av40"], Versions(harness));
        _left.Add("a1", 5000);
        _left.End();
        _versions.End();
        await harness.RunAsync();

        Assert.Equal(["a1|av40"], _output.Values);
        Assert.Equal(0, harness.KeyCount("join"));
    }

    [Fact]
    public async Task A_version_behind_the_watermark_counts_for_records_to_come_unless_a_newer_has_taken_its_place()
    {
        await using var harness = await StartAsync();
        _versions.Add("bv10", 10);
        Watermark(100);
        await harness.RunAsync();
        _versions.Add("av50", 50);
        _versions.Add("bv5", 5);
        _versions.Add("bv20", 20);
        await harness.RunAsync();
        _left.Add("a1", 101);
        _left.Add("b2", 101);
        _left.Add("a3", 100);
        Watermark(200);
        await harness.RunAsync();

        Assert.Equal(["a1|av50", "b2|bv20"], _output.Values.Order(StringComparer.Ordinal));
        Assert.Equal(["a3", "bv5"], _late.Values.Order(StringComparer.Ordinal));
        Assert.Equal(2, harness.LateRecords("join"));
    }

    [Fact]
    public async Task A_record_at_which_the_selector_throws_becomes_a_dead_letter()
    {
        await using var harness = await JobHarness.StartAsync(graph =>
        {
            var joined = graph.From("left", _left).KeyBy(static text => text[0]).Join(graph.From("versions", _versions).KeyBy(static text => text[0])).AsOf()
                .SelectLeft("join", static (l, v) => v is null ? throw new FormatException("none") : $"{l}|{v}", OnError.DeadLetter);
            joined.To("out", _output);
            joined.DeadLetters<string>().To("letters", _letters);
        });
        _left.Add("a1", 5);
        _left.Add("a2", 15);
        _versions.Add("av10", 10);
        Watermark(40);
        await harness.RunAsync();

        Assert.Equal(["a2|av10"], _output.Values);
        Assert.Equal([new("join", "a1", 5, "a", "FormatException: none")], _letters.Values);
    }

    [Fact]
    public Task Any_temporal_join_gives_what_a_loop_over_all_versions_gives() => JoinCases.CheckAsync(static async one =>
    {
        var inner = one.Next(2) == 0;
        var found = await one.RunAsync("join", (graph, one, output) =>
        {
            var join = graph.From("left", one.Left).KeyBy(static text => text[0]).Join(graph.From("versions", one.Right).KeyBy(static text => text[0])).AsOf();
            (inner ? join.Select("join", static (l, v) => $"{l}|{v}") : join.SelectLeft("join", static (l, v) => $"{l}|{v}")).To("out", output);
        });

        Assert.Equal(JoinCase.Sorted(Reference(one, inner)), found);
    });

    private static IEnumerable<string> Reference(JoinCase one, bool inner)
    {
        var versions = new List<JoinRecord>();
        foreach (var version in one.Of(isLeft: false))
        {
            var isReplaced = version.IsLate && versions.Exists(other => other.Key == version.Key && other.Time > version.Time && other.Time <= version.Watermark);
            if (!isReplaced) versions.Add(version);
        }

        foreach (var left in one.Of(isLeft: true).Where(static record => !record.IsLate))
        {
            var due = one.Watermarks.FindIndex(watermark => watermark >= left.Time);
            var valid = versions.Where(version => version.Key == left.Key && version.Time <= left.Time && version.Step <= due).OrderBy(static version => (version.Time, version.Step)).LastOrDefault();
            if (valid is not null || !inner) yield return $"{left.Text}|{valid?.Text} @{left.Time}";
        }
    }

    private static IEnumerable<string> Versions(JobHarness harness)
    {
        var versions = TemporalJoinFunction<char, string, string, string>.Declared.OfType<MapState<long, string>>().Single();
        return harness.Entries("join", versions, 'a').Values;
    }

    private void Watermark(long time)
    {
        _left.Watermark(time);
        _versions.Watermark(time);
    }

    private Task<JobHarness> StartAsync(bool inner = false) => JobHarness.StartAsync(graph =>
    {
        var join = graph.From("left", _left).KeyBy(static text => text[0]).Join(graph.From("versions", _versions).KeyBy(static text => text[0])).AsOf(LateLeft, LateVersion);
        var joined = inner ? join.Select("join", static (l, v) => $"{l}|{v}") : join.SelectLeft("join", static (l, v) => $"{l}|{v}");
        joined.To("out", _output);
        joined.SideOutput(LateLeft).Merge(joined.SideOutput(LateVersion)).To("late", _late);
    });
}
