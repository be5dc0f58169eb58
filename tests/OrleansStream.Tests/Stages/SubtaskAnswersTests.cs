using OrleansStream.Exchange;
using OrleansStream.Functions;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.Tests.Functions;

namespace OrleansStream.Tests.Stages;

/// <summary>What a subtask does when an operator of its chain waits for the world outside.</summary>
public sealed class SubtaskAnswersTests
{
    private readonly Desk _desk = new();
    private readonly RecordingSink<string> _sink = new();

    [Fact]
    public async Task A_full_operator_takes_no_input_and_is_woken_by_answers_and_time_and_not_by_credit()
    {
        var lone = await OpenAsync(new AsyncOptions { Capacity = 1, Timeout = TimeSpan.FromMilliseconds(50) });
        lone.Send(0, Wiring.Batch(("a", 1L)));
        lone.Send(0, Wiring.Batch(("b", 2L)));

        Assert.Equal(StepKind.NoRoom, lone.Run().Kind);
        Assert.Equal(["a"], _desk.Asked);
        Assert.Equal(1, lone.Subtask.Inputs[0].Queued);
        Assert.False(lone.Subtask.IsBackPressured);
        Assert.False(lone.Context.HasRoom);
        Assert.True(lone.Context.HasChannelRoom);
        Assert.Equal(1_000_050, lone.Subtask.NextTime(lone.Context.Now, noRoom: true));
        var isWoken = false;
        lone.Context.Wake = () => isWoken = true;
        _desk.Answer("a");
        Assert.True(isWoken);
        lone.Run();
        Assert.Equal(["a", "b"], _desk.Asked);
    }

    [Fact]
    public async Task An_answer_that_was_there_in_time_counts_even_when_the_subtask_comes_to_it_later()
    {
        var lone = await OpenAsync(new AsyncOptions { Timeout = TimeSpan.FromMilliseconds(50) });
        lone.Send(0, Wiring.Batch(("a", 1L)));
        lone.Run();
        _desk.Answer("a");
        lone.Step(advance: 60);
        lone.Run();
        lone.Subtask.FlushAll();

        Assert.Equal("A", Assert.IsType<Batch<string>>(lone.Subtask.Outputs[0].TakeAll().Single(static envelope => envelope.Batch is not null).Batch).Values[0]);
    }

    [Fact]
    public async Task A_barrier_passes_a_full_operator_when_the_records_before_it_are_taken_and_not_before()
    {
        var lone = await OpenAsync(new AsyncOptions { Capacity = 1 });
        lone.Send(0, Wiring.Batch(("a", 1L)));
        lone.Send(0, watermark: 5, barrier: Wiring.Barrier(1));
        Assert.Equal(StepKind.Snapshot, lone.Run().Kind);
        lone.Subtask.Outputs[0].TakeAll();
        lone.Send(0, Wiring.Batch(("b", 6L)), barrier: Wiring.Barrier(2));
        Assert.Equal(StepKind.NoRoom, lone.Run().Kind);
        _desk.Answer("a");

        Assert.Equal(StepKind.Snapshot, lone.Run().Kind);
        Assert.Equal(["a", "b"], _desk.Asked);
    }

    [Fact]
    public async Task A_full_operator_without_room_below_is_back_pressured()
    {
        var lone = await OpenAsync(new AsyncOptions { Capacity = 1 });
        lone.Send(0, Wiring.Batch(("a", 1L)));
        lone.Run();
        while (lone.Subtask.Outputs[0].HasRoom) lone.Subtask.Outputs[0].Enqueue(null);
        _desk.Answer("a");

        Assert.Equal(StepKind.NoRoom, lone.Run().Kind);
        Assert.True(lone.Subtask.IsBackPressured);
        var sent = lone.Subtask.Outputs[0].TakeAll().Count;
        lone.Subtask.Outputs[0].Credit(sent);
        Assert.True(lone.Context.HasChannelRoom);
        lone.Run();
        lone.Subtask.FlushAll();
        Assert.Equal("A", Assert.IsType<Batch<string>>(lone.Subtask.Outputs[0].TakeAll().Single(static envelope => envelope.Batch is not null).Batch).Values[0]);
    }

    [Fact]
    public async Task An_operator_that_is_full_leaves_those_above_it_waiting_and_what_they_were_answered_in_order()
    {
        var lower = new Desk();
        var lone = await LoneSubtask.OpenAsync(
            graph => graph.From("numbers", Collections.From<string>([])).Rebalance()
                .SelectAsync("ask", _desk.AskAsync, new AsyncOptions { Capacity = 2 }).SelectAsync("ask-again", lower.AskAsync, new AsyncOptions { Capacity = 1 }).To("results", _sink),
            "ask");
        lone.Send(0, Wiring.Batch(("a", 1L), ("b", 2L), ("c", 3L), ("d", 4L)));
        lone.Run();
        _desk.Answer("a");
        lone.Run();
        Assert.Equal(["A"], lower.Asked);
        _desk.Answer("b");
        lone.Run();
        // Those above wait: d is not asked for while the answer of b has no room below.
        Assert.Equal(["a", "b", "c"], _desk.Asked);
        Assert.Equal(["A"], lower.Asked);
        lower.Answer("A");
        lone.Run();
        Assert.Equal(["A", "B"], lower.Asked);
        Assert.Equal(["a", "b", "c", "d"], _desk.Asked);
    }

    private Task<LoneSubtask> OpenAsync(AsyncOptions options) => LoneSubtask.OpenAsync(
        graph => graph.From("numbers", Collections.From<string>([])).Rebalance().SelectAsync("ask", _desk.AskAsync, options).Rebalance().To("results", _sink), "ask");
}
