using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Tests.Stages;

namespace OrleansStream.Tests.Checkpoints;

public sealed class CheckpointProtocolTests
{
    private const int IntervalMs = 1000;
    private const int TimeoutMs = 5000;

    private static readonly Dictionary<string, IReadOnlyList<SourceSplit>> Inputs = new() { ["left"] = [new SourceSplit("0-of-1", "0")], ["right"] = [new SourceSplit("0-of-1", "0")] };
    private static readonly SubtaskId Left = new(0, 0);
    private static readonly SubtaskId Right = new(1, 0);
    private static readonly SubtaskId Count = new(2, 0);

    private readonly JobPlan _plan = MakePlan();
    private readonly CheckpointProtocol _protocol;

    public CheckpointProtocolTests() => _protocol = Make(Attempt.First, null);

    [Fact]
    public void The_first_checkpoint_comes_after_the_interval_is_full_and_goes_to_the_sources()
    {
        Assert.False(_protocol.TryBegin(IntervalMs - 1, out _, out _));
        Assert.True(_protocol.TryBegin(IntervalMs, out var barrier, out var targets));

        Assert.Equal(Wiring.Barrier(1, full: true), barrier);
        Assert.Equal([Left, Right], targets.Order(Comparer<SubtaskId>.Create(static (a, b) => a.Stage - b.Stage)));
        Assert.Equal(CheckpointPhase.Collecting, _protocol.Phase);
    }

    [Fact]
    public void One_checkpoint_is_in_flight_at_a_time()
    {
        Begin(IntervalMs);
        _protocol.Ask();

        Assert.False(_protocol.TryBegin(IntervalMs * 3, out _, out _));
    }

    [Fact]
    public void A_checkpoint_that_is_asked_for_comes_at_once_and_once()
    {
        _protocol.Ask();
        Assert.True(_protocol.TryBegin(1, out _, out _));
        Publish();
        _protocol.OnCommitted();

        Assert.False(_protocol.TryBegin(2, out _, out _));
    }

    [Fact]
    public void The_manifest_is_made_when_every_subtask_has_given_its_receipt()
    {
        Begin(IntervalMs);
        Assert.False(_protocol.OnReceipt(Receipt(Left)));
        Assert.False(_protocol.OnReceipt(Receipt(Left)));
        Assert.False(_protocol.OnReceipt(Receipt(Right)));
        Assert.Throws<InvariantException>(() => _protocol.MakeManifest());
        Assert.True(_protocol.OnReceipt(Receipt(Count)));

        var manifest = _protocol.MakeManifest();
        Assert.Equal((Wiring.Checkpoint(1), Wiring.Checkpoint(1), false, _plan.Fingerprint), (manifest.Id, manifest.Generation, manifest.Final, manifest.Fingerprint));
        Assert.Equal(["left", "right", "count"], manifest.Stages.Select(static stage => stage.Name));
        Assert.Equal(3, manifest.Segments().Count());
    }

    [Fact]
    public void A_receipt_from_an_older_attempt_is_ignored()
    {
        var protocol = Make(new Attempt(2), null);
        protocol.TryBegin(IntervalMs, out _, out _);
        foreach (var subtask in new[] { Left, Right, Count }) Assert.False(protocol.OnReceipt(Receipt(subtask, Wiring.Checkpoint(1))));

        Assert.Equal(CheckpointPhase.Collecting, protocol.Phase);
    }

    [Fact]
    public void A_receipt_of_another_opening_is_ignored()
    {
        Begin(IntervalMs);
        _protocol.OnReceipt(Receipt(Left));
        _protocol.OnReceipt(Receipt(Right));

        Assert.False(_protocol.OnReceipt(Receipt(Count) with { Incarnation = new Incarnation(99) }));
        Assert.False(_protocol.OnReceipt(Receipt(new SubtaskId(2, 1))));
        Assert.True(_protocol.OnReceipt(Receipt(Count)));
    }

    [Fact]
    public void A_receipt_of_a_checkpoint_that_was_given_up_does_not_count_for_the_next()
    {
        Begin(IntervalMs);
        _protocol.OnReceipt(Receipt(Left));
        Assert.False(_protocol.TryGiveUp(IntervalMs + TimeoutMs - 1));
        Assert.True(_protocol.TryGiveUp(IntervalMs + TimeoutMs));
        Assert.Equal([Right, Count], _protocol.Missing);
        Assert.False(_protocol.OnReceipt(Receipt(Right)));
        Begin(IntervalMs + TimeoutMs);

        Assert.Equal(Wiring.Checkpoint(2), _protocol.Current);
        Assert.False(_protocol.OnReceipt(Receipt(Right, Wiring.Checkpoint(1))));
        Assert.False(_protocol.OnReceipt(Receipt(Right)));
        Assert.False(_protocol.OnReceipt(Receipt(Count)));
        Assert.True(_protocol.OnReceipt(Receipt(Left)));
    }

    [Fact]
    public void Give_ups_in_a_row_are_counted_until_a_publication()
    {
        var now = 0L;
        for (var times = 1; times <= 3; times++)
        {
            Begin(now += IntervalMs);
            Assert.True(_protocol.TryGiveUp(now += TimeoutMs));
            Assert.Equal(times, _protocol.GivenUp);
        }

        Begin(now + IntervalMs);
        Publish();

        Assert.Equal(0, _protocol.GivenUp);
    }

    [Fact]
    public void A_checkpoint_with_all_receipts_is_not_given_up()
    {
        Begin(IntervalMs);
        foreach (var subtask in new[] { Left, Right, Count }) _protocol.OnReceipt(Receipt(subtask));

        Assert.False(_protocol.TryGiveUp(long.MaxValue - 1));
    }

    [Fact]
    public void A_subtask_whose_input_has_ended_is_told_of_checkpoints_and_at_once_of_the_one_in_flight()
    {
        Begin(IntervalMs);
        Assert.True(_protocol.OnEnded(Count));
        Assert.False(_protocol.OnEnded(Count));
        _protocol.OnReceipt(Receipt(Left));
        Assert.False(_protocol.OnEnded(Left));
        _protocol.TryGiveUp(IntervalMs + TimeoutMs);
        Assert.False(_protocol.OnEnded(Right));

        Begin(IntervalMs + TimeoutMs, out var targets);
        Assert.Equal(3, targets.Count);
    }

    [Fact]
    public void When_all_have_ended_a_final_checkpoint_follows_at_once()
    {
        Begin(IntervalMs);
        Publish();
        _protocol.OnCommitted();
        foreach (var subtask in new[] { Left, Right, Count }) _protocol.OnEnded(subtask);
        Assert.True(_protocol.AllEnded);
        Begin(IntervalMs);

        Assert.True(Publish().Final);
    }

    [Fact]
    public void A_checkpoint_that_began_before_all_had_ended_is_not_final()
    {
        Begin(IntervalMs);
        foreach (var subtask in new[] { Left, Right, Count }) _protocol.OnEnded(subtask);

        Assert.False(Publish().Final);
    }

    [Fact]
    public void A_delta_is_appended_to_the_chain_of_the_published_checkpoint()
    {
        Begin(IntervalMs);
        Publish();
        _protocol.OnCommitted();
        Assert.False(Begin(IntervalMs * 2).Full);

        var manifest = Publish(Wiring.Checkpoint(1));

        Assert.Equal(Wiring.Checkpoint(1), manifest.Generation);
        Assert.All(manifest.Stages.SelectMany(static stage => stage.Subtasks), static subtask =>
            Assert.Equal([Wiring.Checkpoint(1), Wiring.Checkpoint(2)], subtask.Segments.Select(static segment => segment.Checkpoint)));
    }

    [Fact]
    public void A_delta_on_anything_but_the_published_checkpoint_breaks_an_invariant()
    {
        Begin(IntervalMs);
        Publish();
        _protocol.OnCommitted();
        Begin(IntervalMs * 2);
        _protocol.TryGiveUp(IntervalMs * 2 + TimeoutMs);
        Begin(IntervalMs * 3 + TimeoutMs);

        Assert.Throws<InvariantException>(() => _protocol.OnReceipt(Receipt(Left, builtOn: Wiring.Checkpoint(2))));
    }

    [Fact]
    public void Snapshots_are_full_again_when_the_chain_is_long()
    {
        var fulls = new List<bool>();
        for (var number = 1L; number <= 6; number++)
        {
            var barrier = Begin(IntervalMs * number);
            fulls.Add(barrier.Full);
            Publish(barrier.Full ? null : Wiring.Checkpoint(number - 1), bytes: barrier.Full ? 10_000 : 1);
            _protocol.OnCommitted();
        }

        Assert.Equal([true, false, false, false, true, false], fulls);
    }

    [Fact]
    public void Snapshots_are_full_again_when_the_deltas_are_large()
    {
        Begin(IntervalMs);
        Publish(bytes: 1000);
        _protocol.OnCommitted();
        Assert.False(Begin(IntervalMs * 2).Full);
        Publish(Wiring.Checkpoint(1), bytes: 1001);
        _protocol.OnCommitted();

        Assert.True(Begin(IntervalMs * 3).Full);
    }

    [Theory]
    [InlineData(10, false)]
    [InlineData(600, true)]
    public void A_checkpoint_that_is_read_next_is_full_unless_the_deltas_with_its_own_are_small(long deltaBytes, bool full)
    {
        Begin(IntervalMs);
        Publish(bytes: 1000);
        _protocol.OnCommitted();
        Begin(IntervalMs * 2);
        Publish(Wiring.Checkpoint(1), bytes: deltaBytes);
        _protocol.OnCommitted();
        _protocol.Ask(PlannedMove.Rescale(4));

        Assert.Equal(full, Begin(IntervalMs * 3).Full);
        Assert.True(_protocol.IsReadNext);
    }

    [Fact]
    public void A_chain_that_silos_read_ahead_goes_on_with_deltas_up_to_some_times_its_length()
    {
        Begin(IntervalMs);
        Publish(bytes: 1000);
        _protocol.OnCommitted();
        Begin(IntervalMs * 2);
        Publish(Wiring.Checkpoint(1), bytes: 3000);
        _protocol.OnCommitted();
        _protocol.KeepChain();
        Assert.False(Begin(IntervalMs * 3).Full);
        Publish(Wiring.Checkpoint(2), bytes: 10);
        _protocol.OnCommitted();
        _protocol.Ask(PlannedMove.Rescale(4) with { IsReadAhead = true });

        Assert.Equal((false, false), Begin(IntervalMs * 4) is var barrier ? (barrier.Full, barrier.Holds) : default);
        Assert.True(_protocol.IsReadNext);
        Publish(Wiring.Checkpoint(3), bytes: 2000);
        _protocol.OnCommitted();
        Assert.True(Begin(IntervalMs * 5).Full);
    }

    [Fact]
    public void A_chain_that_was_kept_for_silos_that_did_not_come_to_read_it_is_not_kept_for_the_move()
    {
        Begin(IntervalMs);
        Publish(bytes: 1000);
        _protocol.OnCommitted();
        _protocol.KeepChain();
        Begin(IntervalMs * 2);
        Publish(Wiring.Checkpoint(1), bytes: 5000);
        _protocol.OnCommitted();
        _protocol.Ask(PlannedMove.Rescale(4));

        Assert.True(Begin(IntervalMs * 3).Full);
    }

    [Fact]
    public void A_checkpoint_behind_which_tables_are_kept_holds_who_takes_it_and_is_a_delta_for_all_its_length()
    {
        Begin(IntervalMs);
        Publish(bytes: 1000);
        _protocol.OnCommitted();
        Assert.False(Begin(IntervalMs * 2).Holds);
        Publish(Wiring.Checkpoint(1), bytes: 600);
        _protocol.OnCommitted();
        _protocol.Ask(PlannedMove.Leave("silo-2"));

        Assert.Equal((false, true), Begin(IntervalMs * 3) is var barrier ? (barrier.Full, barrier.Holds) : default);
        Assert.True(_protocol.IsReadNext);
    }

    [Fact]
    public void A_checkpoint_that_is_read_next_is_full_while_no_delta_has_shown_how_large_they_are()
    {
        Begin(IntervalMs);
        Publish(bytes: 1000);
        _protocol.OnCommitted();
        _protocol.Ask(PlannedMove.Rescale(4));

        Assert.True(Begin(IntervalMs * 2).Full);
    }

    [Fact]
    public void A_checkpoint_that_had_begun_before_is_not_the_one_that_is_read_next_and_one_that_follows_a_given_up_one_is()
    {
        Begin(IntervalMs);
        _protocol.Ask(PlannedMove.Rescale(4));
        Assert.False(_protocol.IsReadNext);
        Publish();
        _protocol.OnCommitted();
        Begin(IntervalMs);
        Assert.True(_protocol.IsReadNext);
        _protocol.TryGiveUp(IntervalMs + TimeoutMs);

        Begin(IntervalMs * 3 + TimeoutMs);
        Assert.True(_protocol.IsReadNext);
    }

    [Fact]
    public void All_pending_output_of_all_receipts_is_in_the_manifest_and_counted_over_attempts()
    {
        Begin(IntervalMs);
        var given = Publish(pending: ["a", "b"]);
        Assert.Equal(["a", "b"], given.Sinks["results"].Pending.Select(static output => output.Handle));
        Assert.Equal(2, given.Sinks["results"].OutputCount);

        var next = Make(new Attempt(2), given);
        next.TryBegin(IntervalMs, out _, out _);
        Assert.Equal(5, Publish(next, Wiring.Checkpoint(1), 1, "c", "d", "e").Sinks["results"].OutputCount);
    }

    [Fact]
    public void A_publication_of_anything_but_the_checkpoint_in_hand_breaks_an_invariant()
    {
        Begin(IntervalMs);
        var manifest = Publish();
        _protocol.OnCommitted();

        Assert.Throws<InvariantException>(() => _protocol.OnPublished(manifest));
    }

    private OrleansStream.Exchange.Barrier Begin(long now) => Begin(now, out _);

    private OrleansStream.Exchange.Barrier Begin(long now, out IReadOnlyList<SubtaskId> targets)
    {
        if (now < _protocol.NextAt) now = _protocol.NextAt;
        Assert.True(_protocol.TryBegin(now, out var barrier, out targets));
        return barrier;
    }

    private Manifest Publish(CheckpointId? builtOn = null, long bytes = 100, params string[] pending) => Publish(_protocol, builtOn, bytes, pending);

    private static Manifest Publish(CheckpointProtocol protocol, CheckpointId? builtOn, long bytes, params string[] pending)
    {
        foreach (var subtask in new[] { Left, Right }) protocol.OnReceipt(Receipt(subtask, protocol.Current, builtOn, bytes));
        var last = Receipt(Count, protocol.Current, builtOn, bytes) with
        {
            Sinks = [new SinkReceipt("results", [.. pending.Select(handle => new PendingOutput(0, protocol.Current, handle))], pending.Length)],
        };
        Assert.True(protocol.OnReceipt(last));
        var manifest = protocol.MakeManifest();
        protocol.OnPublished(manifest);
        return manifest;
    }

    private Receipt Receipt(SubtaskId subtask) => Receipt(subtask, _protocol.Current);

    private Receipt Receipt(SubtaskId subtask, CheckpointId? checkpoint = null, CheckpointId? builtOn = null) => Receipt(subtask, checkpoint ?? _protocol.Current, builtOn, 100);

    private static Receipt Receipt(SubtaskId subtask, CheckpointId checkpoint, CheckpointId? builtOn, long bytes) => new(
        subtask, Opening(subtask), checkpoint, new KeyGroupRange(0, 128), builtOn, new SegmentRef($"{checkpoint}/{subtask}", bytes, "00", checkpoint), [], 0);

    private static Incarnation Opening(SubtaskId subtask) => new(100 + subtask.Stage);

    private CheckpointProtocol Make(Attempt attempt, Manifest? restored) => new(
        attempt,
        _plan,
        new SubtaskTable(_plan.Subtasks.ToDictionary(static subtask => subtask, static subtask => new SubtaskAddress("silo", Opening(subtask)))),
        new CheckpointRules { Interval = TimeSpan.FromMilliseconds(IntervalMs), Timeout = TimeSpan.FromMilliseconds(TimeoutMs), LongestChain = 3 },
        Inputs,
        restored,
        now: 0);

    private static JobPlan MakePlan()
    {
        var graph = new JobGraph(Wiring.Context().Services);
        CountingJob.Define(graph, new RecordingSink<string>());
        return JobPlan.Create("payments", graph, 1, 128);
    }
}
