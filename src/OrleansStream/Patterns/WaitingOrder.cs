namespace OrleansStream.Patterns;

/// <summary>Puts a key's waiting records that are due in the order of their times, those of one time in the order in which they came.</summary>
internal sealed class WaitingOrder<T>
{
    private static readonly Comparison<(WaitingRecord<T> Record, int Arrival)> ByTime = static (one, other) =>
        one.Record.Time != other.Record.Time ? one.Record.Time.CompareTo(other.Record.Time) : one.Arrival.CompareTo(other.Arrival);

    private readonly List<(WaitingRecord<T> Record, int Arrival)> _due = [];
    private readonly List<WaitingRecord<T>> _left = [];
    private int _next;

    /// <summary>Whether any record was dropped since <see cref="Take"/>.</summary>
    public bool HasTaken => _next > 0;

    /// <summary>Those that still wait: what was due first, so that the order of arrival at one time stays.</summary>
    public ReadOnlySpan<WaitingRecord<T>> Left
    {
        get
        {
            if (_next < _due.Count) _left.InsertRange(0, _due.Skip(_next).Select(static due => due.Record));
            return System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_left);
        }
    }

    /// <summary>The earliest time among those that still wait; null when none does.</summary>
    public long? Earliest
    {
        get
        {
            if (TryPeek(out var due)) return due.Time;
            long? earliest = null;
            foreach (var record in _left)
            {
                if (!(earliest <= record.Time)) earliest = record.Time;
            }

            return earliest;
        }
    }

    public void Take(ReadOnlySpan<WaitingRecord<T>> waiting, long watermark)
    {
        Clear();
        var isSorted = true;
        for (var i = 0; i < waiting.Length; i++)
        {
            if (waiting[i].Time > watermark)
            {
                _left.Add(waiting[i]);
                continue;
            }

            isSorted &= _due.Count == 0 || _due[^1].Record.Time <= waiting[i].Time;
            _due.Add((waiting[i], i));
        }

        if (!isSorted) _due.Sort(ByTime);
    }

    public bool TryPeek(out WaitingRecord<T> record)
    {
        record = _next < _due.Count ? _due[_next].Record : default;
        return _next < _due.Count;
    }

    public void Drop() => _next++;

    public void Clear()
    {
        _due.Clear();
        _left.Clear();
        _next = 0;
    }
}
