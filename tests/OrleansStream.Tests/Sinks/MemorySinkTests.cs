using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream.Tests.Sinks;

public sealed class MemorySinkTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Collected_records_show_when_their_checkpoint_is_committed_and_once()
    {
        var sink = new CollectingSink<int>();
        await using var writer = await sink.OpenAsync(Context(0), Cancellation);
        writer.Write([1, 2], [0, 0]);
        var first = await PrepareAsync(writer, 1);
        writer.Write([3], [0]);
        Assert.Empty(sink.Committed);

        await sink.CommitAsync([first], Permit(1), Cancellation);
        await sink.CommitAsync([first], Permit(1), Cancellation);
        Assert.Equal([1, 2], sink.Committed);

        await sink.CommitAsync([first, await PrepareAsync(writer, 2)], Permit(2), Cancellation);
        Assert.Equal([1, 2, 3], sink.Committed);
        Assert.Null(await writer.PrepareAsync(Id(3), Cancellation));
    }

    [Fact]
    public async Task An_output_that_was_not_prepared_in_this_process_is_refused_and_nothing_beside_it_is_committed()
    {
        var sink = new CollectingSink<int>();
        await using var writer = await sink.OpenAsync(Context(0), Cancellation);
        writer.Write([1], [0]);
        var known = await PrepareAsync(writer, 1);

        await Assert.ThrowsAsync<StreamException>(async () => await sink.CommitAsync([known, new PendingOutput(1, Id(1), "1-1-1-07")], Permit(1), Cancellation));

        Assert.Empty(sink.Committed);
    }

    [Fact]
    public async Task Nothing_is_collected_with_the_permit_of_an_earlier_checkpoint()
    {
        var sink = new CollectingSink<int>();
        await using var writer = await sink.OpenAsync(Context(0), Cancellation);
        writer.Write([1], [0]);
        var output = await PrepareAsync(writer, 2);

        await Assert.ThrowsAsync<StreamException>(async () => await sink.CommitAsync([output], Permit(1), Cancellation));
        Assert.Empty(sink.Committed);
    }

    [Fact]
    public async Task Collected_records_of_later_checkpoints_are_taken_back()
    {
        var sink = new CollectingSink<int>();
        await using var writer = await sink.OpenAsync(Context(0), Cancellation);
        writer.Write([1], [0]);
        var first = await PrepareAsync(writer, 1);
        writer.Write([2], [0]);
        var second = await PrepareAsync(writer, 2);
        writer.Write([3], [0]);
        var waiting = await PrepareAsync(writer, 3);
        await sink.CommitAsync([first, second], Permit(2), Cancellation);

        await sink.WithdrawAsync(Id(1), new Attempt(2), Permit(1), Cancellation);

        Assert.Equal([1], sink.Committed);
        await Assert.ThrowsAsync<StreamException>(async () => await sink.CommitAsync([second], Permit(2), Cancellation));
        await Assert.ThrowsAsync<StreamException>(async () => await sink.CommitAsync([waiting], Permit(3), Cancellation));
    }

    [Fact]
    public async Task A_collecting_sink_finishes_only_with_all_its_outputs()
    {
        var sink = new CollectingSink<int>();
        await using var writer = await sink.OpenAsync(Context(0), Cancellation);
        writer.Write([1], [0]);
        await sink.CommitAsync([await PrepareAsync(writer, 1)], Permit(1), Cancellation);

        await Assert.ThrowsAsync<StreamException>(async () => await sink.FinishAsync(2, Permit(1), Cancellation));
        Assert.False(sink.IsFinished);
        await sink.FinishAsync(1, Permit(1), Cancellation);
        Assert.True(sink.IsFinished);
    }

    [Fact]
    public async Task Counts_are_kept_by_subtask_over_attempts_without_allocation()
    {
        var sink = new CountingSink<int>();
        await using var one = await sink.OpenAsync(Context(0), Cancellation);
        await using var two = await sink.OpenAsync(Context(1), Cancellation);
        await using var again = await sink.OpenAsync(Context(1), Cancellation);
        one.Write([1, 2, 3], [0, 0, 0]);
        two.Write([4], [0]);
        again.Write([5, 6], [0, 0]);
        int[] values = [1, 2];
        long[] timestamps = [0, 0];
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) one.Write(values, timestamps);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        Assert.Equal((2006L, 2003L, 3L, 0L), (sink.Count, sink.CountOf(0), sink.CountOf(1), sink.CountOf(2)));
        Assert.Null(await one.PrepareAsync(Id(1), Cancellation));
        Assert.Equal(SinkGuarantee.AtLeastOnce, sink.Guarantee);
    }

    [Fact]
    public async Task The_console_gets_a_line_for_each_record()
    {
        var text = new StringWriter { NewLine = "\n" };
        var sink = new ConsoleSink<int>(n => $"<{n}>", text);
        await using var writer = await sink.OpenAsync(Context(0), Cancellation);

        writer.Write([1, 2], [0, 0]);
        writer.Write([], []);
        writer.Write([3], [0]);

        Assert.Equal($"<1>{Environment.NewLine}<2>{Environment.NewLine}<3>{Environment.NewLine}", text.ToString());
        Assert.Null(await writer.PrepareAsync(Id(1), Cancellation));
        Assert.Equal(SinkGuarantee.AtLeastOnce, sink.Guarantee);
    }

    private static CheckpointId Id(long number) => new(Attempt.First, number);

    private static CommitPermit Permit(long number) => new(Id(number));

    private static SinkContext Context(int subtask) => new(Attempt.First, new Incarnation(7), subtask, 2);

    private static async Task<PendingOutput> PrepareAsync(SinkWriter<int> writer, long number) =>
        new(0, Id(number), (await writer.PrepareAsync(Id(number), Cancellation))!);
}
