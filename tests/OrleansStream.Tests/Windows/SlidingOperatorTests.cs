using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Testing;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

public sealed class SlidingOperatorTests
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
            var random = new WindowCase(seed);
            var size = 1 + random.Next(60);
            var slide = 1 + random.Next(random.Next(4) == 0 ? 80 : size);
            var offset = random.Next(slide);
            var lateness = random.Next(3) == 0 ? 0 : random.Next(60);
            var found = await random.RunAsync<WindowResult<string, string>>((graph, input, output, late) => Define(graph, input, output, late, Windows(size, slide, offset), lateness), WindowCase.Text);

            random.Equal(
                $"size {size}, slide {slide}, offset {offset}, lateness {lateness}", WindowReference.Of(random, time => WindowReference.Sliding(time, size, slide, offset), lateness), found);
        }
    }

    [Fact]
    public async Task Every_way_of_running_gives_the_same()
    {
        var random = new WindowCase(3, records: 25);
        await EveryWay.RunAsync(() => Scenario.Of<Numbered, WindowResult<string, string>>(
            (graph, input, output) => Define(graph, input, output, new TestOutput<Numbered>(), Windows(25, 10, 3), 12),
            [.. random.Steps.Select(static step => (Action<TestInput<Numbered>>)(input => Give(input, step))), static input => input.End()]));
    }

    [Fact]
    public async Task A_late_record_fires_again_the_kept_windows_that_hold_it_and_no_others()
    {
        await using var harness = await StartAsync(Windows(30, 10, 0), 10);
        Give((5, 1), (15, 2));
        _input.Watermark(40);
        Give((12, 3));
        await harness.RunAsync();

        Assert.Equal(
            [
                "a [-20,10) 1 OnTime @9", "a [-10,20) 1,2 OnTime @19", "a [0,30) 1,2 OnTime @29", "a [10,40) 2 OnTime @39",
                "a [10,40) 2,3 Late @39",
            ],
            Lines());
        _input.Watermark(49);
        Give((12, 4));
        await harness.RunAsync();
        Assert.Equal([new Numbered("a", 4, 12)], _late.Values);
        Assert.Equal(1, harness.LateRecords("list"));
    }

    [Fact]
    public async Task A_record_between_windows_that_leave_gaps_is_in_none_and_late_only_by_its_own_time()
    {
        await using var harness = await StartAsync(Windows(10, 30, 0), 0);
        Give((5, 1), (15, 2));
        _input.Watermark(20);
        Give((16, 3), (25, 4));
        _input.End();
        await harness.RunAsync();

        Assert.Equal(["a [0,10) 1 OnTime @9"], Lines());
        Assert.Equal([3], _late.Values.Select(static record => record.Number));
    }

    [Fact]
    public async Task Panes_of_more_keys_than_one_turn_removes_all_go_and_later_windows_are_right()
    {
        const int keys = 20_000;
        await using var harness = await StartAsync(Windows(20, 10, 0), 0);
        for (var key = 0; key < keys; key++) _input.Add(new Numbered($"{key}", 1, 5), 5);
        _input.Watermark(40);
        _input.Add(new Numbered("7", 2, 45), 45);
        _input.Watermark(50);
        await harness.RunAsync();
        await harness.RestoreAsync(2);
        _input.End();
        await harness.RunAsync();

        Assert.Equal((2 * keys) + 2, _output.Records.Count);
        Assert.Equal(["7 [-10,10) 1 OnTime @9", "7 [0,20) 1 OnTime @19", "7 [30,50) 2 OnTime @49", "7 [40,60) 2 OnTime @59"], Lines().Where(static line => line.StartsWith("7 ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5_000)]
    public async Task Few_keys_go_on_alike_when_many_others_have_gone(int others)
    {
        await using var harness = await StartAsync(Windows(30, 10, 0), 0);
        for (var key = 0; key < others; key++) _input.Add(new Numbered($"x{key}", 0, 1), 1);
        for (var number = 1; number <= 15; number++)
        {
            Give(((number * 10) + 5, number));
            if (number % 4 > 0) _input.Add(new Numbered("b", number, (number * 10) + 6), (number * 10) + 6);
            _input.Watermark((number * 10) + 9);
            await harness.RunAsync();
        }

        _input.End();
        await harness.RunAsync();

        var expected = Enumerable.Range(-1, 17).Select(static window => (Start: window * 10, Numbers: Enumerable.Range(window, 3).Where(static number => number is >= 1 and <= 15)));
        Assert.Equal(Expected("a", static _ => true), Lines().Where(static line => line.StartsWith('a')));
        Assert.Equal(Expected("b", static number => number % 4 > 0), Lines().Where(static line => line.StartsWith('b')));

        IEnumerable<string> Expected(string key, Func<int, bool> has) => expected
            .Select(window => (window.Start, Text: string.Join(',', window.Numbers.Where(has))))
            .Where(static window => window.Text.Length > 0)
            .Select(window => $"{key} [{window.Start},{window.Start + 30}) {window.Text} OnTime @{window.Start + 29}");
    }

    [Theory]
    [InlineData(long.MinValue + 1)]
    [InlineData(long.MaxValue - 1)]
    public async Task At_the_ends_of_time_windows_do_not_wrap(long time)
    {
        await using var harness = await StartAsync(Windows(1000, 300, 7), 5000);
        Give((time, 1));
        _input.End();
        await harness.RestoreAsync(2);
        await harness.RunAsync();

        var windows = _output.Values.Select(static result => result.Window).ToList();
        Assert.InRange(windows.Count, 3, 4);
        Assert.All(windows, window => Assert.True(window.Start <= time && time < window.End && window.End > window.Start));
        Assert.Equal(windows.Count, windows.Distinct().Count());
    }

    [Fact]
    public async Task Doubles_are_added_in_the_same_order_whatever_came_between()
    {
        var results = await EveryWay.RunAsync(static () => Scenario.Of<double, WindowResult<int, double>>(
            static (graph, input, output) => graph.From("in", input).KeyBy(static _ => 1).Window(Windows(50, 10, 0)).Reduce("sum", static (left, right) => left + right).To("out", output),
            [
                .. Enumerable.Range(0, 20).SelectMany(static i => new Action<TestInput<double>>[] { input => input.Add(0.1 * i, i * 7), input => input.Watermark((i * 7) - 3) }),
                static input => input.End(),
            ]));
        Assert.NotEmpty(results["the output"]);
    }

    [Fact]
    public async Task A_dead_letter_leaves_no_trace_even_where_merging_throws_for_a_late_record()
    {
        var letters = new TestOutput<DeadLetter<Numbered>>();
        await using var harness = await JobHarness.StartAsync(graph =>
        {
            var sums = graph.From("in", _input).KeyBy(static record => record.Key).Window(Windows(20, 10, 0), TimeSpan.FromMilliseconds(100))
                .Aggregate("list", new Choosy(), OnError.DeadLetter);
            sums.DeadLetters<Numbered>().To("letters", letters);
            sums.To("out", _output);
        });
        Give((5, 1), (15, 2), (16, 666));
        _input.Watermark(25);
        Give((6, 13), (7, 3), (-3, 13));
        _input.End();
        await harness.RunAsync();

        Assert.Equal([666, 13, 13], letters.Values.Select(static letter => letter.Record.Number));
        Assert.Equal(["a [-10,10) 1 OnTime @9", "a [0,20) 1,2 OnTime @19", "a [-10,10) 1,3 Late @9", "a [0,20) 1,2,3 Late @19", "a [10,30) 2 OnTime @29"], Lines());
    }

    [Fact]
    public async Task A_merge_that_throws_when_a_window_fires_is_reported_with_key_and_window()
    {
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", _input).KeyBy(static record => record.Key).Window(Windows(20, 10, 0)).Aggregate("list", new Choosy()).To("out", _output));
        Give((5, 13), (15, 2));
        _input.End();

        var error = await Assert.ThrowsAnyAsync<StreamException>(harness.RunAsync);
        Assert.Contains("operator 'list'", error.Message);
        Assert.Contains("key 'a', window [1969-12-31T23:59:59.990Z, 1970-01-01T00:00:00.010Z): making the result threw FormatException: 13 alone", error.Message);
    }

    private static SlidingWindows Windows(long size, long slide, long offset) =>
        SlidingWindows.Of(TimeSpan.FromMilliseconds(size), TimeSpan.FromMilliseconds(slide), TimeSpan.FromMilliseconds(offset));

    private static void Give(TestInput<Numbered> input, CaseStep step)
    {
        if (step.IsWatermark) input.Watermark(step.Record.Time);
        else input.Add(step.Record, step.Record.Time);
    }

    private static void Define(
        JobGraph graph, TestInput<Numbered> input, TestOutput<WindowResult<string, string>> output, TestOutput<Numbered> late, SlidingWindows windows, int lateness)
    {
        var lists = graph.From("in", input).KeyBy(static record => record.Key).Window(windows, TimeSpan.FromMilliseconds(lateness), Late).Aggregate("list", new Listing());
        lists.SideOutput(Late).To("late", late);
        lists.To("out", output);
    }

    private Task<JobHarness> StartAsync(SlidingWindows windows, int lateness) => JobHarness.StartAsync(graph => Define(graph, _input, _output, _late, windows, lateness));

    private void Give(params ReadOnlySpan<(long Time, int Number)> records)
    {
        foreach (var (time, number) in records) _input.Add(new Numbered("a", number, time), time);
    }

    private List<string> Lines() => [.. _output.Records.Select(WindowCase.Text)];

    /// <summary>Throws when it takes 666, and when it merges anything with 13.</summary>
    private sealed class Choosy : AggregateFunction<Numbered, string, string>
    {
        private static readonly Listing Inner = new();

        public override string Create() => "";

        public override void Add(ref string accumulator, in Numbered record)
        {
            if (record.Number == 666) throw new FormatException("666");
            Inner.Add(ref accumulator, in record);
        }

        public override void Merge(ref string accumulator, in string later)
        {
            if ((accumulator + later).Contains(" 13", StringComparison.Ordinal)) throw new FormatException("13");
            accumulator += later;
        }

        public override string Result(in string accumulator) => accumulator == " 13" ? throw new FormatException("13 alone") : Inner.Result(in accumulator);
    }
}
