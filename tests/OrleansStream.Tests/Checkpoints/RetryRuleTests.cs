using Microsoft.Extensions.Time.Testing;
using OrleansStream.Checkpoints;

namespace OrleansStream.Tests.Checkpoints;

public sealed class RetryRuleTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Waits_double_up_to_the_longest()
    {
        var rule = new RetryRule(TimeProvider.System, new Random(1)) { FirstDelay = TimeSpan.FromMilliseconds(10), LongestDelay = TimeSpan.FromMilliseconds(35) };
        Assert.Equal([10, 20, 35, 35], Enumerable.Range(1, 4).Select(n => rule.DelayAfter(n).TotalMilliseconds));
        Assert.Equal(35, rule.DelayAfter(int.MaxValue).TotalMilliseconds);
    }

    [Fact]
    public async Task A_call_is_repeated_until_the_limit_and_then_its_error_is_the_callers()
    {
        var calls = 0;
        var error = await Assert.ThrowsAsync<StoreException>(() => Samples.Retry(limit: 3).CallAsync<bool>(_ => throw new StoreException($"{++calls}"), Cancellation));
        Assert.Equal("3", error.Message);
        Assert.True(await Samples.Retry(limit: 6).CallAsync(_ => ++calls < 6 ? throw new StoreException("again") : new ValueTask<bool>(true), Cancellation));
    }

    [Fact]
    public async Task Other_errors_are_not_repeated()
    {
        var calls = 0;
        await Assert.ThrowsAsync<ArgumentException>(() => Samples.Retry(limit: 3).CallAsync<bool>(
            _ =>
            {
                calls++;
                throw new ArgumentException("wrong");
            },
            Cancellation));
        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task A_wait_is_between_half_and_all_of_the_delay_on_the_given_clock()
    {
        var time = new FakeTimeProvider();
        var rule = new RetryRule(time, new Random(1)) { FirstDelay = TimeSpan.FromSeconds(10), LongestDelay = TimeSpan.FromSeconds(10), Limit = 2 };
        var calls = 0;
        var call = rule.CallAsync(_ => ++calls == 1 ? throw new StoreException("again") : new ValueTask<int>(calls), Cancellation);
        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(1, calls);
        time.Advance(TimeSpan.FromSeconds(5.2));
        Assert.Equal(2, await call);
    }

    [Fact]
    public async Task Giving_up_ends_the_waiting()
    {
        using var giveUp = new CancellationTokenSource();
        var rule = new RetryRule(new FakeTimeProvider(), new Random(1));
        var call = rule.CallAsync<bool>(_ => throw new StoreException("again"), giveUp.Token);
        Assert.False(call.IsCompleted);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }
}
