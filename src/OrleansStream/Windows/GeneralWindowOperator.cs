using System.Runtime.CompilerServices;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>
/// Windows of any kind, with any trigger, evictor and function: a record is kept in each of its windows, and sessions of a key that overlap become one. What is late, fires, is purged and is over is as in
/// Flink's WindowOperator, EvictingWindowOperator and MergingWindowSet, but that timers of windows which are over, or became part of others, are forgotten without being asked for.
/// Invariants:
/// a window fires on time once, over restarts too: what has fired follows from the watermark, which is restored before the first record;
/// sessions of a key do not overlap;
/// a record that goes to the dead letters leaves nothing behind.
/// </summary>
internal sealed partial class GeneralWindowOperator<TKey, TIn> : Operator<TIn>, IResumable
    where TKey : notnull
{
    private static readonly ValueState<TimeWindow> SpanState = new(".span");
    private static readonly ValueState<long> LatestState = new(".latest") { Default = EventTime.Beginning };

    private readonly SubtaskContext _context;
    private readonly WindowSettings<TKey, TIn> _settings;
    private readonly WindowScope<TKey> _scope;
    private readonly KeyedStateTable<WindowKey<TKey>> _table;
    private readonly WindowContent<TKey, TIn> _content;
    private readonly Trigger<TIn>? _trigger;
    private readonly ValueColumn<TimeWindow>? _spans;
    private readonly ValueColumn<long>? _latest;
    private readonly long _lateness;
    private readonly WindowEnds _ends = new();
    private readonly List<TimeWindow> _assigned = [];
    private readonly Action<int> _released;
    private readonly Queue<(int Slot, long At)> _leftTimers = new();
    private long _reaching = EventTime.Beginning;
    private bool _pending;
    private bool _draining;

    public GeneralWindowOperator(string name, SubtaskContext context, WindowSettings<TKey, TIn> settings)
    {
        _context = context;
        _settings = settings;
        _content = settings.Content;
        _trigger = settings.Trigger;
        _lateness = (long)settings.Lateness.TotalMilliseconds;
        List<StateDeclaration> own = [_content.State];
        if (settings.Merges) own.Add(SpanState);
        if (settings.IsEndless) own.Add(LatestState);
        _scope = new WindowScope<TKey>(
            name, context, own, [.. _trigger?.States ?? [], .. settings.WindowStates], settings.KeyStates, settings.Outputs, settings.IsProcessingTime, settings.Failures.MustUndo);
        _table = _scope.Windows;
        _spans = settings.Merges ? _table.Values(SpanState) : null;
        _latest = settings.IsEndless ? _table.Values(LatestState) : null;
        _content.Open(_scope);
        _released = _ends.Remove;
    }

    public bool HasPending => _pending;

    /// <summary>The time that ends windows: the watermark or the clock.</summary>
    private long Now => !_settings.IsProcessingTime ? _scope.Watermark : _draining ? EventTime.End : _context.Now.Wall;

    [MethodImpl(Compilation.AtOnce)]
    public override ValueTask OpenAsync(CancellationToken cancellation)
    {
        _scope.Watermark = _reaching = _context.RestoredWatermark;
        for (var slot = 0; slot < _table.SlotLimit; slot++)
        {
            if (!_table.IsLive(slot) || !TryGetWindow(slot, out var window)) continue;
            if (_settings.Merges) Sessions(_table.KeyOf(slot).Key).Add(slot);
            Await(slot, _table.GroupHashOf(slot), window, _settings.IsProcessingTime ? EventTime.Beginning : _context.FormerWatermarkOf(_table.GroupHashOf(slot)));
        }

        _pending = _context.IsBehind;
        return ValueTask.CompletedTask;
    }

    public override void OnRecords(Records<TIn> records)
    {
        for (var next = 0; next < records.Count; next++)
        {
            ref readonly var record = ref records.Values[next];
            var key = _settings.Key(record);
            try
            {
                Add(key, records.KeyHashes[next], in record, records.Timestamps[next]);
                _scope.Keep(_released);
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                _scope.TakeBack(_released);
                _settings.Failures.Take(error, record, records.Timestamps[next], key.ToString());
            }
        }

        _settings.Outputs.Flush();
        _settings.Failures.Flush();
    }

    private void Add(TKey key, ulong hash, in TIn record, long timestamp)
    {
        _assigned.Clear();
        _settings.Assign(in record, _settings.IsProcessingTime ? _context.Now.Wall : timestamp, _assigned);
        var isTaken = false;
        foreach (var window in _assigned)
        {
            if (_settings.Merges)
            {
                isTaken |= AddToSession(key, hash, window, in record, timestamp);
            }
            else if (!IsOver(window))
            {
                isTaken = true;
                AddTo(_table.GetOrAddSlot(new WindowKey<TKey>(key, window.Start, window.End), hash), key, hash, window, in record, timestamp);
            }
        }

        if (isTaken || _settings.IsProcessingTime || EventTime.Plus(timestamp, _lateness) > _scope.Watermark) return;
        _context.Counters.LateRecords++;
        _settings.Late.Emit(record, timestamp);
    }

    private void AddTo(int slot, TKey key, ulong hash, TimeWindow window, in TIn record, long timestamp)
    {
        _scope.Touch(slot);
        _content.Add(slot, in record, timestamp);
        if (_latest is not null && timestamp > _latest.Get(slot))
        {
            _scope.Undo?.Remember(_latest, slot);
            _latest.Set(slot, timestamp);
        }

        if (_trigger is not null)
        {
            var context = new TriggerContext(_scope, slot, window);
            Do(_trigger.OnRecord(in record, timestamp, ref context), slot, key, hash, window, at: null);
        }
        else if (EndOf(window) <= Now)
        {
            Do(TriggerResult.Fire, slot, key, hash, window, at: null);
        }

        Await(slot, hash, window, Now);
    }

    /// <summary>Does what a trigger says at a record, or when a time came due of the kind that ends the window.</summary>
    private void Do(TriggerResult result, int slot, TKey key, ulong hash, TimeWindow window, long? at)
    {
        if ((result & TriggerResult.Fire) != 0 && !_content.IsEmpty(slot))
        {
            var end = EndOf(window);
            // By the time it was to fire at, so that it makes no difference in how large steps time goes on.
            var kind = at == end ? WindowFiring.OnTime : (at ?? Now) < end ? WindowFiring.Early : WindowFiring.Late;
            _content.Fire(new Firing<TKey>(slot, key, hash, window, kind, _latest?.Get(slot) ?? window.Last));
        }

        if ((result & TriggerResult.Purge) == 0) return;
        _content.Clear(slot);
        if (_latest is not null) _scope.Columns.Clear(_latest, slot);
    }

    /// <summary>The time at which a window has ended: the watermark when it reaches the last millisecond, the clock when that is over.</summary>
    private long EndOf(TimeWindow window) => _settings.IsProcessingTime ? window.End : window.Last;

    /// <summary>The time at which a window is over.</summary>
    private long OverAt(TimeWindow window) => EventTime.Plus(EndOf(window), _lateness);

    private bool IsOver(TimeWindow window) => !_settings.IsProcessingTime && !_settings.IsEndless && OverAt(window) <= _scope.Watermark;

    /// <summary>Sees to it that a window is looked at when it ends, if that is yet to come and nobody else decides when it fires, and otherwise when it is over.</summary>
    private void Await(int slot, ulong hash, TimeWindow window, long now)
    {
        if (_settings.IsEndless && _trigger is not null) return;
        _ends.Add(slot, hash, _trigger is null && EndOf(window) > now ? EndOf(window) : OverAt(window));
    }

    /// <summary>The window of a slot as it is now; false for a session that became part of another, or of which only a timer is left.</summary>
    private bool TryGetWindow(int slot, out TimeWindow window)
    {
        if (_spans is not null)
        {
            window = _spans.Get(slot);
            return _spans.Has(slot);
        }

        var key = _table.KeyOf(slot);
        window = new TimeWindow(key.Start, key.End);
        return true;
    }
}
