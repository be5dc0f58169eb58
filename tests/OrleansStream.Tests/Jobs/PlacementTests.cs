using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.Tests.Checkpoints;

namespace OrleansStream.Tests.Jobs;

/// <summary>Where subtasks and leaders go, and when they go elsewhere.</summary>
public sealed class PlacementTests
{
    private static readonly TimeSpan Debounce = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 2)]
    [InlineData(4, 3)]
    [InlineData(3, 5)]
    public void No_silo_has_more_than_one_subtask_more_than_another(int parallelism, int silos)
    {
        var names = Enumerable.Range(0, silos).Select(static silo => $"silo-{silo}").ToList();
        var plan = Plan(parallelism);
        var places = Placement.Of(plan, names, Nowhere);

        Assert.Equal(plan.Subtasks.ToHashSet(), places.Keys.ToHashSet());
        var counts = names.Select(name => places.Values.Count(place => place == name)).ToList();
        Assert.True(counts.Max() - counts.Min() <= 1, string.Join(", ", counts));
        Assert.False(Placement.IsUneven(places.Values, names));
    }

    [Theory]
    [InlineData(3, "a b c", "a b")]
    [InlineData(3, "a b c", "c")]
    [InlineData(2, "a b", "a b")]
    [InlineData(7, "a b c d", "b d")]
    public void Subtasks_stay_where_they_were_when_a_silo_is_gone_and_those_that_move_are_evenly_spread(int parallelism, string before, string after)
    {
        var plan = Plan(parallelism);
        var silos = after.Split(' ');
        var former = Placement.Of(plan, before.Split(' '), Nowhere);
        var places = Placement.Of(plan, silos, former);

        Assert.All(former.Where(place => silos.Contains(place.Value)), place => Assert.Equal(place.Value, places[place.Key]));
        Assert.False(Placement.IsUneven(places.Values, silos));
    }

    [Fact]
    public void Subtasks_are_dealt_out_anew_when_a_silo_or_the_parallelism_is_new_and_as_far_as_they_lie_unevenly()
    {
        var plan = Plan(2);
        var dealt = Placement.Of(plan, ["a", "b", "c"], Nowhere);
        Assert.Equal(dealt, Placement.Of(plan, ["a", "b", "c"], Placement.Of(plan, ["a", "b"], Nowhere)));
        Assert.Equal(dealt, Placement.Of(plan, ["a", "b", "c"], Placement.Of(Plan(4), ["a", "b", "c"], Nowhere)));

        var uneven = plan.Subtasks.ToDictionary(static id => id, static id => id is (0, 0) ? "b" : "a");
        var even = Placement.Of(plan, ["a", "b"], uneven);
        Assert.False(Placement.IsUneven(even.Values, ["a", "b"]));
        Assert.Equal("b", even[new SubtaskId(0, 0)]);
    }

    [Theory]
    [InlineData("a a", "a", false)]
    [InlineData("a a", "a b", true)]
    [InlineData("a b", "a b c", false)]
    [InlineData("a b a b", "a b c", true)]
    [InlineData("a b c a", "a b c", false)]
    [InlineData("a x x b", "a b", false)]
    public void Subtasks_are_unevenly_spread_when_a_silo_has_two_more_than_another(string used, string silos, bool uneven) => Assert.Equal(uneven, Placement.IsUneven(used.Split(' '), silos.Split(' ')));

    [Fact]
    public void Subtasks_move_when_neither_silos_nor_attempt_have_changed_for_the_while_that_is_set()
    {
        var rule = new RebalanceRule(Debounce);
        rule.OnRunning(At(0));
        Assert.False(rule.IsDue(At(1), ["a"], ["a", "a"]));
        Assert.False(rule.IsDue(At(20), ["a", "b"], ["a", "a"]));
        Assert.False(rule.IsDue(At(29), ["a", "b"], ["a", "a"]));
        Assert.False(rule.IsDue(At(29.5), ["a", "b", "c"], ["a", "a"]));
        Assert.False(rule.IsDue(At(39), ["a", "b", "c"], ["a", "a"]));
        Assert.True(rule.IsDue(At(39.5), ["a", "b", "c"], ["a", "a"]));
        rule.OnRunning(At(40));
        Assert.False(rule.IsDue(At(41), ["a", "b", "c"], ["a", "a"]));
        Assert.False(rule.IsDue(At(60), ["a", "b", "c"], ["a", "b"]));
    }

    [Fact]
    public void Subtasks_never_move_when_that_is_switched_off()
    {
        var rule = new RebalanceRule(null);
        rule.OnRunning(At(0));
        Assert.False(rule.IsDue(At(1), ["a", "b"], ["a", "a"]));
        Assert.False(rule.IsDue(At(1_000_000), ["a", "b"], ["a", "a"]));
    }

    [Fact]
    public void A_silo_that_leaves_hands_over_what_it_leads_and_has_the_rest_moved_away()
    {
        Assert.Equal([new("led", true), new("present", false)], HandOverPlan.Of(["led"], ["led", "present"], others: 1));
        Assert.Empty(HandOverPlan.Of(["led"], ["led", "present"], others: 0));
    }

    [Fact]
    public void A_call_for_a_job_goes_to_the_silo_that_leads_its_newest_attempt()
    {
        Assert.Equal("b", Leadership.Choose([new("a", true, 3), new("b", true, 4), new("c", false, 5), default], ["d"]));
        Assert.Equal("c", Leadership.Choose([new("a", false, 3), new("c", false, 5), default], ["d"]));
        Assert.Equal("a", Leadership.Choose([new("a", true, 0), new("c", false, 5)], ["d"]));
        Assert.Equal("d", Leadership.Choose([default, new("a", false, 0)], ["d", "a"]));
        Assert.Null(Leadership.Choose([default], []));
    }

    private static IReadOnlyDictionary<SubtaskId, string> Nowhere { get; } = new Dictionary<SubtaskId, string>();

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static JobPlan Plan(int parallelism)
    {
        var graph = new JobGraph(new ServiceCollection().BuildServiceProvider());
        graph.From("numbers", Collections.From([1, 2, 3])).KeyBy(static number => number).Distinct("distinct").To("out", new CollectingSink<int>());
        return JobPlan.Create(Samples.Job, graph, parallelism, 128);
    }
}
