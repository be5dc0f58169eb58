using OrleansStream.Patterns;
using static OrleansStream.Tests.Patterns.PatternRun;
using static OrleansStream.Tests.Patterns.Words;

namespace OrleansStream.Tests.Patterns;

/// <summary>What a record must meet. The cases are those of Flink's IterativeConditionsITCase and more, in data of our own.</summary>
public sealed class ConditionTests
{
    [Fact]
    public void Conditions_given_one_after_another_must_all_hold() =>
        Finds(Begin("a").Where(static record => record.EndsWith('1')).Where(static record => record.Length == 2), "a1 a2 a11", "a1");

    [Fact]
    public void Or_holds_beside_all_that_was_given_before() =>
        Finds(Begin("a").Where(static record => record.EndsWith('1')).Or(static record => record == "b9"), "a1 a2 b9", "a1", "b9");

    [Fact]
    public void Or_without_a_condition_before_is_one() => Finds(Pattern.Begin<string>("x").Or(static record => record == "b1"), "a1 b1", "b1");

    [Fact]
    public void A_condition_sees_what_has_matched_before() =>
        Finds(Begin("a").FollowedByAny("b").Where(static (record, matched) => record[0] == 'b' && record[1] > matched["a"][0][1]), "a1 a5 b3 b7", "a1 b3", "a1 b7", "a5 b7");

    [Fact]
    public void A_condition_sees_what_its_own_loop_has_taken()
    {
        var rising = Begin("c").FollowedBy("a").Where(static (record, matched) => record[0] == 'a' && (matched["a"] is [] || record[1] > matched["a"][^1][1])).OneOrMore().Later("d");

        Finds(rising, "c1 a3 a2 a5 d1", "c1 a3 d1", "c1 a3 a5 d1");
    }

    [Fact]
    public void A_condition_sees_nothing_of_steps_that_were_left_out_or_are_to_come() =>
        Finds(Begin("a").Later("b").Optional().FollowedBy("c").Where(static (record, matched) => record[0] == 'c' && matched["b"].Count == 0 && matched["c"].Count == 0), "a1 b1 c1", "a1 c1");

    [Fact]
    public void A_condition_sees_the_time_of_its_record() =>
        Finds(Begin("a").FollowedBy("b").Where(static (record, matched) => record[0] == 'b' && matched.Timestamp % 2 == 0), "a1@1 b1@3 b2@6", "a1 b2");

    [Fact]
    public void Or_may_look_at_what_has_matched() =>
        Finds(Begin("a").Later("b").Or(static (record, matched) => record == "z" + matched["a"][0][1]), "a1 z2 z1", "a1 z1");

    [Fact]
    public void A_step_that_is_not_there_cannot_be_asked_for()
    {
        var error = Assert.Throws<ArgumentException>(() => Of(Begin("a").FollowedBy("b").Where(static (_, matched) => matched["z"].Count > 0), "a1 b1"));

        Assert.StartsWith("The pattern has no step 'z'; it has 'a', 'b'.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_condition_over_the_record_is_asked_once_for_all_partial_matches()
    {
        var asked = 0;
        Finds(Begin("a").FollowedBy("b").Where(Count), "a1 a2 a3 b1", "a1 b1", "a2 b1", "a3 b1");
        Assert.Equal(3, asked);

        bool Count(string record)
        {
            asked++;
            return record[0] == 'b';
        }
    }

    [Fact]
    public void A_record_at_which_a_condition_throws_leaves_no_trace()
    {
        var run = Of(Begin("a").FollowedBy("b").Where(static (record, matched) => record != "b-" ? record[0] == 'b' : matched["a"][0] == "a1" ? true : throw new InvalidOperationException("no")), "a1 a2");

        Assert.Throws<InvalidOperationException>(() => run.Feed("b-"));
        run.Feed("x b1");
        Assert.Equal(["a1 b1", "a2 b1"], run.Found);
    }

    [Fact]
    public void A_key_cannot_have_more_partial_matches_than_the_limit_and_keeps_those_it_has()
    {
        var run = new PatternRun(Begin("a").Later("b"), limit: 3);
        run.Feed("a1 a2 a3");
        var error = Assert.Throws<InvalidOperationException>(() => run.Feed("a4"));

        Assert.Contains("4 partial matches", error.Message, StringComparison.Ordinal);
        Assert.Contains("the limit is 3", error.Message, StringComparison.Ordinal);
        run.Feed("b1");
        Assert.Equal(["a1 b1", "a2 b1", "a3 b1"], run.Found);
    }

    [Fact]
    public void A_key_cannot_have_more_records_in_partial_matches_than_the_limit()
    {
        var run = new PatternRun(Begin("c").Later("a").OneOrMore().Greedy().Later("d"), limit: 3);
        run.Feed("c1 a1 a2");

        Assert.Throws<InvalidOperationException>(() => run.Feed("a3"));
    }
}
