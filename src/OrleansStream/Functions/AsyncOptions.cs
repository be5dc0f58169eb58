namespace OrleansStream.Functions;

/// <summary>In which order results of a <c>SelectAsync</c> leave it.</summary>
public enum AsyncOrder
{
    /// <summary>In the order of the records: a result waits for those before it. The default.</summary>
    Ordered,

    /// <summary>As answers come. A result overtakes other results, but never a watermark: what was on time stays on time.</summary>
    Unordered,
}

/// <summary>How a <c>SelectAsync</c> asks: how much at a time, for how long, how often.</summary>
public sealed record AsyncOptions
{
    /// <summary>The most calls in flight in one subtask, those included whose answers wait for their turn; from 1 to 1,000,000, 100 by default. While as many are, no records are taken.</summary>
    public int Capacity { get; init; } = 100;

    /// <summary>For how long a record's result is awaited, all attempts and the pauses between them together; from when it was first asked for, and anew after a restart. 30 s by default; null for ever.</summary>
    public TimeSpan? Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The order of results.</summary>
    public AsyncOrder Order { get; init; } = AsyncOrder.Ordered;

    /// <summary>When a call that failed is made again; null for never, the default.</summary>
    public AsyncRetry? Retry { get; init; }

    /// <summary>What is impossible about the options; nothing when they are well.</summary>
    internal IEnumerable<string> Problems
    {
        get
        {
            if (Capacity is < 1 or > 1_000_000) yield return $"a capacity of {Capacity} is not between 1 and 1,000,000";
            if (Timeout < TimeSpan.FromMilliseconds(1)) yield return $"a time-out of {Timeout} is below 1 ms";
            if (Order is not (AsyncOrder.Ordered or AsyncOrder.Unordered)) yield return $"there is no order {Order}";
            if (Retry is null) yield break;
            if (Retry.Attempts < 1) yield return $"{Retry.Attempts} attempts are fewer than 1";
            if (Retry.Delay < TimeSpan.Zero) yield return $"a retry delay of {Retry.Delay} is below 0";
            if (!(Retry.Factor >= 1) || double.IsInfinity(Retry.Factor)) yield return $"a retry factor of {Retry.Factor} is not a number from 1 up";
            if (Retry.LongestDelay < Retry.Delay) yield return $"the longest retry delay, {Retry.LongestDelay}, is below the first, {Retry.Delay}";
        }
    }
}

/// <summary>When a call that failed is made again. A call that timed out is not: the time-out is for all attempts together.</summary>
public sealed record AsyncRetry
{
    /// <summary>The most calls for one record, the first included; 3 by default.</summary>
    public int Attempts { get; init; } = 3;

    /// <summary>The pause before the second call; 100 ms by default.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>By how much each pause is longer than the one before; 2 by default, 1 for pauses of one length.</summary>
    public double Factor { get; init; } = 2;

    /// <summary>The longest pause; 30 s by default.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Which errors are worth another call; all when null, the default.</summary>
    public Func<Exception, bool>? When { get; init; }

    /// <summary>The pause behind so many failed calls, in milliseconds.</summary>
    internal long DelayAfter(int failed) => (long)Math.Min(LongestDelay.TotalMilliseconds, Delay.TotalMilliseconds * Math.Pow(Factor, failed - 1));
}
