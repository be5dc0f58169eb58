using OrleansStream.Time;

namespace OrleansStream.Tests.Time;

public sealed class WatermarkMergeTests
{
    [Fact]
    public void The_watermark_is_the_lowest_of_all_channels_and_waits_for_each_to_speak()
    {
        var merge = new WatermarkMerge(2);

        Assert.False(merge.Update(0, 100, idle: false));
        Assert.True(merge.Update(1, 70, idle: false));
        Assert.Equal(70, merge.Current);
        Assert.False(merge.Update(0, 200, idle: false));
        Assert.True(merge.Update(1, 150, idle: false));
        Assert.Equal(150, merge.Current);
    }

    [Fact]
    public void A_channel_that_says_nothing_new_changes_nothing()
    {
        var merge = new WatermarkMerge(1);
        merge.Update(0, 100, idle: false);

        Assert.False(merge.Update(0, EventTime.Beginning, idle: false));
        Assert.False(merge.Update(0, 50, idle: false));
        Assert.Equal(100, merge.Current);
    }

    [Fact]
    public void An_idle_channel_holds_nobody_back_until_it_is_active_again()
    {
        var merge = new WatermarkMerge(2);
        merge.Update(0, 100, idle: false);

        Assert.True(merge.Update(1, EventTime.Beginning, idle: true));
        Assert.Equal(100, merge.Current);
        merge.Update(1, 60, idle: false);
        Assert.False(merge.Update(0, 200, idle: false));
        Assert.Equal(100, merge.Current);
        Assert.True(merge.Update(1, 150, idle: false));
        Assert.Equal(150, merge.Current);
    }

    [Fact]
    public void When_all_are_idle_the_watermark_stays()
    {
        var merge = new WatermarkMerge(2);
        merge.Update(0, 100, idle: false);
        merge.Update(1, 80, idle: false);
        // The last to fall idle keeps its minimum: nobody is left who could say more.
        merge.Update(0, 500, idle: true);

        Assert.False(merge.Update(1, EventTime.Beginning, idle: true));
        Assert.True(merge.IsIdle);
        Assert.Equal(80, merge.Current);
    }

    [Fact]
    public void An_ended_channel_leaves_the_minimum()
    {
        var merge = new WatermarkMerge(2);
        merge.Update(0, 100, idle: false);
        merge.Update(1, 50, idle: false);

        Assert.True(merge.End(1));
        Assert.Equal(100, merge.Current);
    }

    [Fact]
    public void The_end_of_time_comes_only_when_all_have_ended()
    {
        var merge = new WatermarkMerge(2);
        merge.Update(0, 100, idle: false);
        merge.Update(1, 100, idle: true);

        Assert.False(merge.End(0));
        Assert.Equal(100, merge.Current);
        Assert.True(merge.IsIdle);
        Assert.True(merge.End(1));
        Assert.Equal(EventTime.End, merge.Current);
        Assert.True(merge.AllEnded);
        Assert.False(merge.IsIdle);
    }

    [Fact]
    public void The_end_of_time_on_one_channel_says_nothing_while_the_others_are_idle()
    {
        var merge = new WatermarkMerge(2);
        merge.Update(0, 100, idle: false);
        merge.Update(1, 100, idle: false);
        merge.Update(0, 100, idle: true);

        Assert.False(merge.Update(1, EventTime.End, idle: false));
        Assert.Equal(100, merge.Current);
        Assert.True(merge.Update(0, 120, idle: false));
        Assert.Equal(120, merge.Current);
        Assert.True(merge.Update(0, EventTime.End, idle: false));
        Assert.Equal(EventTime.End, merge.Current);
    }

    [Fact]
    public void The_watermark_does_not_go_back_over_a_restart()
    {
        var merge = new WatermarkMerge(1, restored: 500);

        Assert.Equal(500, merge.Current);
        Assert.False(merge.Update(0, 400, idle: false));
        Assert.Equal(500, merge.Current);
        Assert.True(merge.Update(0, 501, idle: false));
    }

    [Fact]
    public void Whatever_comes_the_watermark_never_goes_back_and_says_whether_it_advanced()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var merge = new WatermarkMerge(3);
            for (var step = 0; step < 100; step++)
            {
                var before = merge.Current;
                var channel = random.Next(3);
                var advanced = random.Next(40) == 0 ? merge.End(channel) : merge.Update(channel, random.Next(4) == 0 ? EventTime.Beginning : random.Next(1000), random.Next(3) == 0);

                Assert.True(merge.Current >= before, $"seed {seed}: it went back");
                Assert.True(advanced == merge.Current > before, $"seed {seed}: said {advanced} from {before} to {merge.Current}");
            }
        }
    }
}
