using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Tests.Graph;
using OrleansStream.Time;

namespace OrleansStream.Tests.Checkpoints;

public sealed class AlignmentGroupsTests
{
    [Fact]
    public void A_group_has_every_subtask_of_its_sources_and_others_are_in_none()
    {
        var groups = new AlignmentGroups(GraphSamples.Plan(Define, parallelism: 2));

        Assert.Equal([new(0, 0), new(0, 1), new(1, 0), new(1, 1)], groups.Subtasks.OrderBy(static id => id.Stage).ThenBy(static id => id.Index));
    }

    [Fact]
    public void Nobody_is_ahead_before_all_have_spoken_and_then_the_lowest_other_counts()
    {
        var groups = new AlignmentGroups(GraphSamples.Plan(Define, parallelism: 2));
        groups.Note(new SubtaskId(0, 0), 100);
        groups.Note(new SubtaskId(0, 1), 300);
        groups.Note(new SubtaskId(1, 0), EventTime.End);
        Assert.Equal(EventTime.Beginning, groups.LowestOfOthers(new SubtaskId(0, 0)));
        Assert.Equal(100, groups.LowestOfOthers(new SubtaskId(1, 1)));
        groups.Note(new SubtaskId(1, 1), 200);

        Assert.Equal(200, groups.LowestOfOthers(new SubtaskId(0, 0)));
        Assert.Equal(100, groups.LowestOfOthers(new SubtaskId(0, 1)));
    }

    [Fact]
    public void When_no_other_counts_nobody_is_waited_for()
    {
        var groups = new AlignmentGroups(GraphSamples.Plan(Define, parallelism: 1));
        groups.Note(new SubtaskId(0, 0), EventTime.End);

        Assert.Equal(EventTime.End, groups.LowestOfOthers(new SubtaskId(1, 0)));
    }

    [Fact]
    public void A_group_of_one_subtask_needs_nobody_to_pass_news_on() => Assert.Empty(new AlignmentGroups(GraphSamples.Plan(
        static graph => graph.From("alone", GraphSamples.Payments()).WithTimestamps(static payment => payment.Amount, Aligned("alone")).To("out", new CollectingSink<Payment>()), parallelism: 1)).Subtasks);

    private static void Define(JobGraph graph)
    {
        graph.From("left", GraphSamples.Payments()).WithTimestamps(static payment => payment.Amount, Aligned("group"))
            .Merge(graph.From("right", GraphSamples.Payments()).WithTimestamps(static payment => payment.Amount, Aligned("group")))
            .Merge(graph.From("loose", GraphSamples.Payments()).WithTimestamps(static payment => payment.Amount, WatermarkStrategy.Monotonous<Payment>()))
            .To("out", new CollectingSink<Payment>());
    }

    private static WatermarkStrategy<Payment> Aligned(string group) => WatermarkStrategy.Monotonous<Payment>().WithAlignment(group, TimeSpan.FromSeconds(1));
}
