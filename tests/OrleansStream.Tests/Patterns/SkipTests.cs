using OrleansStream.Patterns;
using static OrleansStream.Tests.Patterns.PatternRun;
using static OrleansStream.Tests.Patterns.Words;

namespace OrleansStream.Tests.Patterns;

/// <summary>What a match leaves for others. The cases are those of Flink's AfterMatchSkipITCase, in data of our own.</summary>
public sealed class SkipTests
{
    [Fact]
    public void None_leaves_everything() =>
        Finds(Begin("a", SkipStrategy.None).Times(3), "a1 a2 a3 a4 a5", "a1 a2 a3", "a2 a3 a4", "a3 a4 a5");

    [Fact]
    public void PastLast_begins_again_behind_the_match() =>
        Finds(Begin("a", SkipStrategy.PastLast).Times(3), "a1 a2 a3 a4 a5 a6", "a1 a2 a3", "a4 a5 a6");

    [Fact]
    public void ToNext_leaves_one_match_for_each_beginning()
    {
        Finds(Begin("a", SkipStrategy.ToNext).Any("b"), "a1 b1 a2 b2", "a1 b1", "a2 b2");
        Finds(Begin("a", SkipStrategy.ToNext).Then("b").OneOrMore(), "a1 b1 b2 b3", "a1 b1");
        Finds(Begin("a").Then("b").OneOrMore(), "a1 b1 b2 b3", "a1 b1", "a1 b1 b2", "a1 b1 b2 b3");
    }

    [Fact]
    public void ToFirst_and_ToLast_begin_again_at_a_step()
    {
        Finds(Ab(SkipStrategy.ToFirst("b")), "x1 x2 x3 x4 x5 x6 x7", "x1 x2 x3 x4", "x3 x4 x5 x6");
        Finds(Ab(SkipStrategy.ToLast("b")), "x1 x2 x3 x4 x5 x6 x7", "x1 x2 x3 x4", "x4 x5 x6 x7");

        static Pattern<string> Ab(SkipStrategy skip) => Pattern.Begin<string>("a", skip).Times(2).Next("b").Times(2);
    }

    [Fact]
    public void PastLast_drops_what_has_begun_within_the_match() =>
        Finds(Begin("a", SkipStrategy.PastLast).Any("b").Any("c").Later("d"), "a1 a2 b1 b2 c1 c2 d1 d2", "a1 b1 c1 d1");

    [Fact]
    public void A_partial_match_that_is_ruled_out_holds_nothing_back() =>
        Finds(Begin("a", SkipStrategy.PastLast).Then("b"), "a1 c1 a2 b2", "a2 b2");

    [Fact]
    public void Nothing_is_dropped_when_the_step_was_left_out() =>
        Finds(Begin("a", SkipStrategy.ToFirst("b")).Then("b").OneOrMore().Optional().Consecutive().Then("c"), "a1 c1", "a1 c1");

    [Fact]
    public void ToFirst_of_the_first_step_drops_nothing()
    {
        Finds(Begin("b", SkipStrategy.ToFirst("b")).Then("c"), "b1 c1 b2 c2", "b1 c1", "b2 c2");
        Finds(GreedyRow(SkipStrategy.ToFirst("a")), "a1 a2 a3 b1", "a1 a2 a3 b1", "a2 a3 b1", "a3 b1");
    }

    [Fact]
    public void A_repeated_last_step_is_cut_at_its_first_record()
    {
        Finds(Begin("a", SkipStrategy.ToFirst("b")).Then("b").OneOrMore().Consecutive(), "a1 b1 a2 b2 b3 a3 b4", "a1 b1", "a2 b2", "a3 b4");
        Finds(Begin("a", SkipStrategy.ToLast("b")).Then("b").OneOrMore().Consecutive(), "a1 b1 a2 b2 b3 a3 b4", "a1 b1", "a2 b2", "a3 b4");
    }

    [Fact]
    public void A_greedy_first_step_is_cut_where_the_strategy_says()
    {
        Finds(GreedyRow(SkipStrategy.PastLast), "a1 a2 a3 b1", "a1 a2 a3 b1");
        Finds(GreedyRow(SkipStrategy.ToLast("a")), "a1 a2 a3 b1", "a1 a2 a3 b1", "a3 b1");
        Finds(GreedyRow(SkipStrategy.None), "a1 a2 a3 b1", "a1 a2 a3 b1", "a2 a3 b1", "a3 b1");
    }

    [Fact]
    public void ToFirst_drops_what_began_between() =>
        Finds(
            Pattern.Begin<string>("ac", SkipStrategy.ToFirst("c")).Where(static record => record[0] is 'a' or 'c')
                .FollowedBy("bc").Where(static record => record[0] is 'b' or 'c')
                .Later("c").OneOrMore().Greedy().Later("d"),
            "a1 b1 c1 c2 c3 d1",
            "a1 b1 c1 c2 c3 d1", "c1 c2 c3 d1");

    [Fact]
    public void A_match_waits_for_those_that_began_before_it()
    {
        var pattern = Begin("a", SkipStrategy.ToFirst("c")).Later("c").FollowedBy("b").Where(static (record, matched) => record[0] == 'b' && record[1] == matched["a"][0][1]);
        var run = Of(pattern, "a1 c1 a2 c2 b2");

        Assert.Empty(run.Found);
        Assert.Equal(1, run.Held);
        run.Feed("b1");
        Assert.Equal(["a1 c1 b1", "a2 c2 b2"], run.Found);
    }

    [Fact]
    public void A_match_that_waits_is_let_go_when_the_one_before_runs_out_of_time()
    {
        var pattern = Begin("a", SkipStrategy.PastLast).FollowedBy("b").Where(static (record, matched) => record[0] == 'b' && record[1] == matched["a"][0][1]).Within(Ms(10));
        var run = Of(pattern, "a1@1 a2@2 b2@3");

        Assert.Empty(run.Found);
        run.PassTo(11);
        Assert.Equal(["a2 b2@11"], run.FoundAt);
        Assert.Equal(["a1@11"], run.TimedOut);
        Assert.Equal(0, run.KeptRecords);
    }

    [Fact]
    public void A_match_that_waits_is_dropped_when_the_one_before_skips_it()
    {
        var run = Of(Begin("a", SkipStrategy.PastLast).FollowedBy("b").Where(static (record, matched) => record[0] == 'b' && record[1] == matched["a"][0][1]), "a1 a2 b2 b1 a3 b3");

        Assert.Equal(["a1 b1", "a3 b3"], run.Found);
        Assert.Equal(0, run.KeptRecords);
    }

    [Fact]
    public void Of_matches_completed_by_one_record_the_longest_comes_first() =>
        Assert.Equal(["a1 b1 b2 b3 c1", "a1 b1 b2 c1", "a1 b1 c1"], Of(Begin("a").Later("b").OneOrMore().Later("c"), "a1 b1 b2 b3 c1").Found);

    [Fact]
    public void Nothing_is_kept_behind_a_match()
    {
        var run = Of(Begin("a", SkipStrategy.PastLast).Times(2), "a1 a2 a3 a4");

        Assert.Equal(["a1 a2", "a3 a4"], run.Found);
        Assert.Equal((0, 0), (run.Partials, run.KeptRecords));
    }

    private static Pattern<string> GreedyRow(SkipStrategy skip) => Begin("a", skip).OneOrMore().Consecutive().Greedy().Then("b");
}
