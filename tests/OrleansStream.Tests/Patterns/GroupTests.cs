using OrleansStream.Patterns;
using static OrleansStream.Tests.Patterns.PatternRun;
using static OrleansStream.Tests.Patterns.Words;

namespace OrleansStream.Tests.Patterns;

/// <summary>Patterns taken as one step. The cases are those of Flink's GroupITCase, in data of our own.</summary>
public sealed class GroupTests
{
    private static readonly Pattern<string> Pair = Begin("a").Later("b");

    [Theory]
    [InlineData("c1 a1 b1 a2 b2 d1")]
    [InlineData("c1 x a1 x b1 x a2 x b2 x d1")]
    public void A_group_is_taken_so_many_times(string input) =>
        Finds(Begin("c").FollowedBy(Pair).Times(2).Later("d"), input, "c1 a1 b1 a2 b2 d1");

    [Fact]
    public void A_group_may_be_left_out()
    {
        Finds(Begin("c").FollowedBy(Pair).Optional().Later("d"), "c1 a1 a2 b1 d1", "c1 d1", "c1 a1 b1 d1");
        Finds(Begin("c").FollowedBy(Pair).Times(2).Optional().Later("d"), "c1 a1 d1", "c1 d1");
    }

    [Fact]
    public void A_group_may_be_taken_over_and_over()
    {
        Finds(Begin("c").FollowedBy(Pair).OneOrMore().Later("d"), "c1 a1 b1 a2 b2 d1", "c1 a1 b1 d1", "c1 a1 b1 a2 b2 d1");
        Finds(Begin("c").FollowedBy(Pair).ZeroOrMore().Later("d"), "c1 a1 b1 a2 b2 d1", "c1 d1", "c1 a1 b1 d1", "c1 a1 b1 a2 b2 d1");
    }

    [Fact]
    public void No_match_is_found_twice_however_many_records_are_passed_over_between_rounds()
    {
        Finds(Begin("c").FollowedBy(Pair).OneOrMore().Later("d"), "c1 x x a1 x b1 x x x a2 b2 x x d1", "c1 a1 b1 d1", "c1 a1 b1 a2 b2 d1");
        Finds(Begin("c").FollowedBy(Pair).Times(1, 2).Later("d"), "c1 a1 b1 x x x a2 b2 x x d1", "c1 a1 b1 d1", "c1 a1 b1 a2 b2 d1");
        Finds(Begin("c").FollowedBy(Pair).Optional().Later("d"), "c1 x x x d1", "c1 d1");
        Finds(Begin("c").FollowedBy(Begin("a").Times(2).Later("b")).Optional().Later("d"), "c1 x x x d1", "c1 d1");
    }

    [Fact]
    public void A_group_behind_any_may_begin_with_each() =>
        Finds(
            Begin("c").FollowedByAny(Pair).Times(2).Optional().Later("d"),
            "c1 a1 b1 a2 b2 a3 b3 d1",
            "c1 d1", "c1 a1 b1 a2 b2 d1", "c1 a2 b2 a3 b3 d1");

    [Fact]
    public void Rounds_with_combinations_may_be_passed_over() =>
        Finds(
            Begin("c").FollowedByAny(Pair).Times(2).AllowCombinations().Later("d"),
            "c1 a1 b1 a2 b2 a3 b3 d1",
            "c1 a1 b1 a2 b2 d1", "c1 a1 b1 a3 b3 d1", "c1 a2 b2 a3 b3 d1");

    [Fact]
    public void Rounds_may_be_made_to_follow_each_other_directly()
    {
        Finds(Begin("c").FollowedBy(Pair).Times(2).Consecutive().Later("d"), "c1 a1 b1 a2 b2 d1", "c1 a1 b1 a2 b2 d1");
        Finds(Begin("c").FollowedBy(Pair).Times(2).Consecutive().Later("d"), "c1 a1 b1 x a2 b2 d1");
    }

    [Fact]
    public void A_group_may_have_to_begin_with_the_very_next_record()
    {
        Finds(Begin("c").Next(Pair).Later("d"), "c1 a1 b1 d1", "c1 a1 b1 d1");
        Finds(Begin("c").Next(Pair).Later("d"), "c1 x a1 b1 d1");
    }

    [Fact]
    public void A_group_may_begin_the_pattern()
    {
        Finds(Pattern.Begin(Pair).Times(2).Later("d"), "a1 b1 a2 b2 d1", "a1 b1 a2 b2 d1");
        Finds(Pattern.Begin(Pair).OneOrMore(), "a1 b1 a2 b2", "a1 b1", "a1 b1 a2 b2", "a2 b2");
        Finds(Pattern.Begin(Pair).Optional().Later("d"), "a1 b1 d1", "a1 b1 d1", "d1");
    }

    [Fact]
    public void A_group_may_stand_in_a_group()
    {
        var inner = Begin("c").FollowedBy(Begin("a").Times(2).Later("b")).OneOrMore();

        Finds(Pattern.Begin(inner).Times(2).Later("d"), "c1 a1 a2 b1 c2 a3 a4 b2 d1", "c1 a1 a2 b1 c2 a3 a4 b2 d1");
        Finds(Begin("e").FollowedBy(Pattern.Begin(Pair)).Later("d"), "e1 x a1 b1 d1", "e1 a1 b1 d1");
    }

    [Fact]
    public void Steps_of_a_group_may_be_strict_looping_and_optional() =>
        Finds(
            Begin("c").FollowedBy(Begin("a").Then("b").OneOrMore().Consecutive().Later("e").Optional()).Times(2).Later("d"),
            "c1 a1 b1 a2 b2 e1 d1",
            "c1 a1 b1 a2 b2 d1", "c1 a1 b1 a2 b2 e1 d1");

    [Fact]
    public void What_must_not_come_before_a_group_counts_until_the_group_begins()
    {
        var pattern = Begin("c").NotLater("n").FollowedBy(Pair).Optional().Later("d");

        Finds(pattern, "c1 x n1 a1 b1 d1");
        Finds(pattern, "c1 x a1 n1 b1 d1", "c1 a1 b1 d1");
        Finds(pattern, "c1 x d1", "c1 d1");
        Finds(pattern, "c1 a1 b1 n1 d1", "c1 a1 b1 d1");
    }

    [Fact]
    public void What_must_not_follow_a_repeated_group_may_not_come_between_rounds_either()
    {
        var pattern = Begin("c").FollowedBy(Pair).OneOrMore().NotLater("n").Later("d");

        Finds(pattern, "c1 a1 b1 x n1 a2 b2 d1");
        Finds(pattern, "c1 a1 b1 a2 b2 x d1", "c1 a1 b1 d1", "c1 a1 b1 a2 b2 d1");
    }

    [Fact]
    public void What_must_not_come_within_a_group_counts_in_every_round()
    {
        var group = Begin("a").NotLater("n").Later("b");

        Finds(Begin("c").FollowedBy(group).Times(2).Later("d"), "c1 a1 b1 n1 a2 b2 d1", "c1 a1 b1 a2 b2 d1");
        Finds(Begin("c").FollowedBy(group).OneOrMore().Later("d"), "c1 a1 b1 a2 n1 b2 d1", "c1 a1 b1 d1");
        Finds(Begin("c").FollowedBy(Begin("a").NotLater("n").Later("b").Optional()).OneOrMore().Later("d"), "c1 a1 b1 a2 n1 b2 d1", "c1 a1 d1", "c1 a1 b1 d1");
    }

    [Fact]
    public void The_records_of_all_rounds_are_read_by_the_steps_names()
    {
        var match = Assert.Single(Of(Begin("c").FollowedBy(Pair).Times(2), "c1 a1 b1 a2 b2").Matches);

        Assert.Equal(["a1", "a2"], match["a"]);
        Assert.Equal(["b1", "b2"], match["b"]);
        Assert.Equal("c[c1] a[a1,a2] b[b1,b2]", match.ToString());
        Assert.Empty(match["none"]);
        Assert.Equal((1, 5), (match.Start, match.End));
    }
}
