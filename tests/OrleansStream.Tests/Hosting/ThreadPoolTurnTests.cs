using OrleansStream.Hosting;

namespace OrleansStream.Tests.Hosting;

public sealed class ThreadPoolTurnTests
{
    [Fact]
    public async Task A_turn_comes_again_and_again_and_goes_on_where_it_was_awaited()
    {
        var scheduler = new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler;
        var turns = await Task.Factory.StartNew(
            async () =>
            {
                var turn = new ThreadPoolTurn();
                var taken = 0;
                for (; taken < 1000; taken++)
                {
                    await turn.NextAsync();
                    if (TaskScheduler.Current != scheduler) return -1;
                }

                return taken;
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.None,
            scheduler).Unwrap();
        Assert.Equal(1000, turns);
    }

    [Fact]
    public async Task Everyone_has_a_turn_while_others_take_theirs_again_and_again()
    {
        // More of them than the pool has threads, none of which ends by itself: only fairness lets the last one count.
        var counts = new int[4 * Environment.ProcessorCount];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var everyone = Enumerable.Range(0, counts.Length).Select(n => Task.Run(
            async () =>
            {
                var turn = new ThreadPoolTurn();
                while (!stop.IsCancellationRequested)
                {
                    await turn.NextAsync();
                    if (Interlocked.Increment(ref counts[n]) == 1000 && Array.TrueForAll(counts, static count => count > 0)) await stop.CancelAsync();
                }
            },
            TestContext.Current.CancellationToken));

        await Task.WhenAll(everyone).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.All(counts, static count => Assert.True(count > 0));
    }
}
