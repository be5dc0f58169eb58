using Microsoft.Extensions.Time.Testing;
using OrleansStream.Checkpoints;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Tests.State;

namespace OrleansStream.Tests.Stages;

/// <summary>Subtasks that wait behind a barrier for the attempt's end, and the tables that the next attempt gets of them.</summary>
public sealed class HeldSubtaskTests
{
    private readonly RecordingSink<string> _sink = new();

    [Fact]
    public async Task Nothing_is_done_behind_a_barrier_that_holds_until_the_patience_is_over()
    {
        var subtask = await OpenAsync();
        Assert.Equal(Wiring.Checkpoint(1), Hold(subtask, "a").Taken!.Barrier.Checkpoint);
        Assert.Equal(Wiring.Checkpoint(1), subtask.Subtask.HeldAt);
        subtask.Send(0, CountingJob.Batch("b"));
        Assert.Equal(StepKind.Held, subtask.Step().Kind);
        Assert.Equal(StepKind.Held, subtask.Step(Subtask.HoldMs - 1).Kind);
        Assert.Equal(1, subtask.Subtask.NextTime(new Clock(0, Subtask.HoldMs - 1), noRoom: false));
        Assert.Equal(1, subtask.Context.Counters.RecordsIn);

        Assert.NotEqual(StepKind.Held, subtask.Step(1).Kind);
        Assert.Null(subtask.Subtask.HeldAt);
        subtask.Run();
        Assert.Equal(2, subtask.Context.Counters.RecordsIn);
    }

    [Fact]
    public async Task A_barrier_that_does_not_hold_leaves_nothing_to_keep()
    {
        var subtask = await OpenAsync();
        for (var channel = 0; channel < 2; channel++) subtask.Send(channel, barrier: Wiring.Barrier(1));
        Assert.Equal(StepKind.Snapshot, subtask.Run().Kind);
        Assert.Null(subtask.Subtask.HeldAt);
        Assert.Equal(StepKind.Dry, subtask.Run().Kind);
    }

    [Fact]
    public void Tables_are_given_away_once_and_for_the_very_segment_and_key_groups_only()
    {
        var kept = new KeptTables(TimeProvider.System);
        var segment = new SegmentRef("one", 10, "c0ffee", Wiring.Checkpoint(1));
        var state = Keep(kept, segment);

        Assert.Null(kept.Take(new KeyGroupRange(0, 64), [new SegmentChain(0, new KeyGroupRange(0, 128), [segment])]));
        Assert.Null(kept.Take(new KeyGroupRange(0, 128), [new SegmentChain(0, new KeyGroupRange(0, 128), [segment, segment with { Name = "later" }])]));
        Assert.Null(kept.Take(new KeyGroupRange(0, 128), [new SegmentChain(0, new KeyGroupRange(0, 128), [segment with { Checksum = "decade" }])]));
        SegmentChain[] chains = [new SegmentChain(0, new KeyGroupRange(0, 128), [segment with { Name = "base" }, segment])];
        Assert.Same(state, kept.Take(new KeyGroupRange(0, 128), chains));
        Assert.Null(kept.Take(new KeyGroupRange(0, 128), chains));
        Assert.Equal(1, kept.Taken);
    }

    [Fact]
    public void What_the_next_attempt_did_not_ask_for_is_let_go_of()
    {
        var time = new FakeTimeProvider();
        var kept = new KeptTables(time);
        var segment = new SegmentRef("one", 10, "c0ffee", Wiring.Checkpoint(1));
        SegmentChain[] chains = [new SegmentChain(0, new KeyGroupRange(0, 128), [segment])];

        Keep(kept, segment);
        kept.LetGo("refunds", Wiring.Checkpoint(1).Attempt.Next);
        kept.LetGo("payments", Wiring.Checkpoint(1).Attempt);
        Assert.NotNull(kept.Take(new KeyGroupRange(0, 128), chains));

        Keep(kept, segment);
        kept.LetGo("payments", Wiring.Checkpoint(1).Attempt.Next);
        Assert.Null(kept.Take(new KeyGroupRange(0, 128), chains));

        Keep(kept, segment);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(kept.Take(new KeyGroupRange(0, 128), chains));
    }

    private static SubtaskState Keep(KeptTables kept, SegmentRef segment)
    {
        var state = new SubtaskState(new KeyGroupRange(0, 128), 128, StateSetup.Serializers);
        kept.Keep("payments", segment, state);
        return state;
    }

    private static StepResult Hold(LoneSubtask subtask, string command)
    {
        subtask.Send(0, CountingJob.Batch(command));
        for (var channel = 0; channel < 2; channel++) subtask.Send(channel, barrier: Wiring.Barrier(1) with { Holds = true });
        return subtask.Run();
    }

    private Task<LoneSubtask> OpenAsync() => LoneSubtask.OpenAsync(graph => CountingJob.Define(graph, _sink), "count");
}
