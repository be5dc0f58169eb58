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
}
