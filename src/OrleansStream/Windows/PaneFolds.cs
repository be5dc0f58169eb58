using System.Diagnostics.CodeAnalysis;
using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Windows;

/// <summary>
/// The keys that have panes in the windows to come, and the folds of panes that windows share: a window costs three merges or less for each pane, however many it holds.
/// Panes before a turning point are folded from there back to each of them, panes behind it forward one after another, and a window is one of the first folds with the last of the second. Turning points lie
/// where a window begins, as far apart as a window reaches, so that there is one in each window. They depend on nothing but time: a window's result is put together in the same way, to the last bit, whatever was
/// folded before it, after a restore too.
/// All of it is done start by start, for all keys at once, and not key by key: what is touched lies together, and what a key needs for its next window is two accumulators.
/// Source: van Herk 1992 and Gil and Werman 1993; with it two stacks (Tangwongsan, Hirzel and Schneider, "Low-latency sliding-window aggregation in worst-case constant time", 2017) turn at fixed times.
/// </summary>
/// <remarks>
/// A window takes these steps, each in parts, so that no turn is held up: the panes that are new in it enter; where the turning point moves, all panes are folded anew, those before it from the last
/// to the first, the others from the first to the last; every line is asked by <see cref="TryFold"/>; the panes that are last in it leave.
/// </remarks>
internal sealed class PaneFolds<TKey, TIn, TAccumulator, TResult>(
    SlidingWindows windows, PaneStarts starts, WindowTable<TKey, TAccumulator> table, AggregateFunction<TIn, TAccumulator, TResult> aggregate)
    where TKey : notnull
{
    /// <summary>How many runs of slots are gone through in one go.</summary>
    private const int MostRuns = 128;

    private readonly PagedColumn<Fold> _folds = new();
    private PagedColumn<Line> _lines = new();
    private SlotIndex _index = new();
    private SlotPool _pool = new();
    private readonly List<int> _behind = [];
    private long? _turn;
    private int _turns;
    private int _at;

    /// <summary>How many keys have panes here.</summary>
    public int Count => _index.Count;

    /// <summary>The numbers of all lines are below it.</summary>
    public int Limit => _pool.Limit;

    /// <summary>The key whose panes were folded last, for people.</summary>
    public TKey Last => table.KeyOf(_at);

    /// <summary>Lines of keys that have gone are most: then it is better to let go of all, and to let the panes enter anew.</summary>
    public bool IsSparse => Limit > 1024 && Count < Limit / 4;

    /// <summary>Goes through the panes of a start, a part of them; true when there are more.</summary>
    /// <param name="pass">What is done with them.</param>
    /// <param name="start">The start.</param>
    /// <param name="run">The run of slots to go on with.</param>
    public bool Some(PanePass pass, long start, ref int run)
    {
        _folds.Reserve(table.SlotLimit);
        var runs = table.RunsOf(start);
        for (var end = Math.Min(run + MostRuns, runs.Length); run < end; run++)
        {
            for (var slot = runs[run]; slot < runs[run] + SlotRuns.Length; slot++)
            {
                if (pass is PanePass.Enter or PanePass.EnterFolded)
                {
                    if (table.IsLive(slot)) Enter(slot, pass == PanePass.EnterFolded);
                    continue;
                }

                if (_folds.Read(slot).LinePlusOne is var line && line == 0) continue;
                if (pass == PanePass.FoldBack) FoldBack(slot);
                else if (pass == PanePass.FoldForward) FoldForward(ref Begun(line - 1), slot, in table.Read(slot));
                else Leave(slot);
            }
        }

        return run < runs.Length;
    }

    /// <summary>A pane that came or changed late: its key's folds are made anew before they are used.</summary>
    public void EnterLate(int slot, bool isNew)
    {
        if (isNew)
        {
            _folds.Reserve(slot + 1);
            Enter(slot, isFolded: false);
        }

        _lines.Write(_folds.Read(slot).LinePlusOne - 1).IsStale = true;
    }

    /// <summary>Moves the turning point to where it is for a window; false when it is there. All panes are to be folded anew when it has moved.</summary>
    public bool TurnFor(long number)
    {
        if (windows.TurnOf(number) is var turn && turn == _turn) return false;
        _turn = turn;
        _turns++;
        return true;
    }

    /// <summary>Lets go of all lines, and of the room that they took.</summary>
    public void Clear() => (_lines, _index, _pool) = (new(), new(), new());

    /// <summary>Folds the panes of a line for a window; false when there is no line of that number.</summary>
    public bool TryFold(int id, long number, [MaybeNullWhen(false)] out TKey key, out ulong hash, [MaybeNullWhen(false)] out TAccumulator result)
    {
        ref readonly var line = ref _lines.Read(id);
        (key, hash) = (line.Key, line.Hash);
        if (line.Panes == 0)
        {
            result = default;
            return false;
        }

        if (line.IsStale) FoldAnew(id, number);
        if (!line.HasBack)
        {
            result = line.Forward;
            return true;
        }

        result = line.Back;
        if (line.HasForward) aggregate.Merge(ref result, in line.Forward);
        return true;
    }

    private void Enter(int slot, bool isFolded)
    {
        ref readonly var pane = ref table.Read(slot, out var key, out var hash, out _);
        var id = GetOrAdd(key, hash);
        _folds.Write(slot) = new Fold { LinePlusOne = id + 1 };
        ref var line = ref _lines.Write(id);
        line.Panes++;
        if (isFolded) FoldForward(ref line, slot, in pane);
    }

    private void Leave(int slot)
    {
        ref var fold = ref _folds.Write(slot);
        var id = fold.LinePlusOne - 1;
        ref var line = ref _lines.Write(id);
        // A pane behind the turning point leaves as that moves on, and then all is folded anew.
        (line.Back, line.HasBack) = (fold.Behind, fold.HasBehind);
        fold = default;
        if (--line.Panes > 0) return;
        _index.Remove(SlotIndex.TagOf(line.Hash), id);
        _pool.Return(id);
        line = default;
    }

    private void FoldBack(int slot)
    {
        _at = slot;
        ref var fold = ref _folds.Write(slot);
        ref var line = ref Begun(fold.LinePlusOne - 1);
        (fold.Behind, fold.HasBehind) = (line.Back, line.HasBack);
        line.Back = table.Read(slot);
        line.HasBack = true;
        if (fold.HasBehind) aggregate.Merge(ref line.Back, in fold.Behind);
    }

    private void FoldForward(ref Line line, int slot, in TAccumulator pane)
    {
        _at = slot;
        if (line.HasForward) aggregate.Merge(ref line.Forward, in pane);
        else line.Forward = pane;
        line.HasForward = true;
    }

    private void FoldAnew(int id, long number)
    {
        ref var line = ref _lines.Write(id);
        (line.IsStale, line.HasBack, line.HasForward) = (false, false, false);
        _behind.Clear();
        foreach (var start in starts.OfWindows(number, number))
        {
            if (!table.TryGet(line.Key, line.Hash, start, out var slot)) continue;
            if (windows.PaneOf(start).Period < _turn) _behind.Add(slot);
            else FoldForward(ref line, slot, in table.Read(slot));
        }

        for (var i = _behind.Count - 1; i >= 0; i--) FoldBack(_behind[i]);
    }

    /// <summary>A line of which nothing is folded yet since the turning point moved, or something is.</summary>
    private ref Line Begun(int id)
    {
        ref var line = ref _lines.Write(id);
        if (line.Turns == _turns) return ref line;
        (line.Turns, line.IsStale, line.HasBack, line.HasForward) = (_turns, false, false, false);
        return ref line;
    }

    private int GetOrAdd(TKey key, ulong hash)
    {
        var tag = SlotIndex.TagOf(hash);
        var buckets = _index.Buckets;
        for (var i = _index.Home(tag); buckets[i].SlotPlusOne != 0; i = (i + 1) & (buckets.Length - 1))
        {
            if (buckets[i].Tag != tag) continue;
            ref readonly var line = ref _lines.Read(buckets[i].SlotPlusOne - 1);
            if (line.Hash == hash && KeyCodec<TKey>.Same(line.Key, key)) return buckets[i].SlotPlusOne - 1;
        }

        var id = _pool.Take();
        _lines.Reserve(id + 1);
        _lines.Write(id) = new Line { Key = key, Hash = hash, Turns = _turns };
        _index.Add(tag, id);
        return id;
    }

    /// <summary>What a key needs for its next window.</summary>
    private struct Line
    {
        public TKey Key;
        public ulong Hash;
        public int Panes;

        /// <summary>How often the turning point had moved when the folds were begun.</summary>
        public int Turns;

        public bool IsStale;
        public bool HasBack;
        public bool HasForward;

        /// <summary>The panes before the turning point, from the first that has not left.</summary>
        public TAccumulator Back;

        /// <summary>Those behind it.</summary>
        public TAccumulator Forward;
    }

    /// <summary>What is kept for a pane.</summary>
    private struct Fold
    {
        /// <summary>0 when the pane is in none of the windows to come, or has not entered yet.</summary>
        public int LinePlusOne;

        public bool HasBehind;

        /// <summary>The panes of its key behind it, up to the turning point.</summary>
        public TAccumulator Behind;
    }
}

/// <summary>What is done with the panes of a start.</summary>
internal enum PanePass
{
    /// <summary>They enter, and are folded with all others later.</summary>
    Enter,

    /// <summary>They enter, and are folded into those before them.</summary>
    EnterFolded,

    /// <summary>They lie before the turning point, and are folded into those behind them.</summary>
    FoldBack,

    /// <summary>They lie behind the turning point, and are folded into those before them.</summary>
    FoldForward,

    /// <summary>They leave.</summary>
    Leave,
}
