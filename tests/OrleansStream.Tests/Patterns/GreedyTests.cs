using OrleansStream.Patterns;
using static OrleansStream.Tests.Patterns.PatternRun;
using static OrleansStream.Tests.Patterns.Words;

namespace OrleansStream.Tests.Patterns;

/// <summary>Steps that take all they can. The cases are those of Flink's GreedyITCase, in data of our own.</summary>
public sealed class GreedyTests
{
    private static readonly Pattern<string> ZeroOrMore = Begin("c").Later("a").OneOrMore().Optional().Greedy().Later("d");
    private static readonly Pattern<string> OneOrMore = Begin("c").Later("a").OneOrMore().Greedy().Later("d");

    [Theory]
    [InlineData("c1 a1 a2 a3 d1", "c1 a1 a2 a3 d1")]
    [InlineData("c1 x a1 x a2 x a3 d1", "c1 a1 a2 a3 d1")]
    [InlineData("c1 a1 a2 x d1", "c1 a1 a2 d1")]
    [InlineData("c1 x d1", "c1 d1")]
    public void A_greedy_loop_leaves_no_match_with_fewer(string input, string match)
    {
        Finds(ZeroOrMore, input, match);
        Finds(OneOrMore, input, match == "c1 d1" ? [] : [match]);
    }

    [Fact]
    public void A_greedy_loop_takes_what_the_next_step_could_take_too()
    {
        var pattern = Begin("c").Later("a").OneOrMore().Greedy().FollowedBy("end").Where(static record => record[0] is 'a' or 'd');

        Finds(pattern, "c1 a1 a2 d1", "c1 a1 a2 d1");
        Finds(Begin("c").Later("a").OneOrMore().FollowedBy("end").Where(static record => record[0] is 'a' or 'd'), "c1 a1 a2 d1", "c1 a1 a2", "c1 a1 a2 d1");
    }

    [Fact]
    public void A_greedy_loop_gives_records_up_from_the_one_that_ends_it()
    {
        var pattern = Begin("c").Later("a").OneOrMore().Greedy().Until(static record => record == "a9");

        Finds(pattern.Later("d"), "c1 a1 a2 a9 a3 d1", "c1 a1 a2 d1");
        Finds(pattern.FollowedBy("end").Where(static record => record[0] == 'a'), "c1 a1 a2 a9", "c1 a1 a2 a9");
    }

    [Theory]
    [InlineData("c1 a1 a2 a9 d1", "c1 a1 a2 d1")]
    [InlineData("c1 a9 a1 a2 d1", "c1 d1")]
    public void A_greedy_loop_may_be_left_out_when_what_ends_it_comes_first(string input, string match) =>
        Finds(Begin("c").Later("a").OneOrMore().Optional().Greedy().Until(static record => record == "a9").Later("d"), input, match);

    [Fact]
    public void A_greedy_range_takes_as_many_as_it_may() =>
        Finds(Begin("c").Later("a").Times(2, 5).Greedy().Later("d"), "c1 a1 a2 x a3 d1", "c1 a1 a2 a3 d1");

    [Fact]
    public void A_greedy_loop_may_go_on_behind_a_match() =>
        Finds(OneOrMore, "c1 a1 d1 a2 d2", "c1 a1 d1", "c1 a1 a2 d2");

    [Fact]
    public void A_greedy_range_of_which_there_are_more_gives_none_with_the_rest() =>
        Finds(Begin("c").Later("a").Times(1, 2).Greedy().Then("d"), "c1 a1 a2 d1 x c2 a3 d2", "c1 a1 a2 d1", "c2 a3 d2");

    [Fact]
    public void A_greedy_loop_at_the_end_gives_each_as_it_comes() =>
        Assert.Equal(["c1", "c1 a1", "c1 a1 a2"], Of(Begin("c").Later("a").OneOrMore().Optional().Greedy(), "c1 a1 a2").Found);

    [Fact]
    public void A_greedy_loop_before_another_loop_goes_first() =>
        Finds(Begin("c").Later("a").OneOrMore().Greedy().Later("d").OneOrMore().Later("e"), "c1 a1 a2 d1 d2 e1", "c1 a1 a2 d1 e1", "c1 a1 a2 d1 d2 e1");

    [Fact]
    public void Greedy_consecutive_takes_a_whole_row() =>
        Finds(Begin("a").OneOrMore().Consecutive().Greedy().Then("b"), "a1 a2 a3 b1", "a1 a2 a3 b1", "a2 a3 b1", "a3 b1");

    [Fact]
    public void What_must_not_follow_before_a_greedy_optional_loop_counts_no_more_once_it_has_begun()
    {
        var pattern = Begin("c").NotLater("n").Later("a").OneOrMore().Optional().Greedy().Later("d");

        Finds(pattern, "c1 a1 n1 a2 d1", "c1 a1 a2 d1");
        Finds(pattern, "c1 n1 a1 d1");
        Finds(pattern, "c1 n1 d1");
    }
}
