using OrleansStream.Time;
using OrleansStream.Windows;

namespace OrleansStream.Joins;

/// <summary>How a window join divides the rows of a key, both sides together.</summary>
internal abstract class JoinWindows
{
    /// <summary>Whether the windows of a row depend on the other rows of the key, whose times are then given.</summary>
    public abstract bool DependsOnRows { get; }

    /// <summary>Adds the windows that a row alone has, earliest first: none, one or several; one only where they depend on the others.</summary>
    public abstract void Assign(long time, List<TimeWindow> windows);

    /// <summary>Adds the windows that a row of a time is in; where they depend on the others.</summary>
    /// <param name="time">The time of the row.</param>
    /// <param name="times">The times of all rows of the key, this one among them, in order.</param>
    /// <param name="windows">Where to add them.</param>
    public abstract void Of(long time, List<long> times, List<TimeWindow> windows);

    /// <summary>Adds the windows of which a time is the last millisecond.</summary>
    public abstract void EndingAt(long last, List<long> times, List<TimeWindow> windows);

    /// <summary>The earliest time of rows that are in a window with a last millisecond behind <paramref name="last"/>; null when no row is.</summary>
    public abstract long? KeptFrom(long last, List<long> times);
}

/// <summary>Windows that lie where they lie, whatever rows there are.</summary>
/// <param name="assign">Adds the windows of a time, earliest first.</param>
internal sealed class AlignedJoinWindows(Action<long, List<TimeWindow>> assign) : JoinWindows
{
    private readonly List<TimeWindow> _found = [];

    public override bool DependsOnRows => false;

    public override void Assign(long time, List<TimeWindow> windows) => assign(time, windows);

    public override void Of(long time, List<long> times, List<TimeWindow> windows) => assign(time, windows);

    public override void EndingAt(long last, List<long> times, List<TimeWindow> windows)
    {
        _found.Clear();
        assign(last, _found);
        foreach (var window in _found)
        {
            if (window.Last == last) windows.Add(window);
        }
    }

    public override long? KeptFrom(long last, List<long> times)
    {
        if (last >= EventTime.End - 1) return null;
        _found.Clear();
        assign(last + 1, _found);

        // A window that ends behind the time holds the millisecond after it, or begins behind that.
        return _found.Count > 0 ? _found[0].Start : last + 1;
    }
}

/// <summary>Windows that become one where they overlap: sessions.</summary>
/// <param name="assign">Adds the one window that a row alone has.</param>
internal sealed class MergingJoinWindows(Action<long, List<TimeWindow>> assign) : JoinWindows
{
    private readonly List<TimeWindow> _alone = [];
    private readonly List<TimeWindow> _merged = [];

    public override bool DependsOnRows => true;

    public override void Assign(long time, List<TimeWindow> windows) => assign(time, windows);

    public override void Of(long time, List<long> times, List<TimeWindow> windows)
    {
        Merge(times);
        foreach (var window in _merged)
        {
            if (window.Start <= time && (time < window.End || window.End == EventTime.End)) windows.Add(window);
        }
    }

    public override void EndingAt(long last, List<long> times, List<TimeWindow> windows)
    {
        Merge(times);
        foreach (var window in _merged)
        {
            if (window.Last == last) windows.Add(window);
        }
    }

    public override long? KeptFrom(long last, List<long> times)
    {
        Merge(times);
        foreach (var window in _merged)
        {
            if (window.Last > last) return window.Start;
        }

        return null;
    }

    private void Merge(List<long> times)
    {
        _alone.Clear();
        _merged.Clear();
        foreach (var time in times) assign(time, _alone);
        foreach (var window in _alone)
        {
            if (_merged.Count > 0 && window.Start < _merged[^1].End) _merged[^1] = new TimeWindow(_merged[^1].Start, Math.Max(_merged[^1].End, window.End));
            else _merged.Add(window);
        }
    }
}
