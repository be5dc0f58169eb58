using OrleansStream.Patterns;
using static OrleansStream.Tests.Patterns.PatternRun;
using static OrleansStream.Tests.Patterns.Words;

namespace OrleansStream.Tests.Patterns;

/// <summary>Bounds of time, to the millisecond.</summary>
public sealed class WithinTests
{
    [Theory]
    [InlineData("a1@0 b1@9", "a1 b1")]
    [InlineData("a1@0 b1@10", "")]
    [InlineData("a1@0 b1@11", "")]
    [InlineData("a1@-5 b1@4", "a1 b1")]
    [InlineData("a1@-5 b1@5", "")]
    public void What_reaches_the_bound_exactly_is_too_late(string input, string match)
    {
        Finds(Begin("a").Later("b").Within(Ms(10)), input, match.Length > 0 ? [match] : []);
        Finds(Begin("a").Later("b").Within(Ms(10), WithinScope.PreviousToCurrent), input, match.Length > 0 ? [match] : []);
    }

    [Fact]
    public void A_bound_of_a_millisecond_is_for_records_of_one_time() => Finds(Begin("a").Later("b").Within(Ms(1)), "a1@5 b1@5 b2@6 a2@7 b3@8", "a1 b1");

    [Fact]
    public void The_bound_is_from_the_first_record_to_the_last()
    {
        Finds(Begin("a").Later("b").Later("c").Within(Ms(10)), "a1@0 b1@8 c1@9 a2@20 b2@28 c2@30", "a1 b1 c1");
        Finds(Begin("a").Within(Ms(10)).Later("b").Later("c"), "a1@0 b1@8 c1@9 a2@20 b2@28 c2@30", "a1 b1 c1");
    }

    [Fact]
    public void Of_several_bounds_the_shortest_counts() => Finds(Begin("a").Later("b").Within(Ms(5)).Later("c").Within(Ms(10)), "a1@0 b1@1 c1@5 a2@10 b2@11 c2@14", "a2 b2 c2");

    [Fact]
    public void A_bound_from_record_to_record_is_the_steps_own()
    {
        var pattern = Begin("a").Later("b").Within(Ms(5), WithinScope.PreviousToCurrent).Later("c");

        Finds(pattern, "a1@0 b1@4 c1@100", "a1 b1 c1");
        Finds(pattern, "a1@0 b1@5 c1@6");
    }

    [Fact]
    public void A_bound_from_record_to_record_is_about_every_record_of_a_loop()
    {
        var pattern = Begin("a").Later("b").OneOrMore().Within(Ms(5), WithinScope.PreviousToCurrent).Later("c");

        Finds(pattern, "a1@0 b1@4 b2@8 b3@13 c1@50", "a1 b1 c1", "a1 b1 b2 c1");
    }

    [Fact]
    public void A_bound_from_record_to_record_does_not_end_what_can_go_past_the_step()
    {
        var pattern = Begin("a").Later("b").Optional().Within(Ms(5), WithinScope.PreviousToCurrent).Later("c");
        var run = Of(pattern, "a1@0 b1@7 c1@50");

        Assert.Equal(["a1 c1"], run.Found);
    }

    [Fact]
    public void Both_bounds_may_be_set_and_each_counts()
    {
        var pattern = Begin("a").Later("b").Within(Ms(5), WithinScope.PreviousToCurrent).Later("c").Within(Ms(8));

        Finds(pattern, "a1@0 b1@4 c1@7 a2@10 b2@15 c2@16 a3@20 b3@24 c3@28", "a1 b1 c1");
    }

    [Fact]
    public void What_runs_out_of_time_is_told_with_the_time_at_which_it_did()
    {
        var run = Of(Begin("a").Later("b").Later("c").Within(Ms(10)), "a1@0 b1@3 a2@5 x@30");

        Assert.Equal(["a1 b1@10", "a2@15"], run.TimedOut);
        Assert.Equal((0, 0), (run.Partials, run.KeptRecords));
    }

    [Fact]
    public void What_runs_out_of_time_from_record_to_record_is_told_with_the_bound_after_its_last()
    {
        var run = Of(Begin("a").Later("b").Within(Ms(4), WithinScope.PreviousToCurrent).Later("c").Within(Ms(6), WithinScope.PreviousToCurrent), "a1@0 a2@2 b1@3");
        run.PassTo(100);

        Assert.Equal(["a1 b1@9", "a2 b1@9"], run.TimedOut);
    }

    [Fact]
    public void Time_runs_out_in_order_whenever_it_is_told_to_pass()
    {
        var pattern = Begin("a").Later("b").Within(Ms(10));
        var once = Of(pattern, "a1@0 a2@3 a3@7");
        once.PassTo(1000);
        var often = Of(pattern, "a1@0 a2@3 a3@7");
        for (var time = 8; time <= 1000; time++) often.PassTo(time);

        Assert.Equal(["a1@10", "a2@13", "a3@17"], once.TimedOut);
        Assert.Equal(once.TimedOut, often.TimedOut);
    }

    [Fact]
    public void A_partial_match_is_kept_to_its_bound_and_not_longer()
    {
        var run = Of(Begin("a").Later("b").Within(Ms(10)), "a1@0");
        run.PassTo(9);
        Assert.Equal((1, 1), (run.Partials, run.KeptRecords));
        run.PassTo(10);
        Assert.Equal((0, 0), (run.Partials, run.KeptRecords));
    }

    [Fact]
    public void A_bound_does_not_wrap_at_the_end_of_time()
    {
        var run = new PatternRun(Begin("a").Later("b").Within(TimeSpan.FromDays(365)));
        run.Add("a1", long.MaxValue - 2);
        run.Add("b1", long.MaxValue - 1);

        Assert.Equal(["a1 b1"], run.Found);
        run.PassTo(long.MaxValue);
        Assert.Equal(0, run.Partials);
    }

    [Fact]
    public void A_bound_does_not_wrap_at_the_beginning_of_time()
    {
        var run = new PatternRun(Begin("a").Later("b").Within(TimeSpan.MaxValue - TimeSpan.FromTicks(TimeSpan.MaxValue.Ticks % TimeSpan.TicksPerMillisecond)));
        run.Add("a1", long.MinValue + 1);
        run.Add("b1", long.MinValue + 5);

        Assert.Equal(["a1 b1"], run.Found);
    }
}
