using OrleansStream.Time;

namespace OrleansStream.Patterns;

/// <summary>
/// Holds the partial matches of one key against records and time, in order, and says what becomes of them. It knows no clock and no watermark.
/// Invariant: partial matches, and matches held back, are in the order of their first records; of those that began alike, in the order in which they came to be. So what comes
/// first does not depend on when the watermark passed, or on restores.
/// Source: Flink's NFA; its version numbers are not needed, as nodes are never shared between different beginnings.
/// </summary>
internal sealed class PatternAutomaton<T>
{
    private readonly CompiledPattern<T> _pattern;
    private readonly MatchStore<T> _store;
    private readonly int _limit;
    private readonly Evaluation<T> _evaluation;
    private readonly Stack<PatternState<T>> _toVisit = new();
    private readonly List<PartialMatch> _produced = [];
    private readonly List<PartialMatch> _completed = [];
    private readonly int _skipStep;
    private List<PartialMatch> _next = [];
    private long _node;

    public PatternAutomaton(CompiledPattern<T> pattern, MatchStore<T> store, int limit)
    {
        _pattern = pattern;
        _store = store;
        _limit = limit;
        _evaluation = new Evaluation<T>(pattern.Conditions, new MatchedSoFar<T>(pattern.Names, taken => store.Fill(_node, taken)));
        _skipStep = pattern.Skip.Step is { } step ? Array.IndexOf(pattern.Names, step) : -1;
    }

    /// <summary>Ways through the pattern that are open.</summary>
    public List<PartialMatch> Partials { get; private set; } = [];

    /// <summary>Matches held back while an earlier one may come.</summary>
    public List<PartialMatch> Held { get; } = [];

    /// <summary>Whether anything changed since this was last set to false.</summary>
    public bool HasChanged { get; set; }

    /// <summary>What is found, and what runs out of time, with the time at which it does.</summary>
    public List<(Match<T> Match, long Time)> Matches { get; } = [];

    /// <inheritdoc cref="Matches"/>
    public List<(Match<T> Match, long Time)> TimedOut { get; } = [];

    /// <summary>Whether partial matches that run out of time are wanted.</summary>
    public bool WantsTimedOut { get; init; }

    /// <summary>The time at which the next partial match runs out of time; null when none ever does.</summary>
    public long? NextDeadline
    {
        get
        {
            if (_pattern.Bound is null && !_pattern.HasPatience) return null;
            long? next = null;
            foreach (ref readonly var partial in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(Partials))
            {
                if (DeadlineOf(in partial) is { } deadline && !(next <= deadline)) next = deadline;
            }

            return next;
        }
    }

    /// <summary>Takes the key's next record. Nothing has changed when a condition throws.</summary>
    /// <exception cref="InvalidOperationException">The key would have more partial matches, or more records in them, than the limit allows.</exception>
    public void Process(T record, long time)
    {
        _store.Begin(record, time);
        _evaluation.Begin(record, time);
        _next.Clear();
        _completed.Clear();
        _toVisit.Clear();
        var changed = false;
        foreach (var partial in Partials) changed |= Advance(partial);
        changed |= Advance(new PartialMatch(_pattern.Start.Number, 0, _store.RecordNumber, time, time));
        _evaluation.End();
        if (!changed)
        {
            _store.Drop();
            return;
        }

        CheckLimit();
        Settle(time);
    }

    /// <summary>Lets time pass to <see cref="NextDeadline"/>.</summary>
    public void Expire(long deadline)
    {
        _store.Begin(default!, deadline);
        _next.Clear();
        _completed.Clear();
        foreach (var partial in Partials)
        {
            if (DeadlineOf(in partial) is not { } own || own > deadline)
            {
                _next.Add(partial);
            }
            else if (_pattern.States[partial.State].IsCompleteInTime)
            {
                _completed.Add(partial);
            }
            else
            {
                if (WantsTimedOut) TimedOut.Add((_store.MatchOf(in partial), deadline));
                _store.Use(partial.Node, -1);
            }
        }

        Settle(deadline);
    }

    private long? DeadlineOf(in PartialMatch partial)
    {
        long? whole = _pattern.Bound is { } bound ? EventTime.Plus(partial.StartTime, bound) : null;
        long? step = _pattern.States[partial.State].Patience is { } patience ? EventTime.Plus(partial.LastTime, patience) : null;
        return whole is null || step < whole ? step : whole;
    }

    /// <summary>Holds one partial match, or the start, against the record. False when it stays as it is.</summary>
    private bool Advance(in PartialMatch partial)
    {
        var isStart = partial.Node == 0;
        _node = partial.Node;
        _evaluation.Turn();
        _produced.Clear();
        var completed = _completed.Count;
        var isStopped = false;
        long taken = 0;
        var takenStep = -1;
        _toVisit.Push(_pattern.States[partial.State]);
        while (_toVisit.TryPop(out var state))
        {
            foreach (var transition in state.Transitions)
            {
                if (transition.Action == TransitionAction.Ignore && isStart) continue;
                if (!transition.IsOpen(_evaluation)) continue;
                switch (transition.Action)
                {
                    case TransitionAction.Proceed when transition.Target.Kind == StateKind.Stop:
                        isStopped = true;
                        break;
                    case TransitionAction.Proceed:
                        _toVisit.Push(transition.Target);
                        break;
                    case TransitionAction.Ignore:
                        Produce(partial with { State = transition.Target.Number }, transition.Target);
                        break;
                    case TransitionAction.Take when isStart || state.NeighbourBound is not { } bound || _evaluation.Timestamp < EventTime.Plus(partial.LastTime, bound):
                        if (takenStep != state.Step) (taken, takenStep) = (_store.Take(partial.Node, state.Step), state.Step);
                        var next = partial with { State = transition.Target.Number, Node = taken, LastTime = _evaluation.Timestamp };
                        Produce(in next, transition.Target);
                        if (LeadsToEnd(transition.Target) is { } end) Produce(next with { State = end.Number }, end);
                        break;
                }
            }
        }

        // A record that rules a partial match out may still complete it.
        if (isStopped) _produced.Clear();
        if (!isStart && completed == _completed.Count && _produced is [var only] && only == partial)
        {
            _next.Add(partial);
            return false;
        }

        foreach (var produced in _produced)
        {
            _store.Use(produced.Node, 1);
            _next.Add(produced);
        }

        for (var i = completed; i < _completed.Count; i++) _store.Use(_completed[i].Node, 1);
        _store.Use(partial.Node, -1);
        return !isStart || _produced.Count > 0 || completed < _completed.Count;
    }

    /// <summary>What is kept grows up to the limit. Records that only complete or end something never meet it.</summary>
    private void CheckLimit()
    {
        var partials = _next.Count + Held.Count;
        var records = _store.Count + _store.CountNew(_next);
        if (partials <= _limit && (records <= _limit || records == _store.Count)) return;
        throw new InvalidOperationException(
            $"the pattern would have {partials} partial matches of this key, with {records} records in them; the limit is {_limit} of each. "
            + "Bound the pattern by Within or Until, make it stricter, or raise maxPartialMatches");
    }

    private void Produce(in PartialMatch partial, PatternState<T> state)
    {
        if (state.Kind == StateKind.Final) _completed.Add(partial);
        else _produced.Add(partial);
    }

    /// <summary>The end, if the ways past a state lead there for the record at hand.</summary>
    private PatternState<T>? LeadsToEnd(PatternState<T> state)
    {
        foreach (var transition in state.Transitions)
        {
            if (transition.Action != TransitionAction.Proceed || transition.Target.Kind == StateKind.Stop || !transition.IsOpen(_evaluation)) continue;
            if (transition.Target.Kind == StateKind.Final) return transition.Target;
            if (LeadsToEnd(transition.Target) is { } end) return end;
        }

        return null;
    }

    /// <summary>Emits what is complete, as far as the strategy lets it, and makes it all state.</summary>
    private void Settle(long time)
    {
        if (_pattern.Skip.Kind == SkipKind.None)
        {
            foreach (var match in _completed) Emit(match, time);
        }
        else
        {
            foreach (var match in _completed) Hold(match);
            while (Held.Count > 0 && (_next.Count == 0 || Held[0].Start <= _next[0].Start))
            {
                var match = Held[0];
                Held.RemoveAt(0);
                var (upTo, alike) = SkippedBy(match);
                Skip(_next, upTo, alike);
                Skip(Held, upTo, alike);
                Emit(match, time);
            }
        }

        _store.Commit();
        (Partials, _next) = (_next, Partials);
        HasChanged = true;
    }

    private void Emit(in PartialMatch match, long time)
    {
        Matches.Add((_store.MatchOf(in match), time));
        _store.Use(match.Node, -1);
    }

    /// <summary>Behind those that began before it or alike.</summary>
    private void Hold(PartialMatch match)
    {
        var at = Held.Count;
        while (at > 0 && Held[at - 1].Start > match.Start) at--;
        Held.Insert(at, match);
    }

    /// <summary>Up to which first record other matches are dropped, and whether those that began with that very one are.</summary>
    private (long UpTo, bool Alike) SkippedBy(in PartialMatch match) => _pattern.Skip.Kind switch
    {
        SkipKind.ToNext => (match.Start, true),
        SkipKind.PastLast => (_store.LastRecordOf(match.Node), true),
        SkipKind.ToFirst => (_store.RecordOf(match.Node, _skipStep, first: true), false),
        _ => (_store.RecordOf(match.Node, _skipStep, first: false), false),
    };

    private void Skip(List<PartialMatch> matches, long upTo, bool alike) => matches.RemoveAll(other =>
    {
        if (other.Start > upTo || (other.Start == upTo && !alike)) return false;
        _store.Use(other.Node, -1);
        return true;
    });
}
