using System.Runtime.CompilerServices;
using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>
/// Aggregates records by key and sliding event-time window. A record goes into one pane, whatever the number of windows it is in; a window is folded from panes when it fires (see <see cref="PaneFolds{TKey, TIn, TAccumulator, TResult}"/>),
/// so that neither records nor firings cost more where windows overlap more. Only panes are state. A record behind the watermark is in those of its windows that are still kept, and fires again those of them
/// that have fired; it is late when none is kept.
/// Invariant: a window of a key fires on time once, over restarts too: what has fired follows from the watermark, which is restored before the first record.
/// </summary>
internal sealed class SlidingOperator<TKey, TIn, TAccumulator, TResult> : Operator<TIn>, IResumable
    where TKey : notnull
{
    private readonly SubtaskContext _context;
    private readonly Func<TIn, TKey> _key;
    private readonly SlidingWindows _windows;
    private readonly long _lateness;
    private readonly AggregateFunction<TIn, TAccumulator, TResult> _aggregate;
    private readonly WindowTable<TKey, TAccumulator> _table;
    private readonly PaneStarts _starts;
    private readonly PaneFolds<TKey, TIn, TAccumulator, TResult> _folds;
    private readonly PaneLine<TKey, TIn, TAccumulator, TResult> _line;
    private readonly List<(TResult Value, long Number)> _again = [];
    private readonly Output<WindowResult<TKey, TResult>> _output;
    private readonly Output<TIn> _late;
    private readonly Failures<TIn> _failures;
    private long _watermark = EventTime.Beginning;
    private long _ended = EventTime.Beginning;
    private long _expired = EventTime.Beginning;
    private Pane _pane = new(EventTime.End, EventTime.Beginning, 0, 0);
    private long _fired = EventTime.Beginning;
    private long _restored = EventTime.Beginning;
    private long? _next;
    private IEnumerator<bool>? _firing;
    private long _emitted;
    private TimeWindow _window;
    private long _emittedLast = EventTime.Beginning;
    private bool _pending;

    public SlidingOperator(
        string name, SubtaskContext context, Func<TIn, TKey> key, SlidingWindows windows, TimeSpan lateness, AggregateFunction<TIn, TAccumulator, TResult> aggregate,
        Output<WindowResult<TKey, TResult>> output, Output<TIn> late, Failures<TIn> failures)
    {
        _context = context;
        _key = key;
        _windows = windows;
        _lateness = (long)lateness.TotalMilliseconds;
        _aggregate = aggregate;
        _output = output;
        _late = late;
        _failures = failures;
        _table = context.State.Register(new WindowTable<TKey, TAccumulator>(name, context.Groups, context.MaxParallelism, context.Serializers));
        _starts = new PaneStarts(windows);
        _folds = new PaneFolds<TKey, TIn, TAccumulator, TResult>(windows, _starts, _table, aggregate);
        _line = new PaneLine<TKey, TIn, TAccumulator, TResult>(windows, _table, aggregate);
    }

    public bool HasPending => _pending;

    [MethodImpl(Compilation.AtOnce)]
    public override ValueTask OpenAsync(CancellationToken cancellation)
    {
        Reach(_context.RestoredWatermark);
        _fired = _ended;
        var isBehind = _context.IsBehind;
        if (isBehind) _restored = _ended;
        for (var slot = 0; slot < _table.SlotLimit; slot++)
        {
            if (!_table.IsLive(slot)) continue;
            _starts.Note(_table.StartOf(slot));
            // What a former subtask at a lower watermark had not fired is still to fire.
            if (isBehind) _fired = Math.Min(_fired, FiredBefore(_table.HashOf(slot)));
        }

        foreach (var start in _starts.OfWindows(EventTime.Plus(_fired, 1), _fired))
        {
            var run = 0;
            while (_folds.Some(PanePass.Enter, start, ref run))
            {
            }
        }

        _next = _starts.NextBehind(_fired);
        _pending = isBehind;
        return ValueTask.CompletedTask;
    }

    public override void OnRecords(Records<TIn> records)
    {
        var next = 0;
        while (next < records.Count)
        {
            try
            {
                for (; next < records.Count; next++) Add(in records.Values[next], records.Timestamps[next], records.KeyHashes[next]);
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                var record = records.Values[next];
                _failures.Take(error, record, records.Timestamps[next], _key(record).ToString());
                next++;
            }
        }

        _output.Flush();
        _late.Flush();
        _failures.Flush();
    }

    public override void OnWatermark(long watermark)
    {
        Reach(watermark);
        // Before the panes go, so that their going needs no trace in the snapshots.
        _table.PurgedBefore = Math.Max(_table.PurgedBefore, PurgeLine());
        _pending = true;
        Resume();
    }

    public void Resume()
    {
        if (_firing is null && NextNumber() <= _ended) _firing = Firing();
        if (_firing?.MoveNext() == true)
        {
            _output.Flush();
            return;
        }

        _output.Flush();
        _firing = null;
        _fired = _ended;
        while (_starts.FirstUpTo(_expired) is { } start)
        {
            if (!_table.RemoveSome(start)) return;
            _starts.Forget(start);
        }

        _pending = false;
        _output.Watermark(_watermark);
        _late.Watermark(_watermark);
        _failures.Watermark(_watermark);
    }

    private void Reach(long watermark)
    {
        _watermark = watermark;
        _ended = _windows.LastEndedBy(watermark);
        _expired = watermark == EventTime.End ? EventTime.End : _windows.LastEndedBy(EventTime.Minus(watermark, _lateness));
    }

    private void Add(in TIn record, long timestamp, ulong hash)
    {
        // Records come mostly in runs of one pane: divisions saved.
        if (timestamp < _pane.Start || timestamp > _pane.Last) _pane = _windows.PaneOf(timestamp);
        if (_pane.First > _pane.Period || _pane.Period <= _expired)
        {
            Drop(in record, timestamp);
            return;
        }

        var key = _key(record);
        var slot = _table.GetOrAdd(key, hash, _pane.Start, out var added);
        if (_pane.First <= _ended)
        {
            AddLate(key, hash, slot, in record, added);
        }
        else
        {
            if (_failures.MustUndo) AddOrTakeBack(slot, in record, added);
            else _table.Fold(_aggregate, slot, in record, added);
            if (added) Note();
        }
    }

    private void Drop(in TIn record, long timestamp)
    {
        // Between windows that leave gaps a record belongs nowhere, which does not make it late.
        if (EventTime.Plus(timestamp, _lateness) > _watermark) return;
        _context.Counters.LateRecords++;
        _late.Emit(record, timestamp);
    }

    /// <summary>The fold works on a copy, so that a record at which it throws leaves nothing behind.</summary>
    private void AddOrTakeBack(int slot, in TIn record, bool added)
    {
        try
        {
            _table.GetRefForWrite(slot) = _table.Folded(_aggregate, slot, in record, added);
        }
        catch
        {
            if (added) _table.Remove(slot);
            throw;
        }
    }

    /// <summary>Some windows of the pane have fired: those that are still kept fire again, once all of them are known to succeed.</summary>
    private void AddLate(TKey key, ulong hash, int slot, in TIn record, bool added)
    {
        var before = added ? default! : _table.Read(slot);
        AddOrTakeBack(slot, in record, added);
        _starts.Note(_pane.Start);
        _again.Clear();
        try
        {
            var (first, last) = (Math.Max(_pane.First, EventTime.Plus(_expired, 1)), Math.Min(_pane.Period, _ended));
            _line.Take(key, hash, _starts.OfWindows(first, last));
            for (var number = first; number <= last; number++)
            {
                if (_line.TryFold(number, out var accumulator)) _again.Add((_aggregate.Result(in accumulator), number));
            }
        }
        catch
        {
            if (added) _table.Remove(slot);
            else _table.GetRefForWrite(slot) = before;
            throw;
        }

        if (_pane.Period > _ended) _folds.EnterLate(slot, isNew: added);
        foreach (var (value, number) in _again) Emit(key, number, value, WindowFiring.Late);
    }

    private void Note()
    {
        _starts.Note(_pane.Start);
        if (_next is not { } next || next > _pane.First) _next = _pane.First;
    }

    /// <summary>The number of the window that fires next; null when there are no panes that are still to fire.</summary>
    private long? NextNumber() => _folds.Count > 0 ? EventTime.Plus(_fired, 1) : _next;

    /// <summary>Fires window after window, as far as they have ended. Gives way when there is no room, and when it has taken long.</summary>
    private IEnumerator<bool> Firing()
    {
        while (NextNumber() is { } number && number <= _ended)
        {
            var hasTurned = _folds.TurnFor(number);
            var isAnew = hasTurned && _folds.IsSparse;
            if (isAnew) _folds.Clear();
            foreach (var start in isAnew ? _starts.OfWindows(number, number) : _starts.NewIn(number, after: _fired))
            {
                for (var run = 0; GoOn(hasTurned ? PanePass.Enter : PanePass.EnterFolded, start, number, ref run);) yield return true;
            }

            _next = _starts.NextBehind(number);
            if (hasTurned)
            {
                var turn = _windows.TurnOf(number);
                foreach (var start in _starts.OfWindows(number, number).Reverse())
                {
                    if (_windows.PaneOf(start).Period >= turn) continue;
                    for (var run = 0; GoOn(PanePass.FoldBack, start, number, ref run);) yield return true;
                }

                foreach (var start in _starts.OfWindows(number, number))
                {
                    if (_windows.PaneOf(start).Period < turn) continue;
                    for (var run = 0; GoOn(PanePass.FoldForward, start, number, ref run);) yield return true;
                }
            }

            for (var line = 0; FireSome(number, ref line);) yield return true;

            foreach (var start in _starts.LastIn(number))
            {
                for (var run = 0; GoOn(PanePass.Leave, start, number, ref run);) yield return true;
            }

            _fired = number;
        }
    }

    private bool GoOn(PanePass pass, long start, long number, ref int run)
    {
        try
        {
            return _folds.Some(pass, start, ref run);
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            throw Failure(_folds.Last, number, error);
        }
    }

    /// <summary>Fires a window of some keys; true when there are more.</summary>
    private bool FireSome(long number, ref int line)
    {
        while (line < _folds.Limit)
        {
            Fire(line++, number);
            if (!_context.HasRoom) return true;
        }

        return false;
    }

    private void Fire(int line, long number)
    {
        TKey? key = default;
        try
        {
            if (!_folds.TryFold(line, number, out key, out var hash, out var accumulator)) return;
            if (number <= _restored && number <= FiredBefore(hash)) return;
            Emit(key, number, _aggregate.Result(in accumulator), WindowFiring.OnTime);
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            throw Failure(key!, number, error);
        }

        FaultPoints.Pass(FaultPoint.Firing);
    }

    /// <summary>The last window that the former subtask of a key had fired.</summary>
    private long FiredBefore(ulong hash) => _windows.LastEndedBy(_context.FormerWatermarkOf(hash));

    private FunctionException Failure(TKey key, long number, Exception error) => WindowFailure.Of(_context, Name, key, $"{_windows.Window(number)}", "making the result", error);

    private void Emit(TKey key, long number, TResult value, WindowFiring firing)
    {
        if (number != _emitted || _emittedLast == EventTime.Beginning) (_emitted, _window, _emittedLast) = (number, _windows.Window(number), _windows.LastOf(number));
        _output.Emit(new WindowResult<TKey, TResult>(key, _window, value) { Firing = firing }, _emittedLast);
    }

    /// <summary>Panes that begin before this line are gone for good: those of the last expired window's period and before.</summary>
    private long PurgeLine() =>
        _expired is EventTime.Beginning or EventTime.End ? _expired : _windows.StartOf(_expired + 1);
}
