using OrleansStream.Functions;
using OrleansStream.Patterns;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.Testing;
using OrleansStream.Tests.Graph;
using static OrleansStream.Tests.Patterns.Words;

namespace OrleansStream.Tests.Patterns;

/// <summary>Impossible patterns are refused when the graph is built.</summary>
public sealed class PatternRefusalTests
{
    [Fact]
    public void Everything_that_is_wrong_is_said_at_once_each_with_its_place() => Assert.Equal(
        [
            "Match 'match': step 'a': Times(0) must be 1 or more.",
            "Match 'match': step 'a': Greedy takes all it can, AllowCombinations any part of it; use one of them.",
            "Match 'match': group 2: the first step of a group cannot be Optional; make the group Optional, or begin it with another step.",
            "Match 'match': group 2, step 'b': Greedy is for steps that are repeated.",
            "Match 'match': step 'n': a NotFollowedBy at the end is never over; add Within.",
            "Match 'match': maxPartialMatches of 0 must be 1 or more.",
            "Match 'match': what a pattern keeps holds List<int>, which can be changed without the engine seeing it (List<int> is a mutable collection); "
                + "use a struct, an immutable record, an immutable collection, or list and map state.",
            "Match 'match': records reach it without event time; put WithTimestamps after the source.",
        ],
        GraphSamples.Refusals(static graph => graph
            .From("in", Collections.From(Array.Empty<List<int>>()))
            .KeyBy(static list => list.Count)
            .Match(
                "match",
                Pattern.Begin<List<int>>("a").Times(0).AllowCombinations().Greedy().FollowedBy(Pattern.Begin<List<int>>("b").Greedy().Optional()).NotFollowedBy("n"),
                maxPartialMatches: 0)
            .To("out", new CollectingSink<Match<List<int>>>())));

    [Fact]
    public void Records_that_cannot_be_kept_are_refused() => Assert.Contains(
        "Match 'match': what a pattern keeps holds Bare: Bare has no [GenerateSerializer]; add it, and [Id] to its members.",
        GraphSamples.Refusals(static graph => graph.From("in", new TestInput<Bare>()).KeyBy(static bare => bare.Key).Match("match", Pattern.Begin<Bare>("a")).To("out", new CollectingSink<Match<Bare>>())));

    [Fact]
    public void A_pattern_that_is_right_is_not_refused() =>
        Assert.Empty(Problems(Begin("a").OneOrMore().Greedy().Later("b").Times(2, 3).Consecutive().NotLater("n").Within(Ms(1))));

    [Fact]
    public void Names_are_unique_in_the_whole_pattern() => Assert.Equal(
        ["3 steps are named 'a'; each needs a name of its own", "2 steps are named 'b'; each needs a name of its own"],
        Problems(Begin("a").Later("b").FollowedBy(Begin("a").Later("b")).NotThen("a")));

    [Fact]
    public void Every_step_has_a_name() => Assert.Equal(["step 1 has no name", "step 2 has no name"], Problems(Pattern.Begin<string>("").Next((string)null!)));

    [Fact]
    public void What_must_not_come_takes_nothing()
    {
        Assert.Equal(["step 'n': what must not come cannot be Optional"], Problems(Begin("a").NotThen("n").Optional()));
        Assert.Equal(["step 'n': what must not come takes no records, so it cannot be repeated, Greedy or ended by Until"], Problems(Begin("a").NotThen("n").OneOrMore()));
        Assert.Equal(
            ["step 'n': what must not come cannot stand behind an Optional step; write two patterns, one without that step"], Problems(Begin("a").Later("b").Optional().NotLater("n").Later("c")));
    }

    [Fact]
    public void Times_are_numbers_of_times()
    {
        Assert.Equal(["step 'a': Times(-1, 2) begins below 0"], Problems(Begin("a").Times(-1, 2)));
        Assert.Equal(["step 'a': Times(3, 2) ends before it begins"], Problems(Begin("a").Times(3, 2)));
        Assert.Equal(["step 'a': Times(0, 0) must end at 1 or more"], Problems(Begin("a").Times(0, 0)));
        Assert.Equal(["step 'a': TimesOrMore(0) must be 1 or more"], Problems(Begin("a").TimesOrMore(0)));
        Assert.Equal(["step 'a': it is told twice how often it is taken"], Problems(Begin("a").Times(2).OneOrMore()));
    }

    [Fact]
    public void What_is_for_loops_is_refused_elsewhere()
    {
        Assert.Equal(["step 'a': Until is for looping steps: OneOrMore or TimesOrMore"], Problems(Begin("a").Times(2).Until(static _ => true)));
        Assert.Equal(["step 'a': it has Until twice"], Problems(Begin("a").OneOrMore().Until(static _ => true).Until(static _ => true)));
        Assert.Equal(["step 'a': Consecutive and AllowCombinations are for steps that are repeated"], Problems(Begin("a").Consecutive()));
        Assert.Equal(
            ["step 'a': it is told twice how close its records are: Consecutive or AllowCombinations, one of them"], Problems(Begin("a").OneOrMore().Consecutive().AllowCombinations()));
        Assert.Equal(["step 'a': it is made Optional twice"], Problems(Begin("a").Optional().Optional()));
        Assert.Equal(
            ["step 'b': an Optional step cannot stand behind a Greedy one: which of them takes a record would be open"], Problems(Begin("a").OneOrMore().Greedy().Later("b").Optional()));
    }

    [Fact]
    public void A_group_is_a_step_without_conditions_of_its_own()
    {
        Assert.Equal(["group 2: a group has no conditions of its own; put them on its steps"], Problems(Begin("a").FollowedBy(Begin("b")).Where(static _ => true)));
        Assert.Equal(["group 2: a group cannot be Greedy"], Problems(Begin("a").FollowedBy(Begin("b")).OneOrMore().Greedy()));
        Assert.Equal(["group 2: a group cannot end with NotFollowedBy; put it behind the group"], Problems(Begin("a").FollowedBy(Begin("b").NotLater("n")).Later("c")));
        Assert.Equal(["group 2: a group has no skip strategy; give it to the outermost Begin"], Problems(Begin("a").FollowedBy(Begin("b", SkipStrategy.ToNext))));
        Assert.Equal(["group 2: a bound from record to record belongs to the group's steps"], Problems(Begin("a").FollowedBy(Begin("b")).Within(Ms(1), WithinScope.PreviousToCurrent)));
        Assert.Throws<ArgumentNullException>(static () => Begin("a").FollowedBy((Pattern<string>)null!));
    }

    [Fact]
    public void Bounds_are_whole_milliseconds_above_nought()
    {
        Assert.Equal(["step 'a': Within(00:00:00) must be a whole number of milliseconds, 1 or more"], Problems(Begin("a").Within(TimeSpan.Zero)));
        Assert.Equal(["step 'a': Within(-00:00:01) must be a whole number of milliseconds, 1 or more"], Problems(Begin("a").Within(TimeSpan.FromSeconds(-1), WithinScope.PreviousToCurrent)));
        Assert.Equal(["step 'a': Within(00:00:00.0000001) must be a whole number of milliseconds, 1 or more"], Problems(Begin("a").Within(TimeSpan.FromTicks(1))));
        Assert.Equal(
            ["step 'b': a bound of 00:00:02 from record to record is longer than that of the whole match, 00:00:01"],
            Problems(Begin("a").Later("b").Within(TimeSpan.FromSeconds(2), WithinScope.PreviousToCurrent).Later("c").Within(TimeSpan.FromSeconds(1))));
    }

    [Theory]
    [InlineData("z")]
    [InlineData("n")]
    public void A_skip_strategy_names_a_step_that_takes_records(string step)
    {
        Assert.Equal(
            [$"the skip strategy ToFirst({step}) names a step that takes no records, or that the pattern does not have"],
            Problems(Begin("a", SkipStrategy.ToFirst(step)).NotLater("n").Later("b")));
        Assert.Empty(Problems(Begin("a", SkipStrategy.ToLast("c")).FollowedBy(Begin("b").Later("c"))));
    }

    [Fact]
    public void Side_outputs_are_those_given_to_Match_and_can_be_written()
    {
        var timedOut = new SideOutput<TimedOutMatch<string>>("timed-out");
        var refusals = GraphSamples.Refusals(graph =>
        {
            var matches = graph.From("in", new TestInput<string>()).KeyBy(static record => record).Match("match", Begin("a"), timedOut, late: new SideOutput<string>("timed-out"));
            matches.SideOutput(new SideOutput<string>("other")).To("other", new CollectingSink<string>());
            matches.To("out", new CollectingSink<Match<string>>());
        });

        Assert.Equal(
            [
                "Match 'match': nothing can go to side output 'timed-out': the pattern has no Within, so nothing runs out of time.",
                "Match 'match': both side outputs are named 'timed-out'.",
                "Match 'match': side output 'other' of string is read from it, but it emits only what ran out of time and what came late, to the outputs that Match is given.",
            ],
            refusals);
    }

    [Fact]
    public void The_shape_of_a_pattern_is_part_of_the_fingerprint_and_its_conditions_are_not()
    {
        Assert.Equal("a{1,} greedy until FollowedBy b{2,3}? consecutive NotFollowedBy n within 00:00:01 skip ToLast(a)", PatternText.Of(
            Begin("a", SkipStrategy.ToLast("a")).OneOrMore().Greedy().Until(static _ => true).Later("b").Times(2, 3).Optional().Consecutive().NotLater("n").Within(TimeSpan.FromSeconds(1))));
        Assert.Equal("a Next (b FollowedByAny c)? within 00:00:00.0050000", PatternText.Of(Begin("a").Next(Begin("b").Any("c")).Optional().Within(Ms(5))));
        Assert.NotEqual(Fingerprint(Begin("a").Then("b")), Fingerprint(Begin("a").Later("b")));
        Assert.Equal(Fingerprint(Begin("a").Then("b")), Fingerprint(Begin("a").Then("b").Where(static _ => false)));

        static string Fingerprint(Pattern<string> pattern) => GraphSamples.Fingerprint(graph =>
            graph.From("in", new TestInput<string>()).KeyBy(static record => record).Match("match", pattern).To("out", new CollectingSink<Match<string>>()));
    }

    private sealed record Bare(string Key);

    private static List<string> Problems(Pattern<string> pattern) => [.. PatternCheck.Problems(pattern)];
}
