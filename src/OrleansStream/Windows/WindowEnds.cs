using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>
/// When windows are to be looked at next: at their end, and when they are over. It follows from what the windows are, so nothing of it is saved. A window that grows may be looked at too early,
/// which moves it on; so a session costs nothing here for each record that prolongs it.
/// </summary>
internal sealed class WindowEnds
{
    private const long None = EventTime.Beginning;

    private readonly TimerHeap _heap = new();
    private long[] _next = [];

    /// <summary>The earliest time at which any window is to be looked at.</summary>
    public long? Next
    {
        get
        {
            while (_heap.Count > 0 && _next[_heap.First.Entry] != _heap.First.At) _heap.TakeFirst();
            return _heap.Count > 0 ? _heap.First.At : null;
        }
    }

    /// <summary>Asks for a window to be looked at; one that is to be looked at no later stays as it is.</summary>
    public void Add(int slot, ulong hash, long at)
    {
        if (slot >= _next.Length)
        {
            var length = _next.Length;
            Array.Resize(ref _next, Math.Max(slot + 1, Math.Max(64, length * 2)));
            _next.AsSpan(length).Fill(None);
        }

        if (at == None) at++;
        if (_next[slot] != None && _next[slot] <= at) return;
        _next[slot] = at;
        _heap.Add(new TimerHeap.Item(at, hash, slot));
    }

    /// <summary>Forgets a window.</summary>
    public void Remove(int slot)
    {
        if (slot < _next.Length) _next[slot] = None;
    }

    /// <summary>Takes the window that <see cref="Next"/> stands for.</summary>
    public int Take(out long at)
    {
        var item = _heap.TakeFirst();
        _next[item.Entry] = None;
        at = item.At;
        return item.Entry;
    }
}
