namespace OrleansStream.Jobs;

/// <summary>How far a source has come in event time, its subtasks together, and what holds it back.</summary>
[GenerateSerializer, Immutable, Alias("os.SourceStatus")]
public sealed record SourceStatus
{
    /// <summary>The source's name.</summary>
    [Id(0)] public required string Name { get; init; }

    /// <summary>The lowest watermark of its subtasks that are not idle; null before the first. The end of input is <see cref="DateTimeOffset.MaxValue"/>.</summary>
    [Id(1)] public DateTimeOffset? Watermark { get; init; }

    /// <summary>How far the watermark is behind the clock; null before the first watermark and at the end of input. Negative where records are of the future.</summary>
    [Id(2)] public TimeSpan? Lag { get; init; }

    /// <summary>The split with the lowest watermark of those that are neither idle nor at their end: the one that the others wait for. Null when there is none.</summary>
    [Id(3)] public string? SlowestSplit { get; init; }

    /// <summary>Whether the job's watermark waits for this source: no other's slowest split is further behind.</summary>
    [Id(4)] public bool HoldsBack { get; init; }

    /// <summary>How many splits it has.</summary>
    [Id(5)] public int Splits { get; init; }

    /// <summary>How many of them have ended.</summary>
    [Id(6)] public int EndedSplits { get; init; }

    /// <summary>How many are idle and hold nobody back for now.</summary>
    [Id(7)] public int IdleSplits { get; init; }

    /// <summary>Some of the idle splits, by name.</summary>
    [Id(8)] public IReadOnlyList<string> IdleNames { get; init; } = [];

    /// <summary>How many are ahead of their alignment group and not read for now.</summary>
    [Id(9)] public int PausedSplits { get; init; }

    /// <summary>Some of the paused splits, by name.</summary>
    [Id(10)] public IReadOnlyList<string> PausedNames { get; init; } = [];
}
