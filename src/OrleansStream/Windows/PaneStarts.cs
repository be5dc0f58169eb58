using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>
/// Where the panes that hold records begin, whosever they are: panes are aligned, so there are few starts, however many keys have a pane at each. Numbers decide, for where time ends many windows begin at one moment.
/// </summary>
internal sealed class PaneStarts(SlidingWindows windows)
{
    private readonly SortedSet<long> _starts = [];
    private long? _noted;

    /// <summary>Notes that a start has panes. Records come mostly in runs of one start, whose repeats cost nothing.</summary>
    public void Note(long start)
    {
        if (start == _noted) return;
        _noted = start;
        _starts.Add(start);
    }

    /// <summary>The starts of the panes that are in any of some windows, in order.</summary>
    public IEnumerable<long> OfWindows(long first, long last) =>
        Between(windows.StartOf(first), windows.LastOf(last)).Where(start => windows.PaneOf(start) is var pane && pane.Period >= first && pane.First <= last);

    /// <summary>The starts of the panes that are in a window, and in none up to another before it.</summary>
    public IEnumerable<long> NewIn(long number, long after) => Between(windows.LastOf(after), windows.LastOf(number)).Where(start => windows.PaneOf(start).First is var first && first > after && first <= number);

    /// <summary>The starts of the panes that are in a window and in none behind it.</summary>
    public IEnumerable<long> LastIn(long number) => Between(windows.StartOf(number), windows.StartOf(EventTime.Plus(number, 1))).Where(start => windows.PaneOf(start).Period == number);

    /// <summary>The number of the first window behind one that has panes which none before it has; null when there is none.</summary>
    public long? NextBehind(long number)
    {
        foreach (var start in Between(windows.LastOf(number), EventTime.End))
        {
            if (windows.PaneOf(start).First is var first && first > number) return first;
        }

        return null;
    }

    /// <summary>The first start whose panes are in no window behind a number; null when there is none.</summary>
    public long? FirstUpTo(long number) => _starts.Count > 0 && windows.PaneOf(_starts.Min).Period <= number ? _starts.Min : null;

    /// <summary>Forgets a start without panes.</summary>
    public void Forget(long start)
    {
        _starts.Remove(start);
        if (start == _noted) _noted = null;
    }

    private SortedSet<long> Between(long from, long to) => from <= to ? _starts.GetViewBetween(from, to) : [];
}
