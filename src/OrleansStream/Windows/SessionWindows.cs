using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>
/// Windows that last as long as records of the key keep coming: one ends when none has come for a gap. Each record opens a window from its time to the gap behind it, and windows of a key that
/// overlap become one, by a late record too as long as one of them is still kept.
/// </summary>
/// <remarks>
/// Where it differs from Flink: a record exactly one gap behind the last one of a session begins another, always. Flink follows the same rules otherwise, but puts windows together that only
/// touch, as long as the earlier one is kept: until the watermark has passed its end and the allowed lateness. So there it depends on how far the watermark happens to be whether such a
/// record prolongs the session; here, what comes in time makes the same sessions wherever the watermark is.
/// Source: Flink's MergingWindowSet.
/// </remarks>
public sealed class SessionWindows : WindowAssigner
{
    private readonly long _gapMilliseconds;

    private SessionWindows(long gapMilliseconds, bool isProcessingTime)
    {
        _gapMilliseconds = gapMilliseconds;
        IsProcessingTime = isProcessingTime;
    }

    internal override bool IsProcessingTime { get; }

    /// <summary>Sessions in event time with one gap.</summary>
    /// <param name="gap">The gap, a whole number of milliseconds, 1 or more. The graph refuses others when it is built.</param>
    public static SessionWindows WithGap(TimeSpan gap) => new(WholeMilliseconds(gap) ?? 0, isProcessingTime: false);

    /// <summary>Sessions in event time with a gap that each record brings with it.</summary>
    /// <param name="gap">The time after a record in which the next must come; 1 ms or more, parts of a millisecond are cut off. A record with another gap counts as one at which the function threw.</param>
    /// <typeparam name="T">The type of a record.</typeparam>
    public static SessionWindows<T> WithGap<T>(Func<T, TimeSpan> gap)
    {
        ArgumentNullException.ThrowIfNull(gap);
        return new SessionWindows<T>(gap, isProcessingTime: false);
    }

    /// <summary>The same sessions by the clock, which no record is late for.</summary>
    public SessionWindows InProcessingTime() => new(_gapMilliseconds, isProcessingTime: true);

    internal override string Kind => "session";

    internal override string? Problem => _gapMilliseconds <= 0 ? "the gap must be a whole number of milliseconds, 1 or more" : null;

    internal override IEnumerable<(string Name, string Value)> Properties => [("gapMs", Number(_gapMilliseconds))];

    internal override bool Merges => true;

    internal override void Assign(long time, List<TimeWindow> windows) => windows.Add(new TimeWindow(time, EventTime.Plus(time, _gapMilliseconds)));
}

/// <summary>Sessions with a gap by record: see <see cref="SessionWindows.WithGap{T}(Func{T, TimeSpan})"/>.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed class SessionWindows<T> : WindowAssigner
{
    private readonly Func<T, TimeSpan> _gap;

    internal SessionWindows(Func<T, TimeSpan> gap, bool isProcessingTime)
    {
        _gap = gap;
        IsProcessingTime = isProcessingTime;
    }

    internal override bool IsProcessingTime { get; }

    /// <summary>The same sessions by the clock, which no record is late for.</summary>
    public SessionWindows<T> InProcessingTime() => new(_gap, isProcessingTime: true);

    internal override string Kind => "session";

    internal override string? Problem => null;

    internal override IEnumerable<(string Name, string Value)> Properties => [("gap", "by record")];

    internal override bool Merges => true;

    internal override void Assign(long time, List<TimeWindow> windows) => throw new NotSupportedException("A session with a gap by record needs the record.");

    internal override AssignWindows<TRecord>? For<TRecord>() =>
        _gap is Func<TRecord, TimeSpan> gap ? (in TRecord record, long time, List<TimeWindow> windows) => windows.Add(WindowOf(gap(record), time)) : null;

    private static TimeWindow WindowOf(TimeSpan gap, long time)
    {
        var milliseconds = gap.Ticks / TimeSpan.TicksPerMillisecond;
        if (milliseconds < 1) throw new InvalidOperationException($"The record has a session gap of {gap}; it must be 1 ms or more.");
        return new TimeWindow(time, EventTime.Plus(time, milliseconds));
    }
}
