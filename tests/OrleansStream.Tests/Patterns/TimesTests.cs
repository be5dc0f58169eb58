using static OrleansStream.Tests.Patterns.PatternRun;
using static OrleansStream.Tests.Patterns.Words;

namespace OrleansStream.Tests.Patterns;

/// <summary>How often a step is taken. The cases are those of Flink's NFAITCase, TimesOrMoreITCase and TimesRangeITCase, in data of our own.</summary>
public sealed class TimesTests
{
    [Fact]
    public void Times_takes_so_many_passing_over_what_does_not_fit() => Finds(Begin("a").Times(3), "a1 x a2 a3 a4", "a1 a2 a3", "a2 a3 a4");

    [Fact]
    public void Times_consecutive_takes_so_many_in_a_row() => Finds(Begin("a").Times(2).Consecutive(), "a1 x a2 a3", "a2 a3");

    [Fact]
    public void Times_with_combinations_takes_any_so_many() =>
        Finds(Begin("c").Later("a").Times(2).AllowCombinations(), "c1 a1 a2 a3", "c1 a1 a2", "c1 a1 a3");

    [Fact]
    public void Times_behind_any_may_begin_with_each() =>
        Finds(Begin("c").Any("a").Times(2), "c1 a1 a2 a3", "c1 a1 a2", "c1 a2 a3");

    [Fact]
    public void Times_behind_any_with_combinations_takes_all_pairs() =>
        Finds(Begin("c").Any("a").Times(2).AllowCombinations(), "c1 a1 a2 a3", "c1 a1 a2", "c1 a1 a3", "c1 a2 a3");

    [Fact]
    public void Times_strictly_behind_begins_with_the_very_next()
    {
        Finds(Begin("c").Then("a").Times(2).Later("b"), "c1 a1 x a2 b1", "c1 a1 a2 b1");
        Finds(Begin("c").Then("a").Times(2).Later("b"), "c1 x a1 a2 b1");
    }

    [Fact]
    public void A_range_of_times_gives_a_match_for_each_number() =>
        Finds(Begin("c").Later("a").Times(1, 3).Later("b"), "c1 a1 a2 a3 a4 b1", "c1 a1 b1", "c1 a1 a2 b1", "c1 a1 a2 a3 b1");

    [Fact]
    public void A_range_at_the_end_gives_each_as_it_comes() =>
        Assert.Equal(["c1 a1 a2", "c1 a1 a2 a3"], Of(Begin("c").Later("a").Times(2, 3), "c1 a1 a2 x a3 a4").Found);

    [Fact]
    public void A_range_from_nought_is_optional() =>
        Finds(Begin("c").Later("a").Times(0, 2).Later("b"), "c1 a1 a2 a3 b1", "c1 b1", "c1 a1 b1", "c1 a1 a2 b1");

    [Fact]
    public void A_range_consecutive_ends_at_what_does_not_fit() =>
        Finds(Begin("c").Later("a").Times(1, 3).Consecutive().Later("b"), "c1 x a1 a2 x a3 b1", "c1 a1 b1", "c1 a1 a2 b1");

    [Fact]
    public void Times_may_be_optional_as_a_whole() =>
        Finds(Begin("c").Later("a").Times(2).Optional().Later("b"), "c1 a1 a2 b1 c2 a3 b2", "c1 a1 a2 b1", "c1 b1", "c2 b2");

    [Fact]
    public void One_or_more_gives_a_match_for_each_number() =>
        Finds(Begin("c").Later("a").OneOrMore().Later("b"), "c1 a1 x a2 b1", "c1 a1 b1", "c1 a1 a2 b1");

    [Fact]
    public void One_or_more_at_the_end_gives_each_as_it_comes() =>
        Assert.Equal(["c1 a1", "c1 a1 a2", "c1 a1 a2 a3"], Of(Begin("c").Later("a").OneOrMore(), "c1 a1 x a2 a3").Found);

    [Fact]
    public void One_or_more_behind_any_may_begin_with_each() =>
        Finds(Begin("c").Any("a").OneOrMore().Later("b"), "c1 a1 a2 b1", "c1 a1 b1", "c1 a1 a2 b1", "c1 a2 b1");

    [Fact]
    public void One_or_more_consecutive_ends_at_what_does_not_fit() =>
        Finds(Begin("c").Later("a").OneOrMore().Consecutive().Later("b"), "c1 a1 a2 x a3 b1", "c1 a1 b1", "c1 a1 a2 b1");

    [Fact]
    public void One_or_more_with_combinations_passes_over_what_fits() =>
        Finds(Begin("c").Later("a").OneOrMore().AllowCombinations().Later("b"), "c1 a1 a2 a3 b1", "c1 a1 b1", "c1 a1 a2 b1", "c1 a1 a3 b1", "c1 a1 a2 a3 b1");

    [Fact]
    public void One_or_more_first_begins_with_each() =>
        Finds(Begin("a").OneOrMore().Later("b"), "a1 a2 b1", "a1 b1", "a1 a2 b1", "a2 b1");

    [Fact]
    public void Zero_or_more_may_be_left_out() =>
        Finds(Begin("c").Later("a").ZeroOrMore().Later("b"), "c1 x a1 a2 b1", "c1 b1", "c1 a1 b1", "c1 a1 a2 b1");

    [Fact]
    public void Zero_or_more_first_lets_the_second_begin() => Finds(Begin("a").ZeroOrMore().Then("b"), "b1 a1 b2", "b1", "a1 b2", "b2");

    [Fact]
    public void Strict_behind_one_or_more_means_behind_its_last() =>
        Finds(Begin("a").OneOrMore().Then("b"), "a1 a2 b1 a3 x b2", "a1 a2 b1", "a2 b1");

    [Fact]
    public void Times_or_more_gives_no_match_with_fewer() =>
        Finds(Begin("c").Later("a").TimesOrMore(2).Later("b"), "c1 a1 a2 x a3 b1", "c1 a1 a2 b1", "c1 a1 a2 a3 b1");

    [Fact]
    public void Times_or_more_consecutive_ends_at_what_does_not_fit() =>
        Finds(Begin("c").Later("a").TimesOrMore(2).Consecutive().Later("b"), "c1 a1 a2 a3 x a4 b1", "c1 a1 a2 b1", "c1 a1 a2 a3 b1");

    [Fact]
    public void Times_or_more_with_combinations_takes_any_so_many_or_more() =>
        Finds(Begin("c").Later("a").TimesOrMore(2).AllowCombinations().Later("b"), "c1 a1 a2 a3 b1", "c1 a1 a2 b1", "c1 a1 a3 b1", "c1 a1 a2 a3 b1");

    [Fact]
    public void Two_loops_in_a_row_share_what_fits_both() =>
        Finds(Begin("a").OneOrMore().Later("a-more").OneOrMore(), "a1 a2 a3", "a1 a2", "a1 a2 a3", "a1 a2 a3", "a2 a3");
}
