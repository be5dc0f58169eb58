using OrleansStream.Stages;
using OrleansStream.Tests.Stages;
using OrleansStream.Time;

namespace OrleansStream.Tests.Time;

public sealed class SplitAlignmentTests
{
    private readonly SubtaskContext _context = Wiring.Context();
    private readonly SplitWatermarks _watermarks = new(0, 50);

    [Fact]
    public void A_split_that_is_ahead_of_its_neighbour_by_more_than_the_drift_waits_for_it()
    {
        var alignment = Make(hasOthers: false);
        Read(0, 1001);
        Read(1, 901);
        Assert.Equal((false, false), Paused(alignment));
        Read(0, 1002);
        Assert.Equal((true, false), Paused(alignment));
        Read(1, 902);
        Assert.Equal((false, false), Paused(alignment));
    }

    [Fact]
    public void Before_all_splits_have_spoken_each_is_read_up_to_its_first_watermark()
    {
        var alignment = Make(hasOthers: false);
        Assert.Equal((false, false), Paused(alignment));
        Read(0, 5);
        Assert.Equal((true, false), Paused(alignment));
    }

    [Fact]
    public void Splits_that_are_idle_or_at_their_end_are_not_waited_for()
    {
        var splits = new Splits("a", "b");
        _context.Source = splits;
        var alignment = Make(hasOthers: false);
        Read(0, 5000);
        Read(1, 1);
        Assert.Equal((true, false), Paused(alignment));
        At(50);
        _watermarks.Merge(50);
        Assert.Equal((false, false), Paused(alignment));
        Read(1, 2);
        Assert.Equal((true, false), Paused(alignment));
        splits.Ended.Add(1);
        Assert.Equal((false, false), Paused(alignment));
    }

    [Fact]
    public void Other_subtasks_are_waited_for_before_anything_is_heard_of_them_and_after()
    {
        var alignment = Make(hasOthers: true);
        Read(0, 1001);
        Read(1, 1001);
        Assert.Equal((true, true), Paused(alignment));
        alignment.Hear(900, 0);
        Assert.Equal((false, false), Paused(alignment));
        alignment.Hear(899, 0);
        Assert.Equal((true, true), Paused(alignment));
        alignment.Hear(EventTime.End, 0);
        Assert.Equal((false, false), Paused(alignment));
    }

    [Fact]
    public void Others_of_whom_nothing_is_heard_are_not_waited_for_any_longer_until_they_are()
    {
        var alignment = Make(hasOthers: true);
        Assert.Equal((false, false), Paused(alignment));
        Assert.Null(alignment.NextTime);
        Read(0, 1001);
        Read(1, 1001);
        At(SplitAlignment.LongestSilenceMs - 1);
        Assert.Equal((true, true), Paused(alignment));
        Assert.Equal(SplitAlignment.LongestSilenceMs, alignment.NextTime);
        At(SplitAlignment.LongestSilenceMs);
        Assert.Equal((false, false), Paused(alignment));
        Assert.Null(alignment.NextTime);
        alignment.Hear(100, SplitAlignment.LongestSilenceMs);
        Assert.Equal((true, true), Paused(alignment));
        Assert.Equal(2 * SplitAlignment.LongestSilenceMs, alignment.NextTime);
    }

    [Fact]
    public void What_others_hear_is_the_lowest_split_that_counts_even_behind_the_merged_watermark()
    {
        _context.Source = new Splits("a", "b");
        var alignment = Make(hasOthers: true, splits: 0);
        Assert.Equal(EventTime.Beginning, alignment.Lowest);
        Add(2);
        Read(0, 1001);
        At(50);
        _watermarks.Merge(50);
        Assert.Equal(EventTime.End, alignment.Lowest);
        Read(0, 1002);
        _watermarks.Merge(50);
        Assert.Equal(1001, alignment.Lowest);
        Read(1, 301);
        Assert.Equal(300, alignment.Lowest);
        Assert.Equal(1001, _watermarks.Current);
    }

    [Fact]
    public void A_subtask_without_splits_holds_nobody_back()
    {
        _context.Source = new Splits();

        Assert.Equal(EventTime.End, Make(hasOthers: true, splits: 0).Lowest);
    }

    [Fact]
    public void Near_the_end_of_time_the_limit_does_not_wrap()
    {
        var alignment = Make(hasOthers: false);
        Read(0, long.MaxValue - 1);
        Read(1, long.MaxValue - 50);

        Assert.Equal((false, false), Paused(alignment));
    }

    private SplitAlignment Make(bool hasOthers, int splits = 2)
    {
        At(0);
        Add(splits);
        return new SplitAlignment(_context, _watermarks, "group", 100, hasOthers);
    }

    private void Add(int splits)
    {
        for (var split = 0; split < splits; split++) _watermarks.Add($"{split}", EventTime.Beginning, ended: false, now: 0);
    }

    private void At(long time) => _context.Now = new Clock(time, time);

    private void Read(int split, long timestamp) => _watermarks.OnRecords(split, [timestamp], _context.Now.Elapsed);

    private static (bool, bool) Paused(SplitAlignment alignment)
    {
        alignment.Update();
        return (alignment.IsPaused(0), alignment.IsPaused(1));
    }
}
