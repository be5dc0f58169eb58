using System.Diagnostics.CodeAnalysis;
using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Windows;

/// <summary>
/// The open panes of one key, in the order of time, and the folds of them that windows share: a window costs three merges or less for each pane, however many it holds.
/// Panes before a turning point are folded from there back to each of them, panes behind it forward one after another, and a window is one of the first folds with the last of the second. Turning points lie
/// where a window begins, as far apart as a window reaches, so that there is one in each window. They depend on nothing but time: a window's result is put together in the same way, to the last bit, whatever was
/// folded before it, after a restore too.
/// Source: van Herk 1992 and Gil and Werman 1993; with it two stacks (Tangwongsan, Hirzel and Schneider, "Low-latency sliding-window aggregation in worst-case constant time", 2017) turn at fixed times.
/// </summary>
internal sealed class PaneLine<TKey, TAccumulator>(TKey key, ulong hash)
    where TKey : notnull
{
    private OpenPane[] _panes = new OpenPane[2];
    private int _head;

    /// <summary>How many panes have left from the front since the line began, so that a place behind them keeps its number.</summary>
    private int _left;

    private TAccumulator _forward = default!;
    private bool _hasForward;

    /// <summary>Panes up to this number, counted from the line's beginning, are folded; those up to the other have a fold of their own.</summary>
    private int _forwardEnd;
    private int _backEnd;
    private long _turn;
    private bool _isFolded;

    public TKey Key => key;

    public ulong Hash => hash;

    /// <summary>The number of the window that the key fires next; null when its panes are in none that is still to fire.</summary>
    public long? Next { get; set; }

    public int Count { get; private set; }

    private ref OpenPane this[int at] => ref _panes[_head + at];

    /// <summary>Puts a pane to its place in time: mostly at the end.</summary>
    public void Add(in Pane pane, int slot)
    {
        if (_head + Count == _panes.Length) MakeRoom();
        var at = _head + Count++;
        for (; at > _head && _panes[at - 1].IsBehind(in pane); at--) _panes[at] = _panes[at - 1];
        _panes[at] = new OpenPane { First = pane.First, Period = pane.Period, Slot = slot };
    }

    public void Remove(int slot)
    {
        var at = Array.FindIndex(_panes, _head, Count, pane => pane.Slot == slot);
        Array.Copy(_panes, at + 1, _panes, at, _head + --Count - at);
    }

    /// <summary>Removes the panes that are in no window behind a number.</summary>
    public void RemoveUpTo(long number)
    {
        while (Count > 0 && this[0].Period <= number)
        {
            this[0].Back = default!;
            _head++;
            _left++;
            if (--Count == 0) _head = 0;
        }
    }

    /// <summary>The number of the first window from one on that holds any pane.</summary>
    public long? NextFrom(long number)
    {
        var at = FirstFrom(number);
        return at == Count ? null : Math.Max(number, this[at].First);
    }

    /// <summary>Whether a pane is there that is in one window and in none behind it.</summary>
    public bool HasPaneOf(long period)
    {
        var at = FirstFrom(period);
        return at < Count && this[at].Period == period;
    }

    /// <summary>Forgets all folds, because a pane in them has changed, or windows are asked for that came before.</summary>
    public void ForgetFolds()
    {
        _isFolded = false;
        _forward = default!;
    }

    /// <summary>Folds the panes of a window; false when the line has none in it. Windows are asked for in order, or <see cref="ForgetFolds"/> is called between.</summary>
    public bool TryFold<TIn, TResult>(
        long number, long overlap, WindowTable<TKey, TAccumulator> table, AggregateFunction<TIn, TAccumulator, TResult> aggregate, [MaybeNullWhen(false)] out TAccumulator result)
    {
        var turn = Turn(number, overlap);
        if (!_isFolded || turn != _turn) TurnAt(turn, number, table, aggregate);
        for (var at = _forwardEnd - _left; at < Count && this[at].First <= number; at++, _forwardEnd++)
        {
            ref readonly var pane = ref table.Read(this[at].Slot);
            if (_hasForward) aggregate.Merge(ref _forward, in pane);
            else _forward = pane;
            _hasForward = true;
        }

        var back = FirstFrom(number);
        if (back + _left >= _backEnd)
        {
            result = _forward;
            return _hasForward;
        }

        result = this[back].Back;
        if (_hasForward) aggregate.Merge(ref result, in _forward);
        return true;
    }

    private void TurnAt<TIn, TResult>(long turn, long number, WindowTable<TKey, TAccumulator> table, AggregateFunction<TIn, TAccumulator, TResult> aggregate)
    {
        var first = FirstFrom(number);
        var end = FirstFrom(turn);
        for (var at = end - 1; at >= first; at--)
        {
            ref var pane = ref this[at];
            pane.Back = table.Read(pane.Slot);
            if (at + 1 < end) aggregate.Merge(ref pane.Back, in this[at + 1].Back);
        }

        _backEnd = _forwardEnd = end + _left;
        _forward = default!;
        _hasForward = false;
        _turn = turn;
        _isFolded = true;
    }

    /// <summary>The place of the first pane that a window, or a later one, may hold.</summary>
    private int FirstFrom(long period)
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

    /// <summary>The number of the window that begins at the turning point: the first from <paramref name="number"/> on that divides by the overlap.</summary>
    private static long Turn(long number, long overlap)
    {
        var behind = number % overlap;
        if (behind == 0) return number;
        return Time.EventTime.Plus(number, behind > 0 ? overlap - behind : -behind);
    }

    private void MakeRoom()
    {
        var to = Count * 2 > _panes.Length ? new OpenPane[_panes.Length * 2] : _panes;
        Array.Copy(_panes, _head, to, 0, Count);
        Array.Clear(to, Count, to.Length - Count);
        _panes = to;
        _head = 0;
    }

    /// <summary>A pane that holds records.</summary>
    private struct OpenPane
    {
        /// <summary>The number of the first window that holds it.</summary>
        public long First;

        /// <summary>The number of the last window that holds it.</summary>
        public long Period;

        /// <summary>Where its accumulator is.</summary>
        public int Slot;

        /// <summary>It and those behind it up to the turning point, folded.</summary>
        public TAccumulator Back;

        public readonly bool IsBehind(in Pane other) => Period > other.Period || (Period == other.Period && First > other.First);
    }
}
