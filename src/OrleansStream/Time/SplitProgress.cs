namespace OrleansStream.Time;

/// <summary>Where the watermarks of a chain begin, as the subtask and the status see it.</summary>
internal interface IWatermarkOrigin
{
    bool IsIdle { get; }

    long Watermark { get; }

    /// <summary>How far each split has come; none before the first is read.</summary>
    IEnumerable<SplitProgress> Splits { get; }
}

/// <summary>How far one split has come.</summary>
/// <param name="Name">The split's name in its source; empty where the chain has none.</param>
/// <param name="Watermark">The split's own watermark.</param>
/// <param name="IsEnded">It is at its end.</param>
/// <param name="IsIdle">It holds nobody back for now.</param>
/// <param name="IsPaused">It is ahead of its group and not read for now.</param>
internal readonly record struct SplitProgress(string Name, long Watermark, bool IsEnded, bool IsIdle, bool IsPaused)
{
    /// <summary>Whether the watermark waits for it.</summary>
    public bool Counts => !IsEnded && !IsIdle;
}
