using OrleansStream.Patterns;
using static OrleansStream.Tests.Patterns.PatternRun;
using static OrleansStream.Tests.Patterns.Words;

namespace OrleansStream.Tests.Patterns;

/// <summary>What must not come. The cases are those of Flink's NotPatternITCase, in data of our own.</summary>
public sealed class NotTests
{
    [Theory]
    [InlineData("a1 x c1", "a1 c1")]
    [InlineData("a1 c1", "a1 c1")]
    [InlineData("a1 b1 c1", "")]
    [InlineData("a1 x b1 c1", "a1 c1")]
    public void NotNext_looks_at_the_very_next_record_only(string input, string match) => Finds(Begin("a").NotThen("b").Later("c"), input, Some(match));

    [Theory]
    [InlineData("a1 c1", "a1 c1")]
    [InlineData("a1 x c1 b1", "a1 c1")]
    [InlineData("a1 b1 c1", "")]
    [InlineData("a1 x b1 c1", "")]
    [InlineData("a1 b1 a2 c1", "a2 c1")]
    public void NotFollowedBy_looks_at_all_until_the_next_step_is_taken(string input, string match) => Finds(Begin("a").NotLater("b").Later("c"), input, Some(match));

    [Theory]
    [InlineData("a1 x", "a1")]
    [InlineData("a1 b1 x", "")]
    [InlineData("a1", "")]
    public void NotNext_at_the_end_waits_for_the_next_record(string input, string match) => Finds(Begin("a").NotThen("b"), input, Some(match));

    [Fact]
    public void NotNext_may_stand_before_a_strict_step()
    {
        Finds(Begin("a").NextAny().NotThen("b").Then("c"), "a1 x c1", "a1 x c1");
        Finds(Begin("a").NotThen("b").FollowedBy("z"), "a1 b1 z1");
    }

    [Theory]
    [InlineData("a1 c1 b1 d1", "a1 c1 d1")]
    [InlineData("a1 b1 d1", "")]
    [InlineData("a1 b1 c1 d1", "")]
    [InlineData("a1 c1 d1", "a1 c1 d1|a1 d1")]
    public void What_must_not_follow_counts_past_an_optional_step_until_that_is_taken(string input, string matches) =>
        Finds(Begin("a").NotLater("b").Any("c").Optional().Any("d"), input, Some(matches));

    [Fact]
    public void What_must_not_follow_a_loop_may_not_come_within_it_either() =>
        Finds(Begin("a").Any("b").OneOrMore().NotLater("c").Later("d"), "a1 b1 c1 b2 b3 d1", "a1 b2 d1", "a1 b2 b3 d1", "a1 b3 d1");

    [Fact]
    public void What_must_not_come_before_a_loop_may_come_within_it() =>
        Finds(Begin("a").NotLater("c").Later("b").OneOrMore().Later("d"), "a1 b1 c1 b2 d1", "a1 b1 d1", "a1 b1 b2 d1");

    [Fact]
    public void What_must_not_come_before_an_optional_loop_counts_for_those_who_leave_it_out() =>
        Finds(Begin("a").NotLater("c").Later("b").ZeroOrMore().Later("d"), "a1 b1 c1 b2 d1", "a1 b1 d1", "a1 b1 b2 d1");

    [Fact]
    public void What_must_not_come_before_an_optional_range_counts_for_those_who_leave_it_out()
    {
        var pattern = Begin("a").NotLater("b").Later("c").Times(0, 2);

        Finds(pattern, "a1 b1 a2 c1 c2 c3 a3 c4", "a1", "a2", "a2 c1", "a2 c1 c2", "a3", "a3 c4");
    }

    [Fact]
    public void Two_that_must_not_follow_both_count()
    {
        var pattern = Begin("a").NotLater("b").NotLater("c").Later("d");

        Finds(pattern, "a1 b1 d1");
        Finds(pattern, "a1 c1 d1");
        Finds(pattern, "a1 x d1", "a1 d1");
        Finds(Begin("a").NotLater("b").NotThen("c").Later("d"), "a1 x b1 d1 a2 c1 d2 a3 x d3", "a3 d3");
    }

    [Fact]
    public void A_record_that_completes_a_match_does_so_even_if_it_is_what_must_not_come() =>
        Finds(Begin("a").NotLater("b").FollowedBy("end").Where(static record => record is "b9"), "a1 b9", "a1 b9");

    [Fact]
    public void Not_with_a_condition_over_what_has_matched_looks_at_its_own_match()
    {
        var pattern = Begin("a").NotFollowedBy("same").Where(static (record, matched) => record[0] == 'b' && record[1] == matched["a"][0][1]).Later("c");

        Finds(pattern, "a1 a2 b1 c1", "a2 c1");
    }

    [Theory]
    [InlineData("a1@1 b1@2 a2@4 c1@5 b2@10 a3@11 b3@13", "a2@7")]
    [InlineData("a1@1 b1@4", "a1@4")]
    [InlineData("a1@1 b1@3", "")]
    public void NotFollowedBy_at_the_end_matches_when_its_time_is_over(string input, string match)
    {
        foreach (var scope in Enum.GetValues<WithinScope>())
        {
            var run = Of(Begin("a").NotLater("b").Within(Ms(3), scope), input);
            run.PassTo(13);
            Assert.Equal(Some(match), run.FoundAt);
            Assert.Empty(run.TimedOut);
            Assert.Equal(0, run.KeptRecords);
        }
    }

    [Fact]
    public void NotFollowedBy_at_the_end_waits_for_the_watermark_not_for_a_record()
    {
        var run = Of(Begin("a").NotLater("b").Within(Ms(3)), "a1@1");
        run.PassTo(3);
        Assert.Empty(run.Found);
        run.PassTo(4);
        Assert.Equal(["a1@4"], run.FoundAt);
    }

    [Fact]
    public void NotFollowedBy_at_the_end_behind_a_loop_needs_no_record_after_it()
    {
        var run = Of(Begin("a").OneOrMore().NotLater("b").Within(Ms(5)), "a1@1 a2@2");
        run.PassTo(20);

        Assert.Equal(["a1 a2@6", "a1@6", "a2@7"], run.FoundAt);
    }

    [Fact]
    public void Two_that_must_not_follow_at_the_end_both_count()
    {
        var run = Of(Begin("a").NotLater("b").NotLater("c").Within(Ms(3)), "a1@1 c1@2 a2@10 b1@11 a3@20 x@21");
        run.PassTo(30);

        Assert.Equal(["a3@23"], run.FoundAt);
    }

    [Fact]
    public void NotFollowedBy_at_the_end_leaves_what_the_skip_strategy_says()
    {
        var pattern = Begin("a", SkipStrategy.PastLast).OneOrMore().AllowCombinations().Later("c").NotLater("b").Within(Ms(5));
        var run = Of(pattern, "a1@1 a2@2 a3@3 c1@4 c2@10");
        run.PassTo(20);

        Assert.Equal(["a1 a2 a3 c1"], run.Found);
    }

    private static string[] Some(string matches) => matches.Split('|', StringSplitOptions.RemoveEmptyEntries);
}

file static class Steps
{
    public static Pattern<string> NextAny(this Pattern<string> pattern) => pattern.Next("any");
}
