namespace OrleansStream.Windows;

/// <summary>
/// Which windows are to fire next. Windows are aligned, so there are few distinct starts and many keys in each: slots are kept in one list per start,
/// and a record costs nothing here but its window's first. Windows fire in time order, those of one start in the order in which they were opened.
/// </summary>
internal sealed class WindowSchedule
{
    private readonly SortedDictionary<long, Starts> _waiting = [];
    private readonly SortedDictionary<long, Starts> _kept = [];
    private readonly Stack<Starts> _free = new();
    private Starts? _last;
    private long _lastStart;
    private Starts? _due;
    private long _dueStart;

    /// <summary>Adds the window of one key.</summary>
    /// <param name="start">The window's start.</param>
    /// <param name="slot">Its slot in the window table.</param>
    /// <param name="fired">Whether it has fired already and only waits to expire.</param>
    public void Add(long start, int slot, bool fired)
    {
        if (!fired && _last is not null && _lastStart == start)
        {
            _last.Add(slot);
            return;
        }

        var schedule = fired ? _kept : _waiting;
        if (!schedule.TryGetValue(start, out var slots))
        {
            slots = _free.TryPop(out var free) ? free : new Starts();
            schedule.Add(start, slots);
        }

        slots.Add(slot);
        if (fired) return;
        _last = slots;
        _lastStart = start;
    }

    /// <summary>Takes the next window that is due.</summary>
    /// <param name="isDue">Whether windows of a start are due.</param>
    /// <param name="keep">Whether windows taken now wait to expire; otherwise they are forgotten.</param>
    /// <param name="slot">The slot of the window.</param>
    public bool TryTakeDue(Func<long, bool> isDue, bool keep, out int slot)
    {
        while (true)
        {
            if (_due is not null)
            {
                if (_due.TryTake(out slot)) return true;
                _waiting.Remove(_dueStart);
                if (ReferenceEquals(_due, _last)) _last = null;
                if (keep) Keep(_dueStart, _due);
                else Recycle(_due);
                _due = null;
            }

            slot = 0;
            if (_waiting.Count == 0) return false;
            var (start, slots) = First(_waiting);
            if (!isDue(start)) return false;
            _dueStart = start;
            _due = slots;
        }
    }

    /// <summary>Takes the next window that has fired and whose lateness is over.</summary>
    public bool TryTakeExpired(Func<long, bool> isExpired, out int slot)
    {
        while (_kept.Count > 0)
        {
            var (start, slots) = First(_kept);
            if (!isExpired(start)) break;
            if (slots.TryTake(out slot)) return true;
            _kept.Remove(start);
            Recycle(slots);
        }

        slot = 0;
        return false;
    }

    private void Keep(long start, Starts slots)
    {
        slots.Rewind();
        if (_kept.TryGetValue(start, out var kept))
        {
            while (slots.TryTake(out var slot)) kept.Add(slot);
            Recycle(slots);
        }
        else
        {
            _kept.Add(start, slots);
        }
    }

    private void Recycle(Starts slots)
    {
        slots.Clear();
        if (_free.Count < 16) _free.Push(slots);
    }

    private static (long Start, Starts Slots) First(SortedDictionary<long, Starts> schedule)
    {
        using var entries = schedule.GetEnumerator();
        entries.MoveNext();
        return (entries.Current.Key, entries.Current.Value);
    }

    /// <summary>The slots of one start, taken in the order they were added.</summary>
    private sealed class Starts
    {
        private readonly List<int> _slots = [];
        private int _taken;

        public void Add(int slot) => _slots.Add(slot);

        public bool TryTake(out int slot)
        {
            if (_taken < _slots.Count)
            {
                slot = _slots[_taken++];
                return true;
            }

            slot = 0;
            return false;
        }

        public void Rewind() => _taken = 0;

        public void Clear()
        {
            _slots.Clear();
            _taken = 0;
        }
    }
}
