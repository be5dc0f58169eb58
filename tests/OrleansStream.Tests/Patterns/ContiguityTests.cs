using static OrleansStream.Tests.Patterns.PatternRun;
using static OrleansStream.Tests.Patterns.Words;

namespace OrleansStream.Tests.Patterns;

/// <summary>How close the records of two steps must be. The cases are those of Flink's NFAITCase, in data of our own.</summary>
public sealed class ContiguityTests
{
    [Fact]
    public void Next_takes_the_very_next_record_only()
    {
        Finds(Begin("a").Then("b"), "a1 b1 a2 x b2 a3 b3", "a1 b1", "a3 b3");
        Finds(Begin("a").Then("b"), "a1 a2 b1", "a2 b1");
    }

    [Fact]
    public void FollowedBy_takes_the_first_that_fits_and_passes_over_others() =>
        Finds(Begin("a").Later("b"), "a1 x b1 b2 a2 y b3", "a1 b1", "a2 b3");

    [Fact]
    public void FollowedByAny_takes_each_that_fits() =>
        Finds(Begin("a").Any("b"), "a1 x b1 b2 a2 b3", "a1 b1", "a1 b2", "a1 b3", "a2 b3");

    [Fact]
    public void Every_record_that_fits_the_first_step_begins_a_match() =>
        Finds(Begin("a").Later("b").Later("c"), "a1 a2 b1 c1", "a1 b1 c1", "a2 b1 c1");

    [Fact]
    public void One_step_is_a_pattern() => Finds(Begin("a"), "a1 x a2", "a1", "a2");

    [Fact]
    public void A_record_goes_to_one_step_of_a_match_only() =>
        Finds(Begin("a").Later("a-again"), "a1 a2 a3", "a1 a2", "a2 a3");

    [Fact]
    public void Any_and_any_again_find_all_combinations() =>
        Finds(Begin("a").Any("b").Any("c"), "a1 b1 c1 b2 c2", "a1 b1 c1", "a1 b1 c2", "a1 b2 c2");

    [Fact]
    public void A_step_without_conditions_takes_whatever_comes()
    {
        Finds(Begin("a").FollowedBy("b"), "a1 x a2", "a1 x");
        Finds(Begin("a").FollowedByAny("b"), "a1 x y", "a1 x", "a1 y");
    }

    [Theory]
    [InlineData("a1 b1 c1", "a1 b1 c1")]
    [InlineData("a1 c1", "a1 c1")]
    [InlineData("a1 x c1", "a1 c1")]
    [InlineData("a1 x b1 x c1", "a1 b1 c1|a1 c1")]
    [InlineData("b1 c1", "")]
    public void An_optional_step_is_there_in_some_matches_and_not_in_others(string input, string matches) =>
        Finds(Begin("a").Later("b").Optional().Later("c"), input, input == "a1 b1 c1" ? ["a1 b1 c1", "a1 c1"] : matches.Split('|', StringSplitOptions.RemoveEmptyEntries));

    [Theory]
    [InlineData("a1 b1 c1", "a1 b1 c1")]
    [InlineData("a1 c1", "a1 c1")]
    [InlineData("a1 x c1", "")]
    public void An_optional_step_may_be_strict_on_both_sides(string input, string matches) =>
        Finds(Begin("a").Then("b").Optional().Then("c"), input, matches.Split('|', StringSplitOptions.RemoveEmptyEntries));

    [Fact]
    public void An_optional_last_step_gives_the_match_without_it_at_once()
    {
        var run = Of(Begin("a").Later("b").Optional(), "a1");

        Assert.Equal(["a1"], run.Found);
        run.Feed("x b1");
        Assert.Equal(["a1", "a1 b1"], run.Found);
    }

    [Fact]
    public void An_optional_first_step_lets_the_second_begin() =>
        Finds(Begin("a").Optional().Later("b"), "a1 x b1 b2", "a1 b1", "b1", "b2");

    [Fact]
    public void Every_step_may_be_optional_but_no_match_is_empty() =>
        Finds(Begin("a").Optional().Later("b").Optional(), "x a1 b1", "a1", "a1 b1", "b1");
}
