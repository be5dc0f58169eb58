using System.Runtime.CompilerServices;
using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>
/// Aggregates records by key and tumbling event-time window. A window fires when the watermark reaches its last millisecond; with allowed lateness it
/// is kept that much longer, and each record that still comes fires it again. A record whose window is gone is late: it goes to the late output, counted.
/// Invariant: a window fires on time once, over restarts too, because the watermark is restored before the first record.
/// Source: Flink's WindowOperator with EventTimeTrigger.
/// </summary>
internal sealed class WindowOperator<TKey, TIn, TAccumulator, TResult> : Operator<TIn>, IResumable
    where TKey : notnull
{
    private readonly SubtaskContext _context;
    private readonly Func<TIn, TKey> _key;
    private readonly TumblingWindows _windows;
    private readonly long _lateness;
    private readonly AggregateFunction<TIn, TAccumulator, TResult> _aggregate;
    private readonly WindowTable<TKey, TAccumulator> _table;
    private readonly WindowSchedule _schedule = new();
    private readonly Output<WindowResult<TKey, TResult>> _output;
    private readonly Output<TIn> _late;
    private readonly Failures<TIn> _failures;
    private readonly Func<long, bool> _isDue;
    private readonly Func<long, bool> _isExpired;
    private long _watermark = EventTime.Beginning;
    private long _start = EventTime.End;
    private long _last;
    private long? _closed;
    private bool _pending;

    public WindowOperator(
        string name, SubtaskContext context, Func<TIn, TKey> key, TumblingWindows windows, TimeSpan lateness, AggregateFunction<TIn, TAccumulator, TResult> aggregate,
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
        _isDue = IsDue;
        _isExpired = IsExpired;
        _table = context.State.Register(new WindowTable<TKey, TAccumulator>(name, context.Groups, context.MaxParallelism, context.Serializers));
    }

    public bool HasPending => _pending;

    [MethodImpl(Compilation.AtOnce)]
    public override ValueTask OpenAsync(CancellationToken cancellation)
    {
        _watermark = _context.RestoredWatermark;
        for (var slot = 0; slot < _table.SlotLimit; slot++)
        {
            if (_table.IsLive(slot)) _schedule.Add(_table.StartOf(slot), slot, fired: Last(_table.StartOf(slot)) <= _context.FormerWatermarkOf(_table.HashOf(slot)));
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
        _watermark = watermark;
        // Before the windows go, so that their going needs no trace in the snapshots.
        _table.PurgedBefore = Math.Max(_table.PurgedBefore, PurgeLine());
        _pending = true;
        Resume();
    }

    public void Resume()
    {
        while (_schedule.TryTakeDue(_isDue, keep: _lateness > 0, out var slot))
        {
            var start = Fire(slot);
            FaultPoints.Pass(FaultPoint.Firing);
            if (_lateness == 0) Remove(slot, start);
            if (!_context.HasRoom)
            {
                _output.Flush();
                return;
            }
        }

        _output.Flush();
        if (_lateness > 0)
        {
            while (_schedule.TryTakeExpired(_isExpired, out var slot)) Remove(slot, _table.StartOf(slot));
        }

        _pending = false;
        _output.Watermark(_watermark);
        _late.Watermark(_watermark);
        _failures.Watermark(_watermark);
    }

    private void Add(in TIn record, long timestamp, ulong hash)
    {
        // Records come mostly in runs of one window: two divisions saved.
        if (timestamp < _start || timestamp > _last)
        {
            _start = _windows.StartOf(timestamp);
            _last = Last(_start);
        }

        var start = _start;
        if (EventTime.Plus(_last, _lateness) <= _watermark)
        {
            _context.Counters.LateRecords++;
            _late.Emit(record, timestamp);
            return;
        }

        var slot = _table.GetOrAdd(_key(record), hash, start, out var added);
        var fired = _last <= _watermark;
        if (_failures.MustUndo || fired) AddOrTakeBack(slot, in record, added, fired);
        else _table.Fold(_aggregate, slot, in record, added);
        if (added) _schedule.Add(start, slot, fired);
    }

    /// <summary>The fold, and the result of a window that fires again for it, are made of a copy, so that a record at which they throw leaves nothing behind.</summary>
    private void AddOrTakeBack(int slot, in TIn record, bool added, bool fired)
    {
        try
        {
            var folded = _table.Folded(_aggregate, slot, in record, added);
            if (fired) Emit(_key(record), _start, _aggregate.Result(in folded), WindowFiring.Late);
            _table.GetRefForWrite(slot) = folded;
        }
        catch
        {
            if (added) _table.Remove(slot);
            throw;
        }
    }

    /// <summary>Removes a window of a start that is over: the schedule hands out all of them in a row, so the first closes the start.</summary>
    private void Remove(int slot, long start)
    {
        if (start != _closed) _table.Close(start);
        _closed = start;
        _table.Remove(slot);
    }

    /// <summary>Emits the result of a window as it stands; returns its start.</summary>
    private long Fire(int slot)
    {
        ref readonly var accumulator = ref _table.Read(slot, out var key, out _, out var start);
        try
        {
            Emit(key, start, _aggregate.Result(in accumulator), WindowFiring.OnTime);
            return start;
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            throw WindowFailure.Of(_context, Name, key, $"from {EventTime.Show(start)}", "making the result", error);
        }
    }

    private void Emit(TKey key, long start, TResult value, WindowFiring firing) =>
        _output.Emit(new WindowResult<TKey, TResult>(key, new TimeWindow(start, _windows.EndOf(start)), value) { Firing = firing }, Last(start));

    private long Last(long start) => _windows.LastOf(start);

    private bool IsDue(long start) => Last(start) <= _watermark;

    private bool IsExpired(long start) => EventTime.Plus(Last(start), _lateness) <= _watermark;

    /// <summary>Windows that begin before this line are gone for good.</summary>
    private long PurgeLine()
    {
        if (_watermark == EventTime.Beginning) return EventTime.Beginning;
        if (_watermark == EventTime.End) return EventTime.End;
        return EventTime.Minus(EventTime.Minus(_watermark, _lateness), _windows.SizeMilliseconds - 1) is var line && line > EventTime.Beginning ? line + 1 : line;
    }
}
