namespace OrleansStream.Windows;

/// <summary>Says which windows a record belongs to: <see cref="TumblingWindows"/>, <see cref="SlidingWindows"/>, <see cref="SessionWindows"/>, <see cref="GlobalWindows"/>, <see cref="CountWindows"/>.</summary>
public abstract class WindowAssigner
{
    private protected WindowAssigner()
    {
    }

    /// <summary>The word for them in a description of the graph.</summary>
    internal abstract string Kind { get; }

    /// <summary>Why there can be no such windows; null when there can.</summary>
    internal abstract string? Problem { get; }

    /// <summary>What distinguishes them from others of their kind.</summary>
    internal abstract IEnumerable<(string Name, string Value)> Properties { get; }

    /// <summary>Whether windows are of processing time: records are put into them by the clock, and the clock ends them.</summary>
    internal virtual bool IsProcessingTime => false;

    /// <summary>Whether windows have no end.</summary>
    internal virtual bool IsEndless => false;

    /// <summary>Whether windows of a key that overlap become one.</summary>
    internal virtual bool Merges => false;

    /// <summary>Adds the windows of a time, earliest first: none, one or several.</summary>
    internal abstract void Assign(long time, List<TimeWindow> windows);

    /// <summary>What adds the windows of records of a type; null when they cannot tell.</summary>
    internal virtual AssignWindows<TRecord>? For<TRecord>() => (in TRecord _, long time, List<TimeWindow> windows) => Assign(time, windows);

    /// <summary>The milliseconds of a span; null when they are not whole.</summary>
    private protected static long? WholeMilliseconds(TimeSpan time) => time.Ticks % TimeSpan.TicksPerMillisecond == 0 ? time.Ticks / TimeSpan.TicksPerMillisecond : null;

    private protected static string Number(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
