using OrleansStream.State;

namespace OrleansStream.Windows;

/// <summary>The open panes of one key, in the order of time, and the fold of them that the next windows share.</summary>
internal sealed class PaneLine<TKey, TAccumulator>(TKey key)
{
    private OpenPane[] _panes = new OpenPane[2];
    private int _head;

    public TKey Key => key;

    /// <summary>The number of the window that the key fires next; null when its panes are in none that is still to fire.</summary>
    public long? Next { get; set; }

    public int Count { get; private set; }

    /// <summary>How many panes have left from the front since the line began, so that a place behind them keeps its number.</summary>
    public int Left { get; private set; }

    public PaneFold<TAccumulator> Fold { get; } = new();

    public ref readonly OpenPane this[int at] => ref _panes[_head + at];

    /// <summary>Puts a pane to its place in time: mostly at the end.</summary>
    public void Add(in OpenPane pane)
    {
        if (_head + Count == _panes.Length) MakeRoom();
        var at = _head + Count++;
        for (; at > _head && _panes[at - 1].Start > pane.Start; at--) _panes[at] = _panes[at - 1];
        _panes[at] = pane;
    }

    public void Remove(int slot)
    {
        var at = Array.FindIndex(_panes, _head, Count, pane => pane.Slot == slot);
        Array.Copy(_panes, at + 1, _panes, at, _head + --Count - at);
    }

    public void RemoveFirst()
    {
        _head++;
        Left++;
        if (--Count == 0) _head = 0;
    }

    /// <summary>The place of the first pane that a window, or a later one, may hold.</summary>
    public int FirstFrom(long period)
    {
        if (Count == 0 || this[0].Period >= period) return 0;
        var (low, high) = (1, Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (this[middle].Period < period) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    /// <summary>The number of the first window from one on that holds any pane.</summary>
    public long? NextFrom(long number)
    {
        var at = FirstFrom(number);
        return at == Count ? null : Math.Max(number, this[at].First);
    }

    private void MakeRoom()
    {
        var to = Count * 2 > _panes.Length ? new OpenPane[_panes.Length * 2] : _panes;
        Array.Copy(_panes, _head, to, 0, Count);
        _panes = to;
        _head = 0;
    }
}

/// <summary>A pane that holds records.</summary>
/// <param name="Start">Its first millisecond.</param>
/// <param name="First">The number of the first window that holds it.</param>
/// <param name="Period">The number of the last window that holds it.</param>
/// <param name="Slot">Where its accumulator is.</param>
internal readonly record struct OpenPane(long Start, long First, long Period, int Slot);

/// <summary>
/// Folds the panes of one window after another, each pane in three merges or less: panes before a turning point are folded from there back to each of them, panes behind it forward
/// one after another, and a window is one of the first folds with the last of the second. Turning points lie where a window begins, as far apart as a window reaches, so that there is one in each window.
/// They depend on nothing but time: a window's result is put together in the same way, to the last bit, whatever was folded before it, after a restore too.
/// Source: van Herk 1992 and Gil and Werman 1993; with it two stacks (Tangwongsan, Hirzel and Schneider, "Low-latency sliding-window aggregation in worst-case constant time", 2017) turn at fixed times.
/// </summary>
internal sealed class PaneFold<TAccumulator>
{
    private TAccumulator[] _back = [];
    private int _backFirst;
    private int _backCount;
    private TAccumulator _forward = default!;
    private bool _hasForward;
    private int _forwardEnd;
    private long _turn;
    private bool _isValid;

    /// <summary>Forgets all folds, because a pane in them has changed.</summary>
    public void Clear()
    {
        _isValid = false;
        _forward = default!;
        _back.AsSpan(0, _backCount).Clear();
        _backCount = 0;
    }

    /// <summary>Folds the panes of a window; false when the line has none in it. Windows of one line are asked for in order, or <see cref="Clear"/> is called between.</summary>
    public bool TryFold<TKey, TIn, TResult>(
        long number, long overlap, PaneLine<TKey, TAccumulator> line, WindowTable<TKey, TAccumulator> table, Functions.AggregateFunction<TIn, TAccumulator, TResult> aggregate, out TAccumulator result)
        where TKey : notnull
    {
        var turn = Turn(number, overlap);
        if (!_isValid || turn != _turn) TurnAt(turn, number, line, table, aggregate);
        for (var at = _forwardEnd - line.Left; at < line.Count && line[at].First <= number; at++, _forwardEnd++)
        {
            ref readonly var pane = ref table.Read(line[at].Slot);
            if (_hasForward) aggregate.Merge(ref _forward, in pane);
            else _forward = pane;
            _hasForward = true;
        }

        var back = line.FirstFrom(number) + line.Left - _backFirst;
        if (back >= _backCount)
        {
            result = _forward;
            return _hasForward;
        }

        result = _back[back];
        if (_hasForward) aggregate.Merge(ref result, in _forward);
        return true;
    }

    private void TurnAt<TKey, TIn, TResult>(
        long turn, long number, PaneLine<TKey, TAccumulator> line, WindowTable<TKey, TAccumulator> table, Functions.AggregateFunction<TIn, TAccumulator, TResult> aggregate)
        where TKey : notnull
    {
        Clear();
        var first = line.FirstFrom(number);
        var end = line.FirstFrom(turn);
        if (_back.Length < end - first) _back = new TAccumulator[Math.Max(end - first, _back.Length * 2)];
        _backCount = end - first;
        for (var i = _backCount - 1; i >= 0; i--)
        {
            _back[i] = table.Read(line[first + i].Slot);
            if (i + 1 < _backCount) aggregate.Merge(ref _back[i], in _back[i + 1]);
        }

        _backFirst = first + line.Left;
        _forwardEnd = end + line.Left;
        _hasForward = false;
        _turn = turn;
        _isValid = true;
    }

    /// <summary>The number of the window that begins at the turning point: the first from <paramref name="number"/> on that divides by the overlap.</summary>
    private static long Turn(long number, long overlap)
    {
        var behind = number % overlap;
        if (behind == 0) return number;
        return Time.EventTime.Plus(number, behind > 0 ? overlap - behind : -behind);
    }
}
