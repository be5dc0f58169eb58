using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>
/// Aggregates records by key and sliding event-time window. A record goes into one pane, whatever the number of windows it is in; a window is folded from panes when it fires (see <see cref="PaneLine{TKey, TAccumulator}"/>),
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
    private readonly SlidingSchedule<TKey, TAccumulator> _schedule = new();
    private readonly List<(TResult Value, long Number)> _again = [];
    private readonly Stack<long> _leaving = new();
    private readonly Output<WindowResult<TKey, TResult>> _output;
    private readonly Output<TIn> _late;
    private readonly Failures<TIn> _failures;
    private long _watermark = EventTime.Beginning;
    private long _ended = EventTime.Beginning;
    private long _expired = EventTime.Beginning;
    private Pane _pane = new(EventTime.End, EventTime.Beginning, 0, 0);
    private long _removed = EventTime.Beginning;
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
        _table = new WindowTable<TKey, TAccumulator>(name, context.Groups, context.MaxParallelism, context.Serializers);
        context.State.Register(_table);
    }

    public bool HasPending => _pending;

    public override ValueTask OpenAsync(CancellationToken cancellation)
    {
        Reach(_context.RestoredWatermark);
        for (var slot = 0; slot < _table.SlotLimit; slot++)
        {
            if (!_table.IsLive(slot)) continue;
            // What a former subtask at a lower watermark had not fired is still to fire.
            var pane = _windows.PaneOf(_table.StartOf(slot));
            _schedule.Add(_table.KeyOf(slot), _table.HashOf(slot), in pane, slot, _windows.LastEndedBy(_context.FormerWatermarkOf(_table.HashOf(slot))));
        }

        _pending = _context.IsBehind;
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
        while (_schedule.TryTakeDue(_ended, out var number, out var line))
        {
            Fire(line, number);
            FaultPoints.Pass(FaultPoint.Firing);
            if (!_context.HasRoom)
            {
                _output.Flush();
                return;
            }
        }

        _output.Flush();
        while (_schedule.TryTakeExpired(_expired, out var line)) RemoveExpired(line);
        if (!RemoveExpired()) return;
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
            if (added) _schedule.Add(key, hash, in _pane, slot, _ended);
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
        var line = added ? _schedule.Add(key, hash, in _pane, slot, _ended) : _schedule.LineOf(key, hash);
        line.ForgetFolds();
        _again.Clear();
        try
        {
            for (var number = Math.Max(_pane.First, EventTime.Plus(_expired, 1)); number <= Math.Min(_pane.Period, _ended); number++)
            {
                if (line.TryFold(number, _windows.Overlap, _table, _aggregate, out var accumulator)) _again.Add((_aggregate.Result(in accumulator), number));
            }
        }
        catch
        {
            if (added)
            {
                _schedule.TakeBack(line, slot);
                _table.Remove(slot);
            }
            else
            {
                _table.GetRefForWrite(slot) = before;
            }

            throw;
        }
        finally
        {
            line.ForgetFolds();
        }

        foreach (var (value, number) in _again) Emit(key, number, value, WindowFiring.Late);
    }

    private void Fire(PaneLine<TKey, TAccumulator> line, long number)
    {
        try
        {
            if (line.TryFold(number, _windows.Overlap, _table, _aggregate, out var accumulator)) Emit(line.Key, number, _aggregate.Result(in accumulator), WindowFiring.OnTime);
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            throw WindowFailure.Of(_context, Name, line.Key, $"{_windows.Window(number)}", "making the result", error);
        }

        if (_lateness == 0) line.RemoveUpTo(Math.Min(number, _expired));
        _schedule.Fired(line, number);
    }

    private void RemoveExpired(PaneLine<TKey, TAccumulator> line)
    {
        line.RemoveUpTo(_expired);
        if (line.Count == 0) _schedule.Forget(line);
    }

    /// <summary>Removes expired panes from the table, all keys' at once; false when some are left for another turn.</summary>
    private bool RemoveExpired()
    {
        if (_removed != _expired)
        {
            _removed = _expired;
            foreach (var start in _table.Starts)
            {
                if (_windows.PaneOf(start).Period <= _expired) _leaving.Push(start);
            }
        }

        while (_leaving.TryPeek(out var start))
        {
            if (!_table.RemoveSome(start)) return false;
            _leaving.Pop();
        }

        return true;
    }


    private void Emit(TKey key, long number, TResult value, WindowFiring firing)
    {
        if (number != _emitted || _emittedLast == EventTime.Beginning) (_emitted, _window, _emittedLast) = (number, _windows.Window(number), _windows.LastOf(number));
        _output.Emit(new WindowResult<TKey, TResult>(key, _window, value) { Firing = firing }, _emittedLast);
    }

    /// <summary>Panes that begin before this line are gone for good: those of the last expired window's period and before.</summary>
    private long PurgeLine() =>
        _expired is EventTime.Beginning or EventTime.End ? _expired : _windows.StartOf(_expired + 1);
}
