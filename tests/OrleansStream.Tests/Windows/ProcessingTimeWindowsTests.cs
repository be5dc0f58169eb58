using OrleansStream.Testing;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

public sealed class ProcessingTimeWindowsTests
{
    [Fact]
    public async Task Windows_by_the_clock_hold_what_the_definition_gives_in_random_cases()
    {
        for (var seed = 0; seed < 1000; seed++)
        {
            var random = new Random(seed);
            var (size, slide, offset) = (random.Next(1, 40), random.Next(1, 40), 0);
            offset = random.Next(slide);
            var windows = SlidingWindows.Of(Ms(size), Ms(slide), Ms(offset)).InProcessingTime();
            await CompareAsync(seed, random, $"size {size}, slide {slide}, offset {offset}", windows, records => records.SelectMany(record => WindowReference.Sliding(record.Time, size, slide, offset)
                .Select(window => (record.Key, window))).Distinct().Select(of => (of.Key, of.window, Numbers: records.Where(record => record.Key == of.Key && of.window.Start <= record.Time && record.Time < of.window.End))));
        }
    }

    [Fact]
    public async Task Sessions_by_the_clock_hold_what_the_definition_gives_in_random_cases()
    {
        for (var seed = 0; seed < 1000; seed++)
        {
            var random = new Random(seed);
            var gap = random.Next(1, 25);
            await CompareAsync(seed, random, $"gap {gap}", SessionWindows.WithGap(Ms(gap)).InProcessingTime(), records => records.GroupBy(static record => record.Key).SelectMany(key =>
            {
                var sessions = new List<List<Numbered>>();
                foreach (var record in key)
                {
                    if (sessions.Count > 0 && record.Time - sessions[^1][^1].Time < gap) sessions[^1].Add(record);
                    else sessions.Add([record]);
                }

                return sessions.Select(session => (key.Key, new TimeWindow(session[0].Time, session[^1].Time + gap), (IEnumerable<Numbered>)session));
            }));
        }
    }

    [Fact]
    public async Task A_window_fires_when_its_last_millisecond_is_over_and_not_before()
    {
        var input = new TestInput<Numbered>();
        var output = new TestOutput<WindowResult<string, string>>();
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", input).KeyBy(static record => record.Key)
            .Window(TumblingWindows.Of(Ms(100)).InProcessingTime()).Aggregate("list", new Listing()).To("out", output));
        input.Add(new Numbered("a", 1, 0), 5);
        await harness.AdvanceProcessingTimeAsync(99);
        input.Add(new Numbered("a", 2, 0), -1000);
        await harness.RunAsync();
        input.Watermark(10_000);
        await harness.RestoreAsync(2);
        Assert.Empty(output.Records);
        await harness.AdvanceProcessingTimeAsync(100);

        Assert.Equal(["a [0,100) 1,2 OnTime @99"], output.Records.Select(WindowCase.Text));
        Assert.Equal(0, harness.WindowCount("list"));
    }

    [Fact]
    public async Task The_end_of_input_fires_what_the_clock_has_not_reached()
    {
        var input = new TestInput<Numbered>();
        var output = new TestOutput<WindowResult<string, string>>();
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", input).KeyBy(static record => record.Key)
            .Window(TumblingWindows.Of(Ms(100)).InProcessingTime()).Trigger(Triggers.Early(Triggers.ContinuousProcessingTime<Numbered>(Ms(30)))).Aggregate("list", new Listing()).To("out", output));
        input.Add(new Numbered("a", 1, 0), 5);
        await harness.AdvanceProcessingTimeAsync(45);
        input.End();
        await harness.RunAsync();

        Assert.Equal(["a [0,100) 1 Early @99", "a [0,100) 1 Early @99", "a [0,100) 1 OnTime @99"], output.Records.Select(WindowCase.Text));
    }

    private static async Task CompareAsync(
        int seed, Random random, string about, WindowAssigner windows, Func<List<Numbered>, IEnumerable<(string Key, TimeWindow Window, IEnumerable<Numbered> Records)>> reference)
    {
        var input = new TestInput<Numbered>();
        var output = new TestOutput<WindowResult<string, string>>();
        var records = new List<Numbered>();
        await using var harness = await JobHarness.StartAsync(
            graph =>
            {
                var windowed = graph.From("in", input).KeyBy(static record => record.Key).Window(windows);
                (seed % 2 == 0 ? windowed.Aggregate("list", new Listing()) : windowed.Process("list", static _ => new ListingFunction<string>())).To("out", output);
            },
            new HarnessOptions { Parallelism = random.Next(1, 4), ProcessingTime = random.Next(-50, 50) });
        for (var i = random.Next(25); i > 0; i--)
        {
            var record = new Numbered(((char)('a' + random.Next(3))).ToString(), i, harness.ProcessingTime);
            records.Add(record);
            input.Add(record, random.Next(1000));
            await harness.RunAsync();
            if (random.Next(5) == 0) await harness.RestoreAsync(random.Next(1, 4));
            if (random.Next(3) > 0) await harness.AdvanceProcessingTimeAsync(harness.ProcessingTime + random.Next(30));
        }

        var clock = harness.ProcessingTime;
        var all = reference(records).Select(static of => (of.Window, Line: WindowCase.Text(of.Key, of.Window, Listing.Of(of.Records.Select(static record => record.Number)), WindowFiring.OnTime, of.Window.Last))).ToList();
        Check("by the clock", all.Where(of => of.Window.End <= clock).Select(static of => of.Line));
        input.End();
        await harness.RunAsync();
        Check("at the end of input", all.Select(static of => of.Line));

        void Check(string when, IEnumerable<string> expected) => Assert.True(
            WindowCase.Sorted(expected).SequenceEqual(WindowCase.Sorted(output.Records.Select(WindowCase.Text))),
            $"Seed {seed}, {about}, {when}, input {string.Join(' ', records)}\nexpected {string.Join("; ", WindowCase.Sorted(expected))}\nfound {string.Join("; ", WindowCase.Sorted(output.Records.Select(WindowCase.Text)))}");
    }

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
