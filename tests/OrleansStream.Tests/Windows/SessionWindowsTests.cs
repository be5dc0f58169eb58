using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Testing;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

public sealed class SessionWindowsTests
{
    private static readonly SideOutput<Numbered> Late = new("late");
    private readonly TestInput<Numbered> _input = new();
    private readonly TestOutput<WindowResult<string, string>> _output = new();
    private readonly TestOutput<Numbered> _late = new();

    [Fact]
    public async Task Random_cases_give_what_the_definition_gives()
    {
        for (var seed = 0; seed < 1000; seed++)
        {
            var random = new WindowCase(seed, records: 30);
            var gap = 1 + random.Next(40);
            var byRecord = random.Next(2) == 0;
            var lateness = random.Next(3) == 0 ? 0 : random.Next(60);
            var way = random.Next(3);
            var found = await random.RunAsync<WindowResult<string, string>>((graph, input, output, late) => Define(graph, input, output, late, gap, byRecord, lateness, way), WindowCase.Text);

            random.Equal($"gap {gap}, by record {byRecord}, lateness {lateness}, way {way}", SessionReference.Of(random, record => byRecord ? GapOf(gap, record) : gap, lateness), found);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Every_way_of_running_gives_the_same(int way)
    {
        var random = new WindowCase(8, records: 20);
        await EveryWay.RunAsync(() => Scenario.Of<Numbered, WindowResult<string, string>>(
            (graph, input, output) => Define(graph, input, output, new TestOutput<Numbered>(), 15, true, 20, way),
            [
                .. random.Steps.Select(static step => (Action<TestInput<Numbered>>)(input =>
                {
                    if (step.IsWatermark) input.Watermark(step.Record.Time);
                    else input.Add(step.Record, step.Record.Time);
                })),
                static input => input.End(),
            ]));
    }

    [Fact]
    public async Task Sessions_that_a_late_record_bridges_become_one_and_the_old_ones_never_fire_again()
    {
        await using var harness = await StartAsync(10, 100);
        Give((0, 1), (15, 2), (40, 3));
        _input.Watermark(30);
        Give((8, 4));
        await harness.RestoreAsync(3);
        _input.Watermark(48);
        Give((30, 5), (25, 6));
        _input.End();
        await harness.RunAsync();

        Assert.Equal(
            [
                "a [0,10) 1 OnTime @9", "a [15,25) 2 OnTime @24", "a [0,25) 1,2,4 Late @24",
                "a [30,40) 5 Late @39", "a [25,40) 5,6 Late @39", "a [40,50) 3 OnTime @49",
            ],
            Lines());
    }

    [Fact]
    public async Task A_record_one_gap_behind_the_last_begins_another_session_wherever_the_watermark_is()
    {
        await using var harness = await StartAsync(10, 0);
        Give((0, 1), (9, 2), (19, 3));
        _input.End();
        await harness.RunAsync();

        Assert.Equal(["a [0,19) 1,2 OnTime @18", "a [19,29) 3 OnTime @28"], Lines());
    }

    [Fact]
    public async Task A_session_that_a_late_record_prolongs_past_the_watermark_fires_on_time_again()
    {
        await using var harness = await StartAsync(10, 20);
        Give((0, 1));
        _input.Watermark(12);
        Give((8, 2));
        await harness.RunAsync();
        Assert.Equal(["a [0,10) 1 OnTime @9"], Lines());
        _input.Watermark(17);
        await harness.RunAsync();

        Assert.Equal(["a [0,10) 1 OnTime @9", "a [0,18) 1,2 OnTime @17"], Lines());
    }

    [Theory]
    [InlineData(long.MaxValue - 3)]
    [InlineData(long.MaxValue - 1)]
    [InlineData(long.MinValue + 1)]
    public async Task At_the_ends_of_time_sessions_do_not_wrap(long time)
    {
        await using var harness = await StartAsync(10, 5);
        Give((time, 1), (time, 2));
        await harness.RestoreAsync(2);
        _input.End();
        await harness.RunAsync();

        var result = Assert.Single(_output.Values);
        Assert.Equal("1,2", result.Value);
        Assert.Equal((time, long.CreateSaturating((Int128)time + 10)), (result.Window.Start, result.Window.End));
    }

    [Fact]
    public async Task A_gap_below_a_millisecond_is_an_error_of_the_record()
    {
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", _input).KeyBy(static record => record.Key)
            .Window(SessionWindows.WithGap<Numbered>(static record => TimeSpan.FromMilliseconds(record.Number))).Aggregate("list", new Listing()).To("out", _output));
        Give((5, 0));

        var error = await Assert.ThrowsAnyAsync<StreamException>(harness.RunAsync);
        Assert.Contains("operator 'list', subtask 0, key 'a', event time 1970-01-01T00:00:00.005Z", error.Message);
        Assert.Contains("session gap of 00:00:00", error.Message);
    }

    [Fact]
    public async Task Nothing_is_left_of_a_session_that_is_over()
    {
        await using var harness = await StartAsync(10, 5);
        Give((0, 1), (5, 2));
        _input.Watermark(18);
        await harness.RunAsync();
        Assert.Equal(1, harness.WindowCount("list"));
        _input.Watermark(19);
        await harness.RunAsync();
        Assert.Equal(0, harness.WindowCount("list"));
    }

    private static long GapOf(int gap, Numbered record) => gap + (record.Number * 7 % 11);

    private static void Define(
        JobGraph graph, TestInput<Numbered> input, TestOutput<WindowResult<string, string>> output, TestOutput<Numbered> late, int gap, bool byRecord, int lateness, int way)
    {
        WindowAssigner windows = byRecord ? SessionWindows.WithGap<Numbered>(record => TimeSpan.FromMilliseconds(GapOf(gap, record))) : SessionWindows.WithGap(TimeSpan.FromMilliseconds(gap));
        var windowed = graph.From("in", input).KeyBy(static record => record.Key).Window(windows, TimeSpan.FromMilliseconds(lateness), Late);
        var lists = way switch
        {
            0 => windowed.Aggregate("list", new Listing()),
            1 => windowed.Process("list", static _ => new ListingFunction<string>()),
            // By a trigger with timers of its own, where the default has none.
            _ => windowed.Trigger(Triggers.Early(Triggers.Count<Numbered>(1000))).Aggregate("list", new Listing(), static _ => new HandOn()),
        };
        lists.SideOutput(Late).To("late", late);
        lists.To("out", output);
    }

    private Task<JobHarness> StartAsync(int gap, int lateness) => JobHarness.StartAsync(graph => Define(graph, _input, _output, _late, gap, false, lateness, 0));

    private void Give(params ReadOnlySpan<(long Time, int Number)> records)
    {
        foreach (var (time, number) in records) _input.Add(new Numbered("a", number, time), time);
    }

    private List<string> Lines() => [.. _output.Records.Select(WindowCase.Text)];
}
