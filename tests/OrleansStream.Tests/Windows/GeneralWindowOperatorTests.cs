using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Testing;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

public sealed class GeneralWindowOperatorTests
{
    private static readonly SideOutput<Numbered> Late = new("late");

    [Fact]
    public async Task Whole_windows_see_what_the_definition_gives_in_random_cases()
    {
        for (var seed = 0; seed < 1000; seed++)
        {
            var random = new WindowCase(seed, records: 30);
            var size = 1 + random.Next(60);
            var slide = 1 + random.Next(random.Next(4) == 0 ? 80 : size);
            var offset = random.Next(slide);
            var lateness = random.Next(3) == 0 ? 0 : random.Next(60);
            var way = random.Next(4);
            var found = await random.RunAsync<WindowResult<string, string>>((graph, input, output, late) => Define(graph, input, output, late, size, slide, offset, lateness, way), WindowCase.Text);

            random.Equal(
                $"size {size}, slide {slide}, offset {offset}, lateness {lateness}, way {way}", WindowReference.Of(random, time => WindowReference.Sliding(time, size, slide, offset), lateness), found);
        }
    }

    [Fact]
    public async Task Windows_by_number_hold_what_the_definition_gives_in_random_cases()
    {
        for (var seed = 0; seed < 1000; seed++)
        {
            var random = new WindowCase(seed);
            var size = 1 + random.Next(6);
            var slide = random.Next(2) == 0 ? (int?)null : 1 + random.Next(6);
            var windows = slide is { } every ? CountWindows.Sliding(size, every) : CountWindows.Of(size);
            var found = await random.RunAsync<WindowResult<string, string>>(
                (graph, input, output, _) =>
                {
                    var windowed = graph.From("in", input).KeyBy(static record => record.Key).Window(windows);
                    (seed % 2 == 0 ? windowed.Aggregate("list", new Listing()) : windowed.Process("list", static _ => new ListingFunction<string>())).To("out", output);
                },
                WindowCase.Text);

            random.Equal($"size {size}, slide {slide}", (WindowCase.Sorted(ByNumber(random, size, slide)), []), found);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Every_way_of_running_gives_the_same(int way)
    {
        var random = new WindowCase(5, records: 20);
        await EveryWay.RunAsync(() => Scenario.Of<Numbered, WindowResult<string, string>>(
            (graph, input, output) => Define(graph, input, output, new TestOutput<Numbered>(), 25, 10, 3, 12, way), Feed(random)));
    }

    [Fact]
    public async Task All_records_of_a_stream_are_in_the_same_windows()
    {
        var input = new TestInput<Numbered>();
        var output = new TestOutput<WindowResult<byte, string>>();
        await using var harness = await JobHarness.StartAsync(
            graph => graph.From("in", input).WindowAll(TumblingWindows.Of(TimeSpan.FromMilliseconds(10))).Process("list", static _ => new ListingFunction<byte>()).To("out", output),
            new HarnessOptions { Parallelism = 3 });
        foreach (var (key, number, time) in new[] { ("a", 1, 3L), ("b", 2, 4L), ("c", 3, 12L), ("d", 4, 9L) }) input.Add(new Numbered(key, number, time), time);
        input.End();
        await harness.RunAsync();

        Assert.Equal(["1,2,4", "3"], output.Values.Select(static result => result.Value));
    }

    [Fact]
    public async Task A_function_that_fails_for_a_record_leaves_nothing_of_it_in_random_cases()
    {
        for (var seed = 0; seed < 1000; seed++)
        {
            var random = new WindowCase(seed, records: 30);
            var lateness = random.Next(60);
            var kind = random.Next(5);
            var poisoned = await random.RunAsync<WindowResult<string, string>>((graph, input, output, late) => Fragile(graph, input, output, late, kind, lateness), WindowCase.Text);
            var clean = new WindowCase(seed, records: 30);
            clean.Steps.RemoveAll(static step => !step.IsWatermark && Poison.IsIn(step.Record.Number));
            var expected = await clean.RunAsync<WindowResult<string, string>>((graph, input, output, late) => Fragile(graph, input, output, late, kind, lateness), WindowCase.Text);

            // What is late never reaches a function, poison or not.
            random.Equal(
                $"kind {kind}, lateness {lateness}",
                (expected.Results, [.. expected.Late.Where(static line => !Poison.IsIn(line))]), (poisoned.Results, [.. poisoned.Late.Where(static line => !Poison.IsIn(line))]));
        }
    }

    private static void Define(
        JobGraph graph, TestInput<Numbered> input, TestOutput<WindowResult<string, string>> output, TestOutput<Numbered> late, int size, int slide, int offset, int lateness, int way)
    {
        var windows = SlidingWindows.Of(TimeSpan.FromMilliseconds(size), TimeSpan.FromMilliseconds(slide), TimeSpan.FromMilliseconds(offset));
        var windowed = graph.From("in", input).KeyBy(static record => record.Key).Window(windows, TimeSpan.FromMilliseconds(lateness), Late);
        var lists = way switch
        {
            0 => windowed.Process("list", static _ => new ListingFunction<string>()),
            1 => windowed.Aggregate("list", new Listing(), static _ => new HandOn()),
            2 => windowed.Evict(new KeepAll()).Aggregate("list", new Listing()),
            _ => windowed.Trigger(new AtEnd()).Process("list", static _ => new ListingFunction<string>()),
        };
        lists.SideOutput(Late).To("late", late);
        lists.To("out", output);
    }

    private static void Fragile(JobGraph graph, TestInput<Numbered> input, TestOutput<WindowResult<string, string>> output, TestOutput<Numbered> late, int kind, int lateness)
    {
        var keyed = graph.From("in", input).KeyBy(static record => record.Key);
        WindowedStream<string, Numbered> Sessions() => keyed.Window(SessionWindows.WithGap(TimeSpan.FromMilliseconds(12)), TimeSpan.FromMilliseconds(lateness), Late);
        var sliding = SlidingWindows.Of(TimeSpan.FromMilliseconds(30), TimeSpan.FromMilliseconds(10));
        var lists = kind switch
        {
            0 => Sessions().Aggregate("list", new PoisonedListing(), OnError.DeadLetter),
            1 => Sessions().Trigger(new PoisonedTrigger()).Process("list", static _ => new ListingFunction<string>(), OnError.DeadLetter),
            2 => keyed.Window(sliding, TimeSpan.FromMilliseconds(lateness), Late).Trigger(new PoisonedTrigger()).Aggregate("list", new Listing(), OnError.DeadLetter),
            3 => keyed.Window(GlobalWindows.Instance).Trigger(Triggers.Count<Numbered>(1)).Process("list", static _ => new PoisonedFunction(), OnError.DeadLetter),
            _ => keyed.Window(sliding, TimeSpan.FromMilliseconds(lateness), Late).Trigger(new PoisonedTrigger()).Evict(Evictors.Count<Numbered>(2)).Process("list", static _ => new ListingFunction<string>(), OnError.DeadLetter),
        };
        if (kind != 3) lists.SideOutput(Late).To("late", late);
        lists.To("out", output);
    }

    private static List<Action<TestInput<Numbered>>> Feed(WindowCase random) =>
    [
        .. random.Steps.Select(static step => (Action<TestInput<Numbered>>)(input =>
        {
            if (step.IsWatermark) input.Watermark(step.Record.Time);
            else input.Add(step.Record, step.Record.Time);
        })),
        static input => input.End(),
    ];

    private static IEnumerable<string> ByNumber(WindowCase random, int size, int? slide)
    {
        foreach (var key in random.Steps.Where(static step => !step.IsWatermark).GroupBy(static step => step.Record.Key, static step => step.Record))
        {
            var records = key.ToList();
            var every = slide ?? size;
            for (var end = every; ; end += every)
            {
                var isLast = end >= records.Count;
                var count = Math.Min(end, records.Count);
                if (count > end - every)
                {
                    var from = slide is null ? end - every : Math.Max(0, count - size);
                    // The latest time that the window has seen, of records that it holds no more too.
                    var seen = slide is null ? records[from..count] : records[..count];
                    yield return WindowCase.Text(
                        key.Key, TimeWindow.All, Listing.Of(records[from..count].Select(static record => record.Number)), count == end ? WindowFiring.Early : WindowFiring.OnTime, seen.Max(static record => record.Time));
                }

                if (isLast) break;
            }
        }
    }

    /// <summary>Evicts nothing.</summary>
    private sealed class KeepAll : Evictor<Numbered>;

    /// <summary>Does by its own timers what windows do without a trigger.</summary>
    private sealed class AtEnd : Trigger<Numbered>
    {
        public override TriggerResult OnRecord(in Numbered record, long timestamp, ref TriggerContext context)
        {
            if (context.Watermark >= context.Window.Last) return TriggerResult.Fire;
            context.RegisterEventTimer(context.Window.Last);
            return TriggerResult.Continue;
        }

        public override TriggerResult OnEventTimer(long timestamp, ref TriggerContext context) => TriggerResult.Fire;
    }
}
