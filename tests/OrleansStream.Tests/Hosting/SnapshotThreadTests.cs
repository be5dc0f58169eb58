using OrleansStream.Hosting;

namespace OrleansStream.Tests.Hosting;

public sealed class SnapshotThreadTests
{
    [Fact]
    public async Task Work_is_done_one_piece_after_the_other_in_the_order_of_asking_and_not_on_the_pool()
    {
        using var thread = new SnapshotThread();
        var done = new List<int>();
        var pieces = Enumerable.Range(0, 100).Select(n => thread.RunAsync(() =>
        {
            done.Add(n);
            return (Environment.CurrentManagedThreadId, Thread.CurrentThread.IsThreadPoolThread);
        })).ToList();

        var where = await Task.WhenAll(pieces);
        Assert.Equal(Enumerable.Range(0, 100), done);
        Assert.False(Assert.Single(where.Distinct()).IsThreadPoolThread);
    }

    [Fact]
    public async Task What_goes_wrong_reaches_who_asked_and_the_next_piece_is_done_all_the_same()
    {
        using var thread = new SnapshotThread();
        var failed = thread.RunAsync<int>(static () => throw new InvalidOperationException("broken"));
        var released = thread.RunAsync<int>(static () => throw new OperationCanceledException());

        Assert.Equal("broken", (await Assert.ThrowsAsync<InvalidOperationException>(() => failed)).Message);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => released);
        Assert.Equal(1, await thread.RunAsync(static () => 1));
    }

    [Fact]
    public async Task What_was_asked_for_before_the_end_is_done()
    {
        var thread = new SnapshotThread();
        var asked = thread.RunAsync(static () => 1);
        thread.Dispose();

        Assert.Equal(1, await asked);
        Assert.Throws<InvalidOperationException>(() => { _ = thread.RunAsync(static () => 2); });
    }
}
