namespace OrleansStream.Checkpoints;

/// <summary>
/// How often, and after what waits, a call to the checkpoint store is repeated. Every method of a store is safe to repeat, so a call of unknown
/// outcome is simply made again; past the limit its <see cref="StoreException"/> goes to the caller. The waits double, each shortened by up to half at random, so that
/// many callers do not return at once.
/// </summary>
/// <param name="time">Whose clock the waits run on.</param>
/// <param name="jitter">Shortens waits; used by one caller at a time.</param>
internal sealed class RetryRule(TimeProvider time, Random jitter)
{
    /// <summary>The most calls in all, the first included.</summary>
    public int Limit { get; init; } = 8;

    /// <summary>The wait after the first failure.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest wait.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The wait after a number of failures, before it is shortened.</summary>
    public TimeSpan DelayAfter(int failures)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(failures, 1);
        var doubled = FirstDelay.TotalMilliseconds * Math.Pow(2, failures - 1);
        return TimeSpan.FromMilliseconds(Math.Min(doubled, LongestDelay.TotalMilliseconds));
    }

    /// <summary>Makes a call until it answers or the limit is reached.</summary>
    /// <exception cref="StoreException">The last call failed; whether any of them was carried out is unknown.</exception>
    public async Task<T> CallAsync<T>(Func<CancellationToken, ValueTask<T>> call, CancellationToken cancellation)
    {
        for (var failures = 1; ; failures++)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return await call(cancellation);
            }
            catch (StoreException) when (failures < Limit)
            {
                await Task.Delay(DelayAfter(failures) * (1 - (jitter.NextDouble() / 2)), time, cancellation);
            }
        }
    }

    /// <summary>Makes a call that answers nothing until it is carried out or the limit is reached.</summary>
    /// <exception cref="StoreException">The last call failed; whether any of them was carried out is unknown.</exception>
    public Task CallAsync(Func<CancellationToken, ValueTask> call, CancellationToken cancellation) => CallAsync<bool>(
        async token =>
        {
            await call(token);
            return true;
        },
        cancellation);
}
