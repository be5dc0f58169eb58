namespace OrleansStream.Windows;

/// <summary>
/// One window of each key for all time. It fires at the end of input, and before that when a trigger says so. Without a trigger that purges it keeps what it holds for ever.
/// Results carry the latest time of the window's records, as it has no end whose time they could have.
/// </summary>
public sealed class GlobalWindows : WindowAssigner
{
    private GlobalWindows()
    {
    }

    /// <summary>The global windows.</summary>
    public static GlobalWindows Instance { get; } = new();

    internal override string Kind => "global";

    internal override string? Problem => null;

    internal override IEnumerable<(string Name, string Value)> Properties => [];

    internal override bool IsEndless => true;

    internal override void Assign(long time, List<TimeWindow> windows) => windows.Add(TimeWindow.All);
}

/// <summary>
/// Windows of a number of records of a key, in the order in which they come; what is left at the end of input fires too, as a smaller window. Their times are those of the global window, and
/// results carry the latest time of the window's records.
/// </summary>
public sealed class CountWindows : WindowAssigner
{
    private CountWindows(int size, int? slide)
    {
        Size = size;
        Slide = slide;
    }

    internal int Size { get; }

    /// <summary>How many records until the next window fires; null when each record is in one window.</summary>
    internal int? Slide { get; }

    /// <summary>Windows that follow each other.</summary>
    /// <param name="size">The number of records in each, 1 or more. The graph refuses others when it is built.</param>
    public static CountWindows Of(int size) => new(size, null);

    /// <summary>Windows of the last records, which fire every so many records: the first ones smaller, until enough have come.</summary>
    /// <param name="size">The most records in a window, 1 or more.</param>
    /// <param name="slide">The number of records between two firings, 1 or more.</param>
    public static CountWindows Sliding(int size, int slide) => new(size, slide);

    internal override string Kind => Slide is null ? "count" : "sliding-count";

    internal override string? Problem => Size < 1 ? "the size must be 1 record or more" : Slide < 1 ? "the slide must be 1 record or more" : null;

    internal override IEnumerable<(string Name, string Value)> Properties => Slide is { } slide ? [("records", Number(Size)), ("slideRecords", Number(slide))] : [("records", Number(Size))];

    internal override bool IsEndless => true;

    internal override void Assign(long time, List<TimeWindow> windows) => windows.Add(TimeWindow.All);
}
