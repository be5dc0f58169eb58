using OrleansStream.Functions;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Tests.Stages;
using OrleansStream.Time;

namespace OrleansStream.Tests.Functions;

public sealed class TimeToLiveTests
{
    private static readonly TimeSpan Ten = TimeSpan.FromMilliseconds(10);

    [Fact]
    public void A_value_is_there_until_its_time_to_live_has_passed_to_the_millisecond()
    {
        var rig = Values(Ten);

        Assert.Equal(["", "1", "1", "", "False"], rig.Give(("a?", 0), ("a=1", 0), ("a?", 0), ("a?", 9), ("a?", 10), ("a has", 10)));
    }

    [Fact]
    public void Writing_moves_the_time_on_and_reading_does_not()
    {
        var rig = Values(Ten);

        Assert.Equal(["1", "2", ""], rig.Give(("a=1", 0), ("a?", 8), ("a=2", 9), ("a?", 18), ("a?", 19)));
    }

    [Fact]
    public void Reading_moves_the_time_on_where_the_policy_says_so()
    {
        var rig = Values(TimeToLive.InEventTime(Ten, refreshOnRead: true));

        Assert.Equal(["1", "True", "1", ""], rig.Give(("a=1", 0), ("a?", 9), ("a has", 18), ("a?", 27), ("a?", 37)));
    }

    [Fact]
    public void A_record_out_of_order_neither_moves_the_time_back_nor_misses_what_had_not_expired_at_its_time()
    {
        var rig = Values(Ten);
        rig.Advance(2);

        // At 20 the value of 5 has expired; a record of 14 that comes after it still sees it.
        Assert.Equal(["", "1", "2", ""], rig.Give(("a=1", 5), ("a?", 20), ("a?", 14), ("a=0", 21), ("a=2", 13), ("a?", 30), ("a?", 31)));
    }

    [Fact]
    public void A_late_record_sees_what_is_left_at_the_watermark_and_what_it_writes_lives_from_there()
    {
        var rig = Values(Ten);
        rig.Give(("a=1", 5));
        rig.Advance(15);

        Assert.Equal(["", "2"], rig.Give(("a?", 6), ("a=2", 6), ("a?", 7)));
        rig.Advance(24);
        Assert.Equal(["2", ""], rig.Give(("a?", 6), ("a?", 25)));
    }

    [Fact]
    public void What_expired_by_the_watermark_is_removed_without_being_touched_and_its_key_leaves()
    {
        var rig = Values(Ten);
        rig.Give(("a=1", 0), ("b=1", 5));
        rig.Advance(9);
        Assert.Equal(2, rig.Scope.Table.KeyCount);
        rig.Advance(10);
        Assert.Equal(1, rig.Scope.Table.KeyCount);
        rig.Advance(15);

        Assert.Equal(0, rig.Scope.Table.KeyCount);
        Assert.Null(rig.Operator.NextTime);
    }

    [Fact]
    public void Removing_goes_on_in_bounded_steps_and_asks_to_be_called_until_it_is_done()
    {
        var rig = Values(Ten);
        rig.Give([.. Enumerable.Range('!' + 1, 5000).Select(static letter => ($"{(char)letter}=1", 0L))]);
        Assert.Equal(5000, rig.Scope.Table.KeyCount);

        rig.Advance(1000);
        var steps = 0;
        for (var now = 1L; rig.Operator.NextTime is { } next; now = Math.Max(next, now + 1), steps++)
        {
            var before = rig.Scope.Table.KeyCount;
            rig.Pass(now);
            Assert.InRange(before - rig.Scope.Table.KeyCount, 0, 1024);
        }

        Assert.InRange(steps, 3, 6);
        Assert.Equal(0, rig.Scope.Table.KeyCount);
    }

    [Fact]
    public void By_the_clock_a_value_expires_whatever_the_event_times_are()
    {
        var rig = Values(TimeToLive.InProcessingTime(Ten));
        rig.Pass(1000);
        rig.Give(("a=1", 50_000));
        rig.Advance(60_000);
        rig.Pass(1009);
        Assert.Equal(["1"], rig.Give(("a?", 99_000)));
        rig.Context.Now = new Clock(1010, 1010);

        Assert.Equal([""], rig.Give(("a?", 0)));
    }

    [Fact]
    public void By_the_clock_what_has_expired_is_removed_though_nothing_comes()
    {
        var rig = Values(TimeToLive.InProcessingTime(Ten));
        rig.Pass(1000);
        rig.Give(("a=1", 0));
        Assert.Equal(1010, rig.Operator.NextTime);
        Assert.Equal(1, rig.Scope.Table.KeyCount);
        rig.Pass(1010);

        Assert.Equal(0, rig.Scope.Table.KeyCount);
        Assert.Null(rig.Operator.NextTime);
    }

    [Fact]
    public void A_clock_that_goes_back_does_not_bring_back_what_has_expired()
    {
        var rig = Values(TimeToLive.InProcessingTime(Ten));
        rig.Pass(1000);
        rig.Give(("a=1", 0));
        rig.Context.Now = new Clock(1010, 10);
        Assert.Equal([""], rig.Give(("a?", 0)));
        rig.Context.Now = new Clock(1000, 20);

        Assert.Equal([""], rig.Give(("a?", 0)));
    }

    [Fact]
    public void A_timer_sees_what_has_not_expired_at_its_own_time_though_the_watermark_is_far_ahead()
    {
        var rig = Values(Ten);
        rig.Give(("a=1", 0), ("a timer 9", 0), ("a timer 10", 0));

        Assert.Equal(["event 9: 1", "event 10: "], rig.Advance(1000));
    }

    [Fact]
    public void A_timer_set_in_the_past_sees_what_is_left_at_the_watermark_before()
    {
        var rig = Values(Ten);
        rig.Give(("a=1", 0));
        rig.Advance(20);
        rig.Give(("a timer 5", 30));

        Assert.Equal(["event 5: "], rig.Advance(31));
    }

    [Fact]
    public void A_timer_of_the_clock_has_the_event_time_of_the_watermark()
    {
        var rig = Values(Ten);
        rig.Advance(100);
        rig.Give(("a=1", 105), ("a clock 5000", 105));
        Assert.Equal(["clock 5000: 1"], rig.Pass(5000));
        rig.Give(("a clock 6000", 105));
        rig.Advance(115);

        Assert.Equal(["clock 6000: "], rig.Pass(6000));
    }

    [Fact]
    public void The_end_of_input_expires_nothing()
    {
        var rig = Values(Ten);
        rig.Give(("a=1", 5), ("a timer 9223372036854775807", 5));
        rig.Advance(7);

        Assert.Equal(["event 9223372036854775807: 1"], rig.Advance(EventTime.End));
        Assert.Equal(1, rig.Scope.Table.KeyCount);
    }

    [Fact]
    public void Near_the_ends_of_time_nothing_wraps()
    {
        var rig = Values(TimeSpan.MaxValue);
        Assert.Equal(["1", "2"], rig.Give(("a=1", long.MaxValue - 1), ("a?", long.MaxValue - 1), ("b=2", long.MinValue + 1), ("b?", long.MinValue + 1000)));
        rig.Advance(long.MaxValue - 1);

        Assert.Equal(["1", ""], rig.Give(("a?", 0), ("b?", 0)));
    }

    [Fact]
    public void Without_any_time_known_nothing_expires_and_the_first_watermark_counts_as_the_touch()
    {
        var rig = Values(Ten);
        Assert.Equal(["1"], rig.Give(("a=1", long.MinValue), ("a?", long.MinValue)));
        rig.Advance(1000);
        Assert.Equal(["1"], rig.Give(("a?", 1009)));

        Assert.Equal([""], rig.Give(("a?", 1010)));
    }

    [Fact]
    public async Task A_timer_between_the_watermarks_of_two_former_subtasks_has_the_time_of_its_keys_own()
    {
        // The keys a and b are of the groups 0 to 63 and 64 to 127.
        var context = Wiring.Context();
        var rig = Values(Ten, context: context);
        rig.Give(("a=1", 45), ("b=1", 45), ("a timer 52", 0), ("b timer 52", 0));
        context.FormerWatermarks = [new FormerWatermark(new KeyGroupRange(0, 64), 50), new FormerWatermark(new KeyGroupRange(64, 128), 77)];
        await rig.Operator.OpenAsync(TestContext.Current.CancellationToken);
        Assert.True(rig.Operator.HasPending);
        rig.Operator.Resume();

        var results = rig.Give();
        Assert.Equal(["event 52: ", "event 52: 1"], results.Order());
    }

    [Fact]
    public void A_record_that_fails_has_refreshed_nothing_and_brought_nothing_back()
    {
        var rig = Values(TimeToLive.InEventTime(Ten, refreshOnRead: true), OnError.DeadLetter);

        Assert.Equal(["1", "", "False"], rig.Give(("a=1", 0), ("a?!", 9), ("a=2!", 9), ("a?", 9), ("a=3!", 25), ("a?", 25), ("a has", 25)));
        rig.Advance(100);
        Assert.Equal(0, rig.Scope.Table.KeyCount);
    }

    private static KeyedRig Values(TimeToLive policy, OnError onError = OnError.Fail, SubtaskContext? context = null)
    {
        var state = new ValueState<string>("kept") { Default = "", TimeToLive = policy };
        return new KeyedRig([state], (record, ref context) =>
        {
            var what = record[1..].TrimEnd('!').Trim();
            if (what == "?") context.Emit(context.Get(state));
            else if (what == "has") context.Emit($"{context.Has(state)}");
            else if (what.StartsWith("timer", StringComparison.Ordinal)) context.RegisterEventTimer(long.Parse(what.AsSpan(6), System.Globalization.CultureInfo.InvariantCulture));
            else if (what.StartsWith("clock", StringComparison.Ordinal)) context.RegisterProcessingTimer(long.Parse(what.AsSpan(6), System.Globalization.CultureInfo.InvariantCulture));
            else context.Set(state, what[1..]);
            if (record.EndsWith('!')) throw new FormatException(record);
        }, (timer, ref context) => context.Emit($"{timer}: {context.Get(state)}"), onError, context);
    }
}
