using System.Diagnostics.CodeAnalysis;
using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Windows;

/// <summary>The panes of one key, in the order of time, folded for windows one after another: as <see cref="PaneFolds{TKey, TIn, TAccumulator, TResult}"/> does for all keys, to the last bit.</summary>
internal sealed class PaneLine<TKey, TIn, TAccumulator, TResult>(SlidingWindows windows, WindowTable<TKey, TAccumulator> table, AggregateFunction<TIn, TAccumulator, TResult> aggregate)
    where TKey : notnull
{
    private readonly List<(Pane Pane, int Slot)> _panes = [];
    private TAccumulator[] _back = [];
    private TAccumulator _forward = default!;
    private bool _hasForward;
    private int _backEnd;
    private int _forwardEnd;
    private long? _turn;

    /// <summary>Takes the panes of a key that are in any of some windows, which are asked for in order afterwards.</summary>
    public void Take(TKey key, ulong hash, IEnumerable<long> starts)
    {
        _panes.Clear();
        _turn = null;
        foreach (var start in starts)
        {
            if (table.TryGet(key, hash, start, out var slot)) _panes.Add((windows.PaneOf(start), slot));
        }
    }

    /// <summary>Folds the panes of a window; false when the key has none in it.</summary>
    public bool TryFold(long number, [MaybeNullWhen(false)] out TAccumulator result)
    {
        if (windows.TurnOf(number) is var turn && turn != _turn) TurnAt(turn, number);
        for (; _forwardEnd < _panes.Count && _panes[_forwardEnd].Pane.First <= number; _forwardEnd++)
        {
            ref readonly var pane = ref table.Read(_panes[_forwardEnd].Slot);
            if (_hasForward) aggregate.Merge(ref _forward, in pane);
            else _forward = pane;
            _hasForward = true;
        }

        var back = FirstFrom(number);
        if (back >= _backEnd)
        {
            result = _forward;
            return _hasForward;
        }

        result = _back[back];
        if (_hasForward) aggregate.Merge(ref result, in _forward);
        return true;
    }

    private void TurnAt(long turn, long number)
    {
        if (_back.Length < _panes.Count) _back = new TAccumulator[_panes.Count];
        _backEnd = _forwardEnd = FirstFrom(turn);
        var first = FirstFrom(number);
        for (var at = _backEnd - 1; at >= first; at--)
        {
            _back[at] = table.Read(_panes[at].Slot);
            if (at + 1 < _backEnd) aggregate.Merge(ref _back[at], in _back[at + 1]);
        }

        (_forward, _hasForward, _turn) = (default!, false, turn);
    }

    /// <summary>The place of the first pane that a window, or a later one, may hold.</summary>
    private int FirstFrom(long number)
    {
        var (low, high) = (0, _panes.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_panes[middle].Pane.Period < number) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
