using System.Runtime.InteropServices;

namespace OrleansStream.State;

/// <summary>
/// Where windows are, by their start: each start has an index of its own, and slots in runs of its own. Windows are aligned, so there are few starts and many keys in
/// each. Records come mostly in runs of one start, whose index and cells lie together, so that they stay in a cache however many other starts are open because some
/// source is behind; and a start that is over goes as a whole, without taking its windows out of an index one by one.
/// </summary>
internal sealed class WindowStarts
{
    /// <summary>The most starts that are kept for those to come, and how large their indexes may be: what was needed once is needed again.</summary>
    private const int MostSpare = 8;
    private const int LargestSpare = 1 << 20;

    private readonly Dictionary<long, WindowStart> _open = [];
    private readonly Stack<WindowStart> _spare = new();
    private readonly SlotRuns _runs = new();
    private WindowStart? _last;

    /// <summary>How many windows there are.</summary>
    public int Count { get; private set; }

    /// <summary>All slot numbers are below it.</summary>
    public int Limit => _runs.Limit;

    /// <summary>The windows of a start; null when there are none.</summary>
    public WindowStart? Of(long start)
    {
        if (_last is { } last && last.Start == start) return last;
        return _open.TryGetValue(start, out var found) ? _last = found : null;
    }

    /// <summary>The starts before one, as they are now.</summary>
    public IReadOnlyList<long> Before(long start) => [.. _open.Keys.Where(open => open < start)];

    /// <summary>Adds a window that is not there yet; returns its slot.</summary>
    public int Add(long start, ulong hash)
    {
        var windows = Of(start) ?? Begin(start);
        if (windows.IsClosed) throw new InvalidOperationException($"A window that starts at {start} is opened after all of that start were closed.");
        var slot = windows.Take(_runs);
        windows.Index.Add(SlotIndex.TagOf(hash), slot);
        Count++;
        return slot;
    }

    /// <summary>Removes a window and frees its slot.</summary>
    public void Remove(long start, ulong hash, int slot)
    {
        var windows = Of(start) ?? throw new InvalidOperationException($"No window starts at {start}, and the one in slot {slot} is removed.");
        if (!windows.IsClosed) windows.Index.Remove(SlotIndex.TagOf(hash), slot);
        Count--;
        if (windows.Return(slot) == 0) Forget(windows);
    }

    /// <summary>
    /// Closes a start and takes a run of its slots back, with whatever windows are in it; null when there was none left, and the start is gone.
    /// </summary>
    public int? TakeBackRun(long start)
    {
        if (Of(start) is not { } windows) return null;
        windows.IsClosed = true;
        if (windows.TakeBackRun(_runs) is { } run) return run;
        Count -= windows.Count;
        Forget(windows);
        return null;
    }

    private WindowStart Begin(long start)
    {
        var windows = _spare.TryPop(out var spare) ? spare : new WindowStart();
        windows.Begin(start);
        _open.Add(start, windows);
        return _last = windows;
    }

    private void Forget(WindowStart windows)
    {
        _open.Remove(windows.Start);
        _last = null;
        windows.End(_runs);
        if (_spare.Count < MostSpare && windows.Index.Buckets.Length <= LargestSpare) _spare.Push(windows);
    }
}

/// <summary>The windows of one start.</summary>
internal sealed class WindowStart
{
    private readonly List<int> _taken = [];
    private readonly Stack<int> _free = new();
    private int _next;
    private int _end;

    public SlotIndex Index { get; } = new();

    public long Start { get; private set; }

    public int Count { get; private set; }

    /// <summary>All its windows are about to be removed: the index is not kept any more, and no window is added.</summary>
    public bool IsClosed { get; set; }

    /// <summary>The first slots of the runs that were taken.</summary>
    public ReadOnlySpan<int> Runs => CollectionsMarshal.AsSpan(_taken);

    public void Begin(long start) => Start = start;

    public int Take(SlotRuns runs)
    {
        Count++;
        if (_free.TryPop(out var free)) return free;
        if (_next == _end)
        {
            _next = runs.Take();
            _end = _next + SlotRuns.Length;
            _taken.Add(_next);
        }

        return _next++;
    }

    /// <summary>Takes a slot back; returns how many are left.</summary>
    public int Return(int slot)
    {
        if (!IsClosed) _free.Push(slot);
        return --Count;
    }

    /// <summary>Gives a run of slots back; null when there is none left.</summary>
    public int? TakeBackRun(SlotRuns runs)
    {
        if (_taken.Count == 0) return null;
        var run = _taken[^1];
        _taken.RemoveAt(_taken.Count - 1);
        runs.Return(run);
        return run;
    }

    /// <summary>Gives all slots back, and forgets everything but the room.</summary>
    public void End(SlotRuns runs)
    {
        foreach (var run in _taken) runs.Return(run);
        _taken.Clear();
        _free.Clear();
        Count = _next = _end = 0;
        Index.Clear();
        IsClosed = false;
    }
}

/// <summary>Hands out runs of neighbouring slots, freed ones first.</summary>
internal sealed class SlotRuns
{
    /// <summary>Slots in a run: long enough to fill cache lines and short enough that a start with few keys wastes little.</summary>
    public const int Length = 32;

    private readonly Stack<int> _free = new();

    /// <summary>Slots ever handed out.</summary>
    public int Limit { get; private set; }

    public int Take()
    {
        if (_free.TryPop(out var free)) return free;
        var run = Limit;
        Limit += Length;
        return run;
    }

    public void Return(int run) => _free.Push(run);
}
