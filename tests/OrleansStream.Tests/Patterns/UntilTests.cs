using static OrleansStream.Tests.Patterns.PatternRun;
using static OrleansStream.Tests.Patterns.Words;

namespace OrleansStream.Tests.Patterns;

/// <summary>Loops that a record ends. The cases are those of Flink's UntilConditionITCase, in data of our own.</summary>
public sealed class UntilTests
{
    private static readonly Func<string, bool> IsEnd = static record => record == "a5";

    [Theory]
    [InlineData(false, "c1 a1 a5", "c1 a1 a2 a5")]
    [InlineData(true, "c1 a1 a5", "c1 a1 a2 a5", "c1 a5")]
    public void The_record_that_ends_a_loop_may_be_the_next_steps(bool optional, params string[] matches)
    {
        var loop = Begin("c").Later("a").OneOrMore().Until(IsEnd);
        Finds((optional ? loop.Optional() : loop).FollowedBy("end").Where(IsEnd), "c1 a1 a2 a5 a6", matches);
    }

    [Fact]
    public void A_partial_match_whose_loop_has_ended_is_not_kept()
    {
        var run = Of(Begin("c").Later("a").OneOrMore().Until(IsEnd).FollowedBy("end").Where(IsEnd), "c1 a1 a2 a5 a6");

        Assert.Equal(0, run.Partials);
        Assert.Equal(0, run.KeptRecords);
    }

    [Fact]
    public void A_loop_with_combinations_ends_in_every_match() =>
        Finds(
            Begin("c").Later("a").OneOrMore().AllowCombinations().Until(IsEnd).FollowedBy("end").Where(IsEnd),
            "c1 a1 a2 a3 a5 a6",
            "c1 a1 a5", "c1 a1 a2 a5", "c1 a1 a3 a5", "c1 a1 a2 a3 a5");

    [Fact]
    public void A_consecutive_loop_ends_at_either() =>
        Finds(Begin("c").Later("a").OneOrMore().Consecutive().Until(IsEnd).FollowedBy("end").Where(IsEnd), "c1 a1 b1 a3 a5 a6", "c1 a1 a5");

    [Fact]
    public void A_loop_at_the_end_gives_no_more_once_ended() =>
        Assert.Equal(["c1 a1", "c1 a1 a2"], Of(Begin("c").Later("a").OneOrMore().Until(IsEnd), "c1 a1 a2 a5 a6").Found);

    [Fact]
    public void A_loop_at_the_beginning_begins_anew_behind_the_end() =>
        Finds(Begin("a").OneOrMore().Until(IsEnd), "a1 a5 a6", "a1", "a6");

    [Fact]
    public void The_end_may_depend_on_what_the_loop_has_taken()
    {
        var pattern = Begin("c").Later("a").OneOrMore().Until(static (_, matched) => matched["a"].Count == 2).Later("d");

        Finds(pattern, "c1 a1 a2 a3 d1", "c1 a1 d1", "c1 a1 a2 d1");
    }

    [Fact]
    public void A_group_is_ended_too() =>
        Finds(
            Begin("c").FollowedBy(Begin("a").Later("b")).OneOrMore().Until(static record => record[0] == 'u').Later("d"),
            "c1 a1 b1 u1 a2 b2 d1",
            "c1 a1 b1 d1");
}
