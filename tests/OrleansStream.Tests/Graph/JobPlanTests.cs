using OrleansStream.Exchange;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Stages;
using OrleansStream.Tests.Stages;

namespace OrleansStream.Tests.Graph;

public sealed class JobPlanTests
{
    [Fact]
    public void Operators_that_need_no_exchange_run_in_one_stage()
    {
        var plan = GraphSamples.Plan(GraphSamples.Averages, parallelism: 3);

        Assert.Equal(["payments: payments, timestamps-2, where-3", "average: average, results"], Stages(plan));
        Assert.Equal(6, plan.Subtasks.Count());
        Assert.Equal([plan.Stages[0]], plan.Stages[1].Above);
        Assert.Equal([plan.Stages[1]], plan.Stages[0].Below);
    }

    [Fact]
    public void Rebalance_broadcast_and_merge_begin_a_stage_and_branches_do_not()
    {
        var plan = GraphSamples.Plan(static graph =>
        {
            var payments = graph.From("payments", GraphSamples.Payments());
            payments.Select(static payment => payment.Amount).To("amounts", new CollectingSink<long>());
            payments.Rebalance().Where(static _ => true).To("rebalanced", new CollectingSink<Payment>());
            payments.Broadcast().To("everywhere", new CollectingSink<Payment>());
            payments.Merge(graph.From("others", GraphSamples.Payments())).To("merged", new CollectingSink<Payment>());
        });

        Assert.Equal(
            ["payments: payments, select-2, amounts", "where-4: where-4, rebalanced", "everywhere: everywhere", "others: others", "merged: merged"], Stages(plan));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Both_ends_of_every_channel_agree_on_its_number(int parallelism)
    {
        var plan = GraphSamples.Plan(
            static graph =>
            {
                var payments = graph.From("payments", GraphSamples.Payments());
                var others = graph.From("others", GraphSamples.Payments());
                payments.Merge(others).To("merged", new CollectingSink<Payment>());
                payments.Merge(others).KeyBy(static payment => payment.Account).Process("score", GraphSamples.Keep<Payment>()).Rebalance().To("scores", new CollectingSink<string>());
            },
            parallelism);
        var subtasks = plan.Subtasks.ToDictionary(static id => id, id => new Subtask(Open(plan, id), plan.Stages[id.Stage]));

        var written = subtasks.SelectMany(static from => from.Value.Outputs.Select(output => $"{from.Key} to {output.To} as {output.ReceiverChannel}")).Order().ToList();
        var read = subtasks.SelectMany(static to => to.Value.Inputs.Select((input, channel) => $"{input.From} to {to.Key} as {channel}")).Order().ToList();

        Assert.NotEmpty(read);
        Assert.Equal(read, written);
    }

    [Fact]
    public void A_forward_edge_into_a_merge_joins_equal_numbers_and_a_keyed_one_all()
    {
        var plan = GraphSamples.Plan(
            static graph => graph.From("payments", GraphSamples.Payments()).Merge(graph.From("others", GraphSamples.Payments()))
                .Where(static _ => true).KeyBy(static payment => payment.Account).Process("score", GraphSamples.Keep<Payment>()).To("scores", new CollectingSink<string>()),
            3);

        Assert.Equal([new SubtaskId(0, 2), new SubtaskId(1, 2)], plan.Stages[2].InputChannels(2).Select(static channel => channel.From));
        Assert.Equal([new SubtaskId(2, 0), new SubtaskId(2, 1), new SubtaskId(2, 2)], plan.Stages[3].InputChannels(1).Select(static channel => channel.From));
    }

    [Fact]
    public void Each_merged_stream_keeps_its_own_partitioning()
    {
        var graph = GraphSamples.Graph(static graph => graph.From("payments", GraphSamples.Payments())
            .Merge(graph.From("rules", GraphSamples.Payments()).Broadcast(), graph.From("others", GraphSamples.Payments()).Rebalance())
            .To("merged", new CollectingSink<Payment>()));

        Assert.Equal([Partitioning.Forward, Partitioning.Broadcast, Partitioning.Rebalance], graph.Nodes[^1].Inputs.Select(static edge => edge.Partitioning));
    }

    [Fact]
    public void A_stream_of_another_graph_is_refused()
    {
        var other = GraphSamples.Graph(static _ => { }).From("others", GraphSamples.Payments());

        Assert.Contains(
            "To 'merged': it takes records from 'others', which belongs to another graph.",
            GraphSamples.Refusals(graph => graph.From("payments", GraphSamples.Payments()).Merge(other).To("merged", new CollectingSink<Payment>())));
    }

    private static IEnumerable<string> Stages(JobPlan plan) => plan.Stages.Select(static stage => $"{stage.Name}: {string.Join(", ", stage.Nodes.Select(static node => node.Name))}");

    private static SubtaskContext Open(JobPlan plan, SubtaskId id) => Wiring.Context(id, plan.Parallelism, plan.MaxParallelism, plan.Stages[id.Stage].Name, []);
}
