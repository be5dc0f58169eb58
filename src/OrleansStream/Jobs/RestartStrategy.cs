namespace OrleansStream.Jobs;

/// <summary>Whether, and after what wait, a failed attempt is followed by another.</summary>
public abstract class RestartStrategy
{
    private RestartStrategy()
    {
    }

    /// <summary>
    /// The first failure is followed by another attempt at once, as most are of a silo that is gone; those behind it after waits that double from <paramref name="initial"/> (1 s) up to
    /// <paramref name="longest"/> (1 min). The default.
    /// </summary>
    /// <param name="initial">The wait after the second failure in a row.</param>
    /// <param name="longest">The longest wait.</param>
    /// <param name="attempts">How many failures in a row are followed by another attempt; 10 unless given.</param>
    /// <param name="resetAfter">After how long without failure the count begins anew; 10 min unless given.</param>
    public static RestartStrategy Exponential(TimeSpan? initial = null, TimeSpan? longest = null, int attempts = 10, TimeSpan? resetAfter = null) =>
        new DoublingStrategy(TimeSpan.Zero, initial ?? TimeSpan.FromSeconds(1), longest ?? TimeSpan.FromMinutes(1), attempts, resetAfter ?? TimeSpan.FromMinutes(10));

    /// <summary>The same wait each time.</summary>
    /// <param name="delay">The wait.</param>
    /// <param name="attempts">How many failures in a row are followed by another attempt.</param>
    public static RestartStrategy Fixed(TimeSpan delay, int attempts) => new DoublingStrategy(delay, delay, delay, attempts, TimeSpan.MaxValue);

    /// <summary>No other attempt: the first failure is the last.</summary>
    public static RestartStrategy None { get; } = new DoublingStrategy(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, 0, TimeSpan.MaxValue);

    /// <summary>After how long without failure the count of failures begins anew.</summary>
    internal abstract TimeSpan ResetAfter { get; }

    /// <summary>The wait after a number of failures in a row; null to give up.</summary>
    internal abstract TimeSpan? DelayAfter(int failures);

    private sealed class DoublingStrategy(TimeSpan first, TimeSpan second, TimeSpan longest, int attempts, TimeSpan resetAfter) : RestartStrategy
    {
        internal override TimeSpan ResetAfter => resetAfter;

        internal override TimeSpan? DelayAfter(int failures) => failures > attempts ? null
            : failures == 1 ? first
            : TimeSpan.FromMilliseconds(Math.Min(second.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 40) - 2), longest.TotalMilliseconds));
    }
}

/// <summary>Counts failures and asks the strategy. Keeps the first cause: later ones are often only its echo.</summary>
internal sealed class RestartDecision(RestartStrategy strategy)
{
    private DateTimeOffset? _attemptBegan;

    /// <summary>How many attempts failed one after the other.</summary>
    public int Failures { get; private set; }

    /// <summary>The cause of the first of them.</summary>
    public string? FirstCause { get; private set; }

    public void OnAttempt(DateTimeOffset now) => _attemptBegan = now;

    /// <summary>The wait before the next attempt; null to fail for good.</summary>
    public TimeSpan? OnFailure(string cause, bool isPermanent, DateTimeOffset now)
    {
        if (_attemptBegan is { } began && now - began >= strategy.ResetAfter)
        {
            Failures = 0;
            FirstCause = null;
        }

        Failures++;
        FirstCause ??= cause;
        return isPermanent ? null : strategy.DelayAfter(Failures);
    }
}
