namespace OrleansStream.Sources;

/// <summary>A source whose records come with their times and whose readers are <see cref="ITimedSplit"/>: nothing has to be said about event time behind it.</summary>
internal interface ITimedSource;

/// <summary>A reader that knows its split's watermark: what follows where it stands is later.</summary>
internal interface ITimedSplit
{
    /// <summary>The watermark behind what was read; it never goes back, and belongs to the offset.</summary>
    long Watermark { get; }

    /// <summary>Whether the split has said that nothing is to be expected of it for a while.</summary>
    bool IsIdle { get; }
}
