using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Patterns;

/// <summary>
/// Finds a pattern among the records of each key. A record waits until the watermark has passed it; then the key's records go through the automaton in the order of event time, those of
/// one time in the order in which they came, and between them time passes from one deadline to the next. So what is found does not depend on the order of arrival within the
/// watermark's bound, or on where the watermark stood meanwhile. A record at or before the watermark is late: it goes to the late output, counted.
/// Invariant: a key has a timer exactly if records wait or a partial match can run out of time, and it stands at the earliest of these times.
/// Source: Flink's CepOperator.
/// </summary>
internal sealed class PatternOperator<TKey, T> : Operator<T>, IResumable
    where TKey : notnull
{
    private readonly SubtaskContext _context;
    private readonly Func<T, TKey> _key;
    private readonly PatternAutomaton<T> _automaton;
    private readonly MatchStore<T> _store;
    private readonly PatternOutputs<T> _outputs;
    private readonly Failures<T> _failures;
    private readonly KeyedStateTable<TKey> _table;
    private readonly ValueColumn<PatternCursor> _cursors;
    private readonly ListColumn<WaitingRecord<T>> _waiting;
    private readonly ListColumn<PartialMatch> _partials;
    private readonly ListColumn<PartialMatch> _held;
    private readonly WaitingOrder<T> _due = new();
    private long _watermark = EventTime.Beginning;
    private long? _firing;

    public PatternOperator(
        string name, SubtaskContext context, Func<T, TKey> key, CompiledPattern<T> pattern, int limit, PatternOutputs<T> outputs, bool wantsTimedOut, Failures<T> failures)
    {
        _context = context;
        _key = key;
        _outputs = outputs;
        _failures = failures;
        var cursors = new ValueState<PatternCursor>("cursor") { Default = new PatternCursor(0, 0, EventTime.Beginning) };
        var waiting = new ListState<WaitingRecord<T>>("waiting");
        var partials = new ListState<PartialMatch>("partials");
        var held = new ListState<PartialMatch>("held");
        var nodes = new MapState<long, MatchNode>("nodes");
        var records = new MapState<long, KeptRecord<T>>("records");
        _table = context.State.Register(
            new KeyedStateTable<TKey>(name, context.Groups, context.MaxParallelism, [cursors, waiting, partials, held, nodes, records], context.Serializers));
        _cursors = _table.Values(cursors);
        _waiting = _table.Lists(waiting);
        _partials = _table.Lists(partials);
        _held = _table.Lists(held);
        _store = new MatchStore<T>(pattern.Names, _table.Maps(nodes), _table.Maps(records));
        _automaton = new PatternAutomaton<T>(pattern, _store, limit) { WantsTimedOut = wantsTimedOut };
    }

    public bool HasPending => _firing is not null;

    public override ValueTask OpenAsync(CancellationToken cancellation)
    {
        _watermark = _context.RestoredWatermark;
        if (_context.IsBehind) _firing = _watermark;
        return ValueTask.CompletedTask;
    }

    public override void OnRecords(Records<T> records)
    {
        for (var next = 0; next < records.Count; next++)
        {
            ref readonly var record = ref records.Values[next];
            var time = records.Timestamps[next];
            if (time <= _watermark)
            {
                _context.Counters.LateRecords++;
                _outputs.Late.Emit(record, time);
                continue;
            }

            var slot = _table.GetOrAddSlot(_key(record), records.KeyHashes[next]);
            _waiting.Add(slot, new WaitingRecord<T>(record, time));
            var cursor = _cursors.Get(slot);
            if (cursor.Timer == EventTime.Beginning || time < cursor.Timer) SetTimer(slot, cursor, time);
        }

        _outputs.Late.Flush();
    }

    public override void OnWatermark(long watermark)
    {
        _watermark = watermark;
        _firing = watermark;
        Resume();
    }

    public void Resume()
    {
        while (_table.EventTimers.TryPopDue(_firing!.Value, out var slot, out _))
        {
            Run(slot, _firing.Value);
            if (_context.HasRoom) continue;
            _outputs.Flush();
            _failures.Flush();
            return;
        }

        _outputs.Watermark(_firing.Value);
        _failures.Watermark(_firing.Value);
        _firing = null;
    }

    /// <summary>Lets a key's records and deadlines pass, in order, up to the watermark or until the channels are full.</summary>
    private void Run(int slot, long watermark)
    {
        var cursor = _cursors.Get(slot);
        Open(slot, cursor);
        _due.Take(_waiting.Items(slot), watermark);
        long? next;
        do
        {
            next = _automaton.NextDeadline;
            if (_due.TryPeek(out var record) && !(next <= record.Time))
            {
                next = record.Time;
                if (next > watermark) break;
                _due.Drop();
                Process(slot, record);
            }
            else if (next <= watermark)
            {
                _automaton.Expire(next.Value);
            }
            else
            {
                break;
            }

            Emit(next.Value);
        }
        while (_context.HasRoom);

        Close(slot);
    }

    private void Process(int slot, WaitingRecord<T> record)
    {
        try
        {
            _automaton.Process(record.Record, record.Time);
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            _failures.Take(error, record.Record, record.Time, _table.KeyOf(slot).ToString());
        }
    }

    private void Open(int slot, PatternCursor cursor)
    {
        _store.Open(slot, cursor);
        _automaton.Partials.Clear();
        _automaton.Partials.AddRange(_partials.Items(slot));
        _automaton.Held.Clear();
        _automaton.Held.AddRange(_held.Items(slot));
        _automaton.HasChanged = false;
    }

    private void Close(int slot)
    {
        if (_due.HasTaken) _waiting.Replace(slot, _due.Left);
        if (_automaton.HasChanged)
        {
            _partials.Replace(slot, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_automaton.Partials));
            _held.Replace(slot, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_automaton.Held));
        }

        // The timer that was due has gone.
        var cursor = new PatternCursor(_store.LastRecord, _store.LastNode, EventTime.Beginning);
        var next = _automaton.NextDeadline;
        if (_due.Earliest is { } earliest && !(next <= earliest)) next = earliest;
        if (next is { } at) SetTimer(slot, cursor, at);
        else if (_automaton.Partials.Count > 0 || _automaton.Held.Count > 0) _cursors.Set(slot, cursor);
        else _cursors.Clear(slot);
        _due.Clear();
        _table.ReleaseIfEmpty(slot);
    }

    private void SetTimer(int slot, PatternCursor cursor, long at)
    {
        if (cursor.Timer != EventTime.Beginning) _table.EventTimers.Delete(slot, cursor.Timer);
        _table.EventTimers.Register(slot, at);
        _cursors.Set(slot, cursor with { Timer = at });
    }

    private void Emit(long time)
    {
        // The end of time is no record's.
        var at = Math.Min(time, EventTime.End - 1);
        foreach (var (match, _) in _automaton.Matches) _outputs.Matches.Emit(match, at);
        foreach (var (partial, deadline) in _automaton.TimedOut) _outputs.TimedOut.Emit(new TimedOutMatch<T>(partial, deadline), at);
        _automaton.Matches.Clear();
        _automaton.TimedOut.Clear();
    }
}

/// <summary>Where what is found goes.</summary>
/// <param name="Matches">What the pattern found.</param>
/// <param name="TimedOut">What ran out of time.</param>
/// <param name="Late">What came too late.</param>
internal sealed record PatternOutputs<T>(Output<Match<T>> Matches, Output<TimedOutMatch<T>> TimedOut, Output<T> Late)
{
    public void Flush()
    {
        Matches.Flush();
        TimedOut.Flush();
        Late.Flush();
    }

    public void Watermark(long watermark)
    {
        Matches.Watermark(watermark);
        TimedOut.Watermark(watermark);
        Late.Watermark(watermark);
    }
}
