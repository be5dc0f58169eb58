using OrleansStream.State;
using OrleansStream.Testing;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

public sealed class TriggerTests
{
    private readonly TestInput<Numbered> _input = new();
    private readonly TestOutput<WindowResult<string, string>> _output = new();

    [Fact]
    public async Task A_count_fires_each_time_it_is_full_and_leaves_the_rest_of_a_window_that_ends()
    {
        await using var harness = await StartAsync(Triggers.Count<Numbered>(2));
        Give((1, 1), (2, 2), (3, 3), (4, 4), (5, 5));
        _input.End();
        await harness.RestoreAsync(2);

        Assert.Equal(["1,2 Early", "1,2,3,4 Early"], Lines());
    }

    [Fact]
    public async Task Purging_makes_each_firing_begin_anew()
    {
        await using var harness = await StartAsync(Triggers.Purging(Triggers.Count<Numbered>(2)));
        Give((1, 1), (2, 2));
        await harness.RestoreAsync(2);
        Give((3, 3), (4, 4), (5, 5));
        _input.End();
        await harness.RunAsync();

        Assert.Equal(["1,2 Early", "3,4 Early"], Lines());
    }

    [Fact]
    public async Task A_window_that_was_purged_fires_for_a_late_record_with_that_record_alone()
    {
        await using var harness = await StartAsync(Triggers.Purging(Triggers.EventTime<Numbered>()), lateness: 50);
        Give((1, 1), (2, 2));
        _input.Watermark(120);
        Give((3, 3));
        _input.Watermark(149);
        Give((4, 4));
        await harness.RunAsync();

        Assert.Equal(["1,2 OnTime", "3 Late"], Lines());
        Assert.Equal(1, harness.LateRecords("list"));
        Assert.Equal(0, harness.WindowCount("list"));
    }

    [Fact]
    public async Task A_delta_fires_for_a_record_that_is_far_from_the_one_it_last_fired_for()
    {
        await using var harness = await StartAsync(Triggers.Delta<Numbered>(5, static (last, record) => record.Number - last.Number));
        Give((1, 1), (2, 6), (3, 7), (4, 12), (5, 13));
        await harness.RunAsync();

        Assert.Equal(["1,6,7 Early", "1,6,7,12,13 Early"], Lines());
    }

    [Fact]
    public async Task Continuous_event_time_fires_at_multiples_and_at_the_end()
    {
        await using var harness = await StartAsync(Triggers.ContinuousEventTime<Numbered>(TimeSpan.FromMilliseconds(30)), lateness: 10);
        Give((5, 1));
        _input.Watermark(29);
        await harness.RestoreAsync(2);
        Assert.Empty(_output.Records);
        _input.Watermark(30);
        Give((31, 2));
        _input.Watermark(60);
        Give((62, 3));
        _input.Watermark(99);
        Give((61, 4));
        _input.End();
        await harness.RunAsync();

        Assert.Equal(["1 Early", "1,2 Early", "1,2,3 Early", "1,2,3 OnTime", "1,2,3,4 Late"], Lines());
    }

    [Fact]
    public async Task Continuous_processing_time_fires_by_the_clock_while_the_window_has_records()
    {
        await using var harness = await StartAsync(Triggers.ContinuousProcessingTime<Numbered>(TimeSpan.FromMilliseconds(1000)));
        await harness.AdvanceProcessingTimeAsync(500);
        Give((5, 1));
        await harness.AdvanceProcessingTimeAsync(999);
        Assert.Empty(Lines());
        await harness.RestoreAsync(2);
        await harness.AdvanceProcessingTimeAsync(2000);
        Give((6, 2));
        await harness.RunAsync();
        _input.End();
        await harness.RunAsync();

        // What the clock was still to bring comes once at the end of input.
        Assert.Equal(["1 Early", "1 Early", "1,2 Early"], Lines());
    }

    [Fact]
    public async Task Early_firings_come_before_the_one_at_the_end_and_late_ones_after()
    {
        await using var harness = await StartAsync(Triggers.Early(Triggers.Count<Numbered>(2)), lateness: 50);
        Give((1, 1), (2, 2), (3, 3));
        _input.Watermark(99);
        Give((4, 4));
        _input.End();
        await harness.RestoreAsync(3);

        Assert.Equal(["1,2 Early", "1,2,3 OnTime", "1,2,3,4 Late"], Lines());
    }

    [Fact]
    public async Task A_trigger_by_the_clock_fires_a_window_in_event_time_when_the_clock_passes_its_end()
    {
        await using var harness = await StartAsync(Triggers.ProcessingTime<Numbered>());
        Give((1, 1));
        await harness.AdvanceProcessingTimeAsync(99);
        Assert.Empty(Lines());
        await harness.AdvanceProcessingTimeAsync(100);

        Assert.Equal(["1 Early"], Lines());
    }

    [Fact]
    public async Task A_trigger_of_ones_own_keeps_state_sets_and_deletes_timers_and_purges()
    {
        await using var harness = await StartAsync(new Whimsical(), lateness: 1000);
        Give((10, 1), (20, 2));
        await harness.RestoreAsync(2);
        _input.Watermark(15);
        await harness.RunAsync();
        Assert.Empty(Lines());
        _input.Watermark(25);
        Give((30, 3), (40, 100));
        _input.Watermark(1500);
        await harness.RestoreAsync(1);

        Assert.Equal(["1,2 Early", "1,2,3,100 Early"], Lines());
        Assert.Equal(0, harness.WindowCount("list"));
    }

    [Fact]
    public async Task Counts_of_sessions_that_become_one_add_up()
    {
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", _input).KeyBy(static record => record.Key)
            .Window(SessionWindows.WithGap(TimeSpan.FromMilliseconds(10))).Trigger(Triggers.Count<Numbered>(4)).Aggregate("list", new Listing()).To("out", _output));
        Give((0, 1), (15, 2), (16, 3));
        await harness.RestoreAsync(3);
        Give((8, 4));
        await harness.RunAsync();

        Assert.Equal(["1,2,3,4 Early"], Lines());
    }

    [Fact]
    public async Task A_global_window_fires_at_the_end_of_input_and_carries_the_latest_time()
    {
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", _input).KeyBy(static record => record.Key)
            .Window(GlobalWindows.Instance).Aggregate("list", new Listing()).To("out", _output));
        Give((50, 1), (20, 2));
        _input.Watermark(1000);
        await harness.RestoreAsync(2);
        Assert.Empty(Lines());
        _input.End();
        await harness.RunAsync();

        Assert.Equal(["1,2 OnTime"], Lines());
        Assert.Equal(50, Assert.Single(_output.Records).Timestamp);
    }

    [Fact]
    public async Task A_global_window_with_a_continuous_trigger_comes_to_an_end_at_the_end_of_input()
    {
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", _input).KeyBy(static record => record.Key)
            .Window(GlobalWindows.Instance).Trigger(Triggers.ContinuousEventTime<Numbered>(TimeSpan.FromMilliseconds(10))).Aggregate("list", new Listing()).To("out", _output));
        Give((5, 1));
        _input.End();
        await harness.RunAsync();

        Assert.Equal(["1 Early", "1 OnTime"], Lines());
    }

    [Theory]
    [InlineData(false, "3,4,5 Early", "5,6,7 Early")]
    [InlineData(true, "1,2,3,4,5 Early", "3,4,5,6,7 Early")]
    public async Task A_count_evictor_keeps_the_last_records_before_or_after_the_function(bool after, params string[] expected)
    {
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", _input).KeyBy(static record => record.Key)
            .Window(GlobalWindows.Instance).Trigger(new Every(5, 7)).Evict(Evictors.Count<Numbered>(3, after)).Process("list", static _ => new ListingFunction<string>()).To("out", _output));
        Give((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6));
        await harness.RestoreAsync(2);
        Give((7, 7));
        await harness.RunAsync();

        Assert.Equal(expected, Lines());
    }

    [Fact]
    public async Task Time_and_delta_evictors_keep_what_is_near_the_latest()
    {
        var deltas = new TestOutput<WindowResult<string, string>>();
        await using var harness = await JobHarness.StartAsync(graph =>
        {
            var windowed = graph.From("in", _input).KeyBy(static record => record.Key).Window(GlobalWindows.Instance).Trigger(new Every(5, 5));
            windowed.Evict(Evictors.Time<Numbered>(TimeSpan.FromMilliseconds(10))).Aggregate("list", new Listing()).To("out", _output);
            windowed.Evict(Evictors.Delta<Numbered>(3, static (record, last) => last.Number - record.Number)).Aggregate("deltas", new Listing()).To("deltas-out", deltas);
        });
        Give((10, 1), (20, 2), (11, 3), (15, 4), (19, 5));
        await harness.RunAsync();

        Assert.Equal(["2,3,4,5 Early"], Lines());
        Assert.Equal(["3,4,5"], deltas.Values.Select(static result => result.Value));
    }

    [Fact]
    public async Task A_window_of_which_an_evictor_leaves_nothing_does_not_fire()
    {
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", _input).KeyBy(static record => record.Key)
            .Window(TumblingWindows.Of(TimeSpan.FromMilliseconds(10))).Evict(Evictors.Count<Numbered>(0)).Aggregate("list", new Listing()).To("out", _output));
        Give((1, 1));
        _input.End();
        await harness.RunAsync();

        Assert.Empty(_output.Records);
    }

    private Task<JobHarness> StartAsync(Trigger<Numbered> trigger, int lateness = 0) => JobHarness.StartAsync(graph => graph.From("in", _input).KeyBy(static record => record.Key)
        .Window(TumblingWindows.Of(TimeSpan.FromMilliseconds(100)), TimeSpan.FromMilliseconds(lateness)).Trigger(trigger).Aggregate("list", new Listing()).To("out", _output));

    private void Give(params ReadOnlySpan<(long Time, int Number)> records)
    {
        foreach (var (time, number) in records) _input.Add(new Numbered("a", number, time), time);
    }

    private List<string> Lines() => [.. _output.Values.Select(static result => $"{result.Value} {result.Firing}")];

    /// <summary>Fires for two records, by their numbers.</summary>
    private sealed class Every(int first, int second) : Trigger<Numbered>
    {
        public override TriggerResult OnRecord(in Numbered record, long timestamp, ref TriggerContext context) =>
            record.Number == first || record.Number == second ? TriggerResult.Fire : TriggerResult.Continue;
    }

    /// <summary>Moves one timer to 5 behind the latest record and fires at it; purges at record 100 after firing.</summary>
    private sealed class Whimsical : Trigger<Numbered>
    {
        private static readonly ValueState<long> Timer = new("timer");

        public override IReadOnlyList<StateDeclaration> States => [Timer];

        public override TriggerResult OnRecord(in Numbered record, long timestamp, ref TriggerContext context)
        {
            if (record.Number == 100) return TriggerResult.FireAndPurge;
            if (context.State.Has(Timer)) context.DeleteEventTimer(context.State.Get(Timer));
            context.State.Set(Timer, timestamp + 5);
            context.RegisterEventTimer(timestamp + 5);
            return TriggerResult.Continue;
        }

        public override TriggerResult OnEventTimer(long timestamp, ref TriggerContext context) => timestamp == context.State.Get(Timer) ? TriggerResult.Fire : TriggerResult.Continue;
    }
}
