using System.Globalization;
using OrleansStream.State;

namespace OrleansStream.Tests.Functions;

public sealed class TimersInTimersTests
{
    [Fact]
    public void A_timer_set_by_a_timer_in_the_past_fires_with_the_same_watermark_and_next()
    {
        var rig = Make(static (timer, ref context) =>
        {
            if (timer == "event 20") context.RegisterEventTimer(7);
        });
        rig.Give(("a 20", 0), ("b 30", 0));

        Assert.Equal(["a event 20", "a event 7", "b event 30"], rig.Advance(40));
    }

    [Fact]
    public void A_timer_that_a_timer_deletes_does_not_fire_though_the_watermark_has_passed_it()
    {
        var rig = Make(static (timer, ref context) =>
        {
            if (timer == "event 20") context.DeleteEventTimer(30);
        });
        rig.Give(("a 20", 0), ("a 30", 0), ("b 30", 0));

        Assert.Equal(["a event 20", "b event 30"], rig.Advance(40));
        Assert.Equal(0, rig.Scope.Table.KeyCount);
    }

    [Fact]
    public void A_timer_may_set_itself_again_and_fires_once_for_each_time()
    {
        var rig = Make(static (timer, ref context) =>
        {
            if (context.Timestamp < 50) context.RegisterEventTimer(context.Timestamp + 20);
            context.RegisterEventTimer(context.Timestamp + 20);
        });
        rig.Give(("a 10", 0));

        Assert.Equal(["a event 10", "a event 30", "a event 50"], rig.Advance(69));
        Assert.Equal(["a event 70"], rig.Advance(70));
    }

    [Fact]
    public void Timers_of_one_time_fire_in_the_same_order_of_keys_whatever_the_order_of_setting_and_saving()
    {
        var letters = Enumerable.Range(0, 20).Select(static i => $"{(char)('a' + i)} 10");
        var expected = letters.OrderBy(static record => KeyCodec<string>.Default.Hash(record[..1])).Select(static record => $"{record[0]} event 10");
        foreach (var records in new[] { letters, letters.Reverse() })
        {
            var rig = Make(static (_, ref _) => { });
            rig.Give([.. records.Select(static record => (record, 0L))]);
            Assert.Equal(expected, rig.Advance(10));
        }
    }

    [Fact]
    public void A_timer_of_the_clock_set_in_the_past_fires_at_once()
    {
        var rig = Make(static (timer, ref context) =>
        {
            if (timer == "clock 100") context.RegisterProcessingTimer(1);
        });
        rig.Give(("a clock", 0));
        Assert.Equal(100, rig.Operator.NextTime);

        Assert.Equal(["a clock 100", "a clock 1"], rig.Pass(150));
        Assert.Null(rig.Operator.NextTime);
    }

    private static KeyedRig Make(KeyedRig.Step timer) => new(
        [],
        static (record, ref context) =>
        {
            if (record[2..] == "clock") context.RegisterProcessingTimer(100);
            else context.RegisterEventTimer(long.Parse(record.AsSpan(2), CultureInfo.InvariantCulture));
        },
        (fired, ref context) =>
        {
            context.Emit($"{context.Key} {fired}");
            timer(fired, ref context);
        });
}
