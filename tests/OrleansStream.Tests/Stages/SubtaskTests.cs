using OrleansStream.Exchange;
using OrleansStream.Jobs;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.Tests.State;
using OrleansStream.Time;

namespace OrleansStream.Tests.Stages;

public sealed class SubtaskTests
{
    private readonly RecordingSink<string> _sink = new();

    [Fact]
    public async Task A_snapshot_holds_every_record_before_the_barrier_and_none_after_it()
    {
        var store = new SegmentStore();
        var subtask = await OpenAsync();
        subtask.Send(0, CountingJob.Batch("a", "a"));
        subtask.Send(0, barrier: Wiring.Barrier(1));
        subtask.Send(0, CountingJob.Batch("a", "b"));
        subtask.Send(1, CountingJob.Batch("b"));
        Assert.Equal(StepKind.Dry, subtask.Run().Kind);
        Assert.Equal((3L, 1), (subtask.Context.Counters.RecordsIn, subtask.Subtask.Inputs[0].Queued));
        subtask.Send(1, CountingJob.Batch("b"));
        subtask.Send(1, barrier: Wiring.Barrier(1));

        var chains = Save(store, subtask.Run());
        subtask.Send(0, CountingJob.Batch("a?", "b?"));
        subtask.Run();
        var restored = await OpenAsync(store, chains);
        restored.Send(1, CountingJob.Batch("a?", "b?"));
        restored.Run();

        Assert.Equal([$"cut 1-1", $"a=3 at {long.MinValue}", $"b=3 at {long.MinValue}", $"a=2 at {long.MinValue}", $"b=2 at {long.MinValue}"], _sink.Written);
    }

    [Fact]
    public async Task A_barrier_behind_records_of_one_envelope_comes_after_them()
    {
        var subtask = await OpenAsync();
        subtask.Send(0, CountingJob.Batch("a?"), barrier: Wiring.Barrier(1));
        subtask.Send(1, CountingJob.Batch("b?"), barrier: Wiring.Barrier(1));
        subtask.Send(1, CountingJob.Batch("c?"));

        Assert.Equal(StepKind.Snapshot, subtask.Run().Kind);
        Assert.Equal(["a=0", "b=0", "cut 1-1"], _sink.Written.Select(static line => line.Split(" at")[0]));
    }

    [Fact]
    public async Task An_ended_channel_does_not_hold_a_checkpoint_back()
    {
        var subtask = await OpenAsync();
        subtask.Send(0, barrier: Wiring.Barrier(1));
        Assert.Equal(StepKind.Dry, subtask.Run().Kind);
        subtask.Send(1, end: true);

        Assert.Equal(Wiring.Barrier(1), subtask.Run().Taken!.Barrier);
    }

    [Fact]
    public async Task A_newer_barrier_lets_the_channels_of_the_older_one_go_on()
    {
        var subtask = await OpenAsync();
        subtask.Send(0, barrier: Wiring.Barrier(1));
        subtask.Send(0, CountingJob.Batch("a"));
        subtask.Send(0, barrier: Wiring.Barrier(2));
        Assert.Equal(StepKind.Dry, subtask.Run().Kind);
        subtask.Send(1, barrier: Wiring.Barrier(2));

        Assert.Equal(Wiring.Barrier(2), subtask.Run().Taken!.Barrier);
        Assert.Equal(1, subtask.Context.Counters.RecordsIn);
    }

    [Fact]
    public async Task The_watermark_is_in_the_snapshot()
    {
        var store = new SegmentStore();
        var subtask = await OpenAsync();
        subtask.Send(0, watermark: 700, barrier: Wiring.Barrier(1));
        subtask.Send(1, watermark: 500, barrier: Wiring.Barrier(1));
        var chains = Save(store, subtask.Run());

        var restored = await OpenAsync(store, chains);
        Assert.Equal(500, restored.Subtask.Watermark);
        restored.Send(0, CountingJob.Batch("a?"), watermark: 600);
        restored.Send(1, CountingJob.Batch("a?"), watermark: 400);
        restored.Run();

        Assert.Equal(["cut 1-1", "a=0 at 500", "a=0 at 500"], _sink.Written);
    }

    [Fact]
    public async Task A_watermark_is_taken_behind_the_records_of_its_envelope()
    {
        var subtask = await OpenAsync();
        subtask.Send(1, watermark: 900);
        subtask.Run();
        subtask.Send(0, CountingJob.Batch("a?"), watermark: 100);
        subtask.Send(0, CountingJob.Batch("a?"));
        subtask.Run();

        Assert.Equal([$"a=0 at {long.MinValue}", "a=0 at 100"], _sink.Written);
    }

    [Fact]
    public async Task The_end_comes_when_all_channels_have_ended_and_checkpoints_are_answered_after_it()
    {
        var subtask = await OpenAsync();
        subtask.Send(0, CountingJob.Batch("a?"), end: true);
        Assert.Equal(StepKind.Dry, subtask.Run().Kind);
        Assert.False(subtask.Subtask.HasEnded);
        subtask.Send(1, end: true);

        Assert.Equal(StepKind.Ended, subtask.Run().Kind);
        Assert.Equal((true, EventTime.End), (subtask.Subtask.HasEnded, subtask.Subtask.Watermark));
        subtask.Subtask.Trigger(Wiring.Barrier(1));
        Assert.Equal(Wiring.Barrier(1), subtask.Run().Taken!.Barrier);
        Assert.Equal(StepKind.Dry, subtask.Run().Kind);
    }

    [Fact]
    public async Task A_repeated_trigger_does_not_hide_the_one_behind_it()
    {
        var subtask = await OpenAsync();
        subtask.Send(0, end: true);
        subtask.Send(1, end: true);
        subtask.Run();
        subtask.Subtask.Trigger(Wiring.Barrier(1));
        Assert.Equal(StepKind.Snapshot, subtask.Run().Kind);
        subtask.Subtask.Trigger(Wiring.Barrier(1));
        subtask.Subtask.Trigger(Wiring.Barrier(2));

        Assert.Equal(Wiring.Barrier(2), subtask.Run().Taken!.Barrier);
    }

    [Fact]
    public async Task A_trigger_that_comes_before_the_end_of_all_input_is_left_to_the_channels()
    {
        var subtask = await OpenAsync();
        subtask.Send(0, end: true);
        subtask.Run();
        subtask.Subtask.Trigger(Wiring.Barrier(1));
        Assert.Equal(StepKind.Dry, subtask.Run().Kind);
        subtask.Send(1, barrier: Wiring.Barrier(1));

        Assert.Equal(Wiring.Barrier(1), subtask.Run().Taken!.Barrier);
    }

    [Theory]
    [InlineData("attempt")]
    [InlineData("receiver")]
    [InlineData("sender")]
    [InlineData("place")]
    [InlineData("channel")]
    public async Task What_comes_from_outside_the_table_is_refused_and_not_processed(string wrong)
    {
        var subtask = await OpenAsync();
        var right = subtask.Made(0, 1, CountingJob.Batch("a"));
        var envelope = new Envelope
        {
            Attempt = wrong == "attempt" ? new Attempt(2) : right.Attempt,
            From = wrong == "place" ? new SubtaskId(9, 9) : right.From,
            FromIncarnation = wrong == "sender" ? new Incarnation(99) : right.FromIncarnation,
            ToIncarnation = wrong == "receiver" ? new Incarnation(99) : right.ToIncarnation,
            Channel = wrong == "channel" ? 2 : 0,
            Sequence = 1,
            Batch = right.Batch,
        };

        Assert.NotNull(subtask.Subtask.Accept(envelope, out _));
        Assert.Equal(StepKind.Dry, subtask.Run().Kind);
        Assert.Equal(0, subtask.Context.Counters.RecordsIn);
    }

    [Fact]
    public async Task A_source_takes_its_checkpoint_between_two_batches_and_the_barrier_leaves_behind_what_was_read()
    {
        var store = new SegmentStore();
        var source = await OpenSourceAsync(2500);
        Assert.Equal(StepKind.More, source.Step().Kind);
        source.Subtask.Trigger(Wiring.Barrier(1));
        var chains = Save(store, source.Step());
        var sent = Sent(source);
        source.Run();

        Assert.Equal(Wiring.Barrier(1), sent[^1].Barrier);
        Assert.Equal(Enumerable.Range(0, 1024), Records(sent));
        var restored = await OpenSourceAsync(2500, store, chains);
        Assert.Equal(Enumerable.Range(1024, 2500 - 1024), Records(SentToTheEnd(restored)));
    }

    [Fact]
    public async Task A_source_that_has_ended_answers_a_checkpoint_and_ends_again_after_a_restart()
    {
        var store = new SegmentStore();
        var source = await OpenSourceAsync(10);
        Assert.Equal(StepKind.Ended, source.Run().Kind);
        var sent = Sent(source);
        Assert.True(sent[^1].End);
        Assert.Equal(EventTime.End, sent.Max(static envelope => envelope.Watermark));
        source.Subtask.Trigger(Wiring.Barrier(1));
        var chains = Save(store, source.Run());
        Assert.Empty(Sent(source));

        var restored = await OpenSourceAsync(10, store, chains);
        Assert.Equal(StepKind.Ended, restored.Run().Kind);
        Assert.Empty(Records(Sent(restored)));
    }

    [Fact]
    public async Task Without_room_a_source_reads_nothing_but_takes_checkpoints()
    {
        var source = await OpenSourceAsync(1_000_000);
        Assert.Equal(StepKind.NoRoom, source.Run().Kind);
        Assert.True(source.Subtask.IsBackPressured);
        var read = source.Context.Counters.RecordsIn;
        Assert.Equal(StepKind.NoRoom, source.Run().Kind);
        Assert.Equal(read, source.Context.Counters.RecordsIn);
        source.Subtask.Trigger(Wiring.Barrier(1));
        Assert.Equal(StepKind.Snapshot, source.Run().Kind);

        foreach (var output in source.Subtask.Outputs)
        {
            while (output.TakeAll() is { Count: > 0 } sent) output.Credit(sent[^1].Sequence);
        }

        Assert.Equal(StepKind.More, source.Step().Kind);
        Assert.True(source.Context.Counters.RecordsIn > read);
    }

    [Fact]
    public async Task A_source_says_that_it_has_more_until_it_has_not()
    {
        var source = await OpenSourceAsync(1_000_000);
        Assert.Equal(StepKind.NoRoom, source.Run().Kind);
        Assert.NotEmpty(Sent(source));
        Assert.Equal(StepKind.NoRoom, source.Run().Kind);
        var later = Sent(source);
        Assert.NotEmpty(later);
        Assert.All(later, static envelope => Assert.True(envelope.More));

        var waiting = await LoneSubtask.OpenAsync(
            graph => graph.From("numbers", Generator.Of(static n => (int)n), recordsPerSecond: 1).Rebalance().Select(static n => $"{n}").To("results", _sink), "numbers");
        Assert.Equal(StepKind.More, waiting.Step().Kind);
        Assert.Equal(StepKind.Dry, waiting.Step().Kind);
        waiting.Subtask.FlushAll();
        Assert.False(Assert.Single(Sent(waiting)).More);
    }

    [Fact]
    public async Task A_batch_that_is_not_full_leaves_after_a_few_milliseconds()
    {
        var source = await OpenSourceAsync(5000);
        Assert.Equal(StepKind.More, source.Step().Kind);
        Assert.Equal([BatchSize.Small], Sent(source).Select(static envelope => envelope.Batch!.Count));
        source.Step();
        Assert.Empty(Sent(source));
        source.Step(advance: Subtask.FlushAfterMs);

        Assert.NotEmpty(Sent(source));
        for (var more = 0; more < 3; more++) source.Step();
        Assert.Equal(2 * Subtask.FlushAfterMs, source.Subtask.NextTime(new Clock(0, 0), noRoom: true));
    }

    [Fact]
    public async Task Little_waits_for_more_where_something_was_sent_a_moment_ago_and_what_comes_alone_or_is_much_does_not()
    {
        var trickle = await OpenAsync(recordsPerSecond: 500);
        Assert.Equal(1, SentAfter(trickle, 0));
        Assert.Equal(0, SentAfter(trickle, 2));
        Assert.Equal(0, SentAfter(trickle, 2));
        Assert.Equal(Subtask.FlushAfterMs, trickle.Subtask.NextTime(new Clock(4, 4), noRoom: false));
        Assert.Equal(2, SentAfter(trickle, 1));
        Assert.Equal(3, SentAfter(trickle, Subtask.FlushAfterMs));

        var stream = await OpenAsync(recordsPerSecond: 200 * 1000);
        Assert.Equal(1, SentAfter(stream, 0));
        Assert.Equal(BatchSize.Small, SentAfter(stream, 1));
        Assert.Equal(400 - BatchSize.Small, SentAfter(stream, 1));

        Task<LoneSubtask> OpenAsync(double recordsPerSecond) => LoneSubtask.OpenAsync(
            graph => graph.From("numbers", Generator.Of(static n => (int)n), recordsPerSecond: recordsPerSecond).Rebalance().Select(static n => $"{n}").To("results", _sink), "numbers");

        static int SentAfter(LoneSubtask source, long milliseconds)
        {
            for (; source.Step(milliseconds).Kind == StepKind.More; milliseconds = 0)
            {
            }

            source.Subtask.FlushDry();
            return Sent(source).Sum(static envelope => envelope.Batch?.Count ?? 0);
        }
    }

    private Task<LoneSubtask> OpenAsync(SegmentStore? store = null, IReadOnlyList<OrleansStream.State.SegmentChain>? chains = null) =>
        LoneSubtask.OpenAsync(graph => CountingJob.Define(graph, _sink), "count", store, chains);

    private Task<LoneSubtask> OpenSourceAsync(int count, SegmentStore? store = null, IReadOnlyList<OrleansStream.State.SegmentChain>? chains = null) => LoneSubtask.OpenAsync(
        graph => graph.From("numbers", Generator.Of(static n => (int)n, count)).WithTimestamps(static n => (long)n, TimeSpan.Zero).Rebalance().Select(static n => $"{n}").To("results", _sink),
        "numbers",
        store,
        chains);

    private static IReadOnlyList<OrleansStream.State.SegmentChain> Save(SegmentStore store, StepResult step)
    {
        Assert.Equal(StepKind.Snapshot, step.Kind);
        return LoneSubtask.Save(store, step.Taken!);
    }

    /// <summary>Everything that the subtask has written, as far as its only channel has credit.</summary>
    private static List<Envelope> Sent(LoneSubtask from)
    {
        var output = Assert.Single(from.Subtask.Outputs);
        var sent = output.TakeAll();
        if (sent.Count > 0) output.Credit(sent[^1].Sequence);
        return sent;
    }

    private static List<Envelope> SentToTheEnd(LoneSubtask from)
    {
        var sent = new List<Envelope>();
        while (true)
        {
            var kind = from.Run().Kind;
            sent.AddRange(Sent(from));
            if (kind == StepKind.Ended) return sent;
            Assert.Equal(StepKind.NoRoom, kind);
        }
    }

    private static IEnumerable<int> Records(IEnumerable<Envelope> sent) => sent.Select(static envelope => envelope.Batch).OfType<Batch<int>>().SelectMany(static batch => batch.Values.Take(batch.Count));
}
