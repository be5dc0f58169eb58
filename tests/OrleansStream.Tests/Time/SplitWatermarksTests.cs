using OrleansStream.Time;

namespace OrleansStream.Tests.Time;

public sealed class SplitWatermarksTests
{
    [Fact]
    public void A_watermark_trails_the_highest_timestamp_by_the_bound_and_one()
    {
        var splits = new SplitWatermarks(100, null);
        splits.Add("a", EventTime.Beginning, ended: false, now: 0);
        splits.OnRecords(0, [500, 900, 700], now: 1);

        Assert.True(splits.Merge(1));
        // A record of 800 may still come and be on time; 799 may not.
        Assert.Equal(799, splits.Current);
    }

    [Fact]
    public void A_split_that_has_said_nothing_holds_all_back()
    {
        var splits = Two(idleAfter: null);
        splits.OnRecords(0, [1000], now: 1);

        Assert.False(splits.Merge(1));
        Assert.Equal(EventTime.Beginning, splits.Current);
    }

    [Fact]
    public void The_slowest_split_counts()
    {
        var splits = Two(idleAfter: null);
        splits.OnRecords(0, [1000], now: 1);
        splits.OnRecords(1, [300], now: 1);
        splits.Merge(1);

        Assert.Equal(299, splits.Current);
    }

    [Fact]
    public void A_split_without_records_for_the_idle_time_out_stops_counting_until_its_next()
    {
        var splits = Two(idleAfter: 50);
        splits.OnRecords(0, [1000], now: 30);
        Assert.False(splits.Merge(49));
        Assert.Equal(50, splits.NextIdleAt());

        Assert.True(splits.Merge(50));
        Assert.Equal(999, splits.Current);
        Assert.False(splits.IsIdle);

        splits.OnRecords(1, [400], now: 60);
        splits.OnRecords(0, [2000], now: 60);
        Assert.False(splits.Merge(60));
        Assert.Equal(999, splits.Current);
        splits.OnRecords(1, [1500], now: 61);
        Assert.True(splits.Merge(61));
        Assert.Equal(1499, splits.Current);
    }

    [Fact]
    public void When_all_are_idle_the_watermark_stays_and_that_is_said_once_each_way()
    {
        var splits = Two(idleAfter: 50);
        splits.OnRecords(0, [1000], now: 0);
        splits.OnRecords(1, [2000], now: 0);
        splits.Merge(0);

        Assert.True(splits.Merge(50));
        Assert.Equal((true, 999), (splits.IsIdle, splits.Current));
        Assert.False(splits.Merge(70));
        Assert.Null(splits.NextIdleAt());
        splits.OnRecords(1, [2001], now: 80);
        Assert.True(splits.Merge(80));
        Assert.False(splits.IsIdle);
    }

    [Fact]
    public void A_finished_split_leaves_the_minimum_and_the_last_one_leaves_the_watermark_where_it_is()
    {
        var splits = Two(idleAfter: null);
        splits.OnRecords(0, [1000], now: 0);
        splits.OnRecords(1, [300], now: 0);
        splits.Merge(0);

        splits.End(1);
        Assert.True(splits.Merge(1));
        Assert.Equal(999, splits.Current);
        splits.End(0);
        Assert.False(splits.Merge(2));
        Assert.Equal((999, false), (splits.Current, splits.IsIdle));
    }

    [Fact]
    public void The_highest_timestamp_before_a_restart_counts_on()
    {
        var splits = new SplitWatermarks(0, null);
        splits.Add("a", 700, ended: false, now: 0);

        Assert.True(splits.Merge(0));
        Assert.Equal(699, splits.Current);
    }

    [Fact]
    public void A_late_record_moves_nothing_back()
    {
        var splits = new SplitWatermarks(0, null);
        splits.Add("a", EventTime.Beginning, ended: false, now: 0);
        splits.OnRecords(0, [1000], now: 0);
        splits.Merge(0);
        splits.OnRecords(0, [10], now: 1);

        Assert.False(splits.Merge(1));
        Assert.Equal(999, splits.Current);
    }

    [Fact]
    public void Near_the_beginning_of_time_the_bound_does_not_wrap()
    {
        var splits = new SplitWatermarks(long.MaxValue - 1, null);
        splits.Add("a", EventTime.Beginning, ended: false, now: 0);
        splits.OnRecords(0, [long.MinValue + 5], now: 0);

        Assert.False(splits.Merge(0));
        Assert.Equal(EventTime.Beginning, splits.Current);
    }

    [Fact]
    public void Splits_above_a_limit_are_paused_and_their_idle_time_begins_anew_when_they_go_on()
    {
        var splits = Two(idleAfter: 50);
        splits.OnRecords(0, [1000], now: 0);
        splits.OnRecords(1, [200], now: 0);
        splits.Pause(limit: 998, now: 10);
        Assert.Equal((true, false), (splits.IsPaused(0), splits.IsPaused(1)));
        splits.OnRecords(1, [400], now: 60);
        splits.Merge(60);
        Assert.True(splits.IsActive(0));
        Assert.Equal(110, splits.NextIdleAt());

        splits.Pause(limit: 999, now: 70);
        Assert.False(splits.IsPaused(0));
        splits.OnRecords(1, [400], now: 80);
        Assert.Equal(120, splits.NextIdleAt());
    }

    [Fact]
    public void A_split_that_has_ended_is_never_paused()
    {
        var splits = Two(idleAfter: null);
        splits.OnRecords(0, [1000], now: 0);
        splits.End(0);
        splits.Pause(limit: 100, now: 0);

        Assert.False(splits.IsPaused(0));
    }

    [Fact]
    public void Without_a_bound_the_watermark_is_what_was_given()
    {
        var splits = new SplitWatermarks(SplitWatermarks.NoBound, null);
        splits.Add("a", EventTime.Beginning, ended: false, now: 0);
        splits.Advance(0, long.MaxValue - 1);
        splits.Advance(0, 5);
        splits.Merge(0);

        Assert.Equal(long.MaxValue - 1, splits.Current);
    }

    private static SplitWatermarks Two(long? idleAfter)
    {
        var splits = new SplitWatermarks(0, idleAfter);
        splits.Add("a", EventTime.Beginning, ended: false, now: 0);
        splits.Add("b", EventTime.Beginning, ended: false, now: 0);
        return splits;
    }
}
