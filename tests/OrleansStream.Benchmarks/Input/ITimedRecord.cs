namespace OrleansStream.Benchmarks.Input;

/// <summary>A record of the in-memory input.</summary>
/// <typeparam name="TSelf">Its own type.</typeparam>
internal interface ITimedRecord<TSelf>
    where TSelf : struct
{
    /// <summary>Event time in milliseconds.</summary>
    long Time { get; }

    /// <summary>What peers route by; the engine has a hash of its own.</summary>
    uint KeyHash { get; }

    /// <summary>The same record some milliseconds later.</summary>
    TSelf Later(long milliseconds);
}
