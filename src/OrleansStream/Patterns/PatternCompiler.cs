using System.Collections.Immutable;

namespace OrleansStream.Patterns;

/// <summary>
/// Makes states of a pattern that has nothing wrong with it, from its last step to its first.
/// Source: Flink's NFACompiler, from which the states of a step, a loop, a group, and of what must not follow are taken.
/// </summary>
internal sealed partial class PatternCompiler<T>
{
    private readonly List<PatternState<T>> _states = [];
    private readonly Dictionary<PatternStep<T>, PatternState<T>> _stops = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<PatternState<T>, PatternState<T>> _beforeGreedy = [];
    private readonly List<string> _names;

    private PatternCompiler(Pattern<T> pattern) => _names = [.. Names(pattern.Steps)];

    public static CompiledPattern<T> Compile(Pattern<T> pattern)
    {
        var compiler = new PatternCompiler<T>(pattern);
        var end = compiler.NewState(StateKind.Final, null);
        var start = compiler.Chain(new Frame(pattern.Steps, Contiguity.Next, false, null, []), end);
        var numbers = new ConditionNumbers<T>();
        foreach (var transition in compiler._states.SelectMany(static state => state.Transitions)) transition.Condition = transition.Condition?.Numbered(numbers);
        foreach (var state in compiler._states) SetTimes(state);
        return new CompiledPattern<T>([.. compiler._states], start, [.. compiler._names], numbers.Count, FirstToLast(pattern.Steps), pattern.Skip ?? SkipStrategy.None);
    }

    /// <summary>The names of steps that take records, in the order of the pattern.</summary>
    public static IEnumerable<string> Names(IEnumerable<PatternStep<T>> steps) =>
        steps.Where(static step => !step.IsNot).SelectMany(static step => step.Group is { } group ? Names(group.Steps) : [step.Name!]);

    /// <summary>The shortest of the bounds from first to last, in milliseconds.</summary>
    public static long? FirstToLast(IEnumerable<PatternStep<T>> steps) =>
        steps.SelectMany(static step => new[] { Milliseconds(step.Within), step.Group is { } group ? FirstToLast(group.Steps) : null }).Min();

    private static long? Milliseconds(TimeSpan? time) => time is { } some ? some.Ticks / TimeSpan.TicksPerMillisecond : null;

    /// <summary>Steps that are compiled together: those of the pattern, or of a group.</summary>
    /// <param name="Steps">The steps.</param>
    /// <param name="Entry">How the first record of the first step stands to the one before.</param>
    /// <param name="HasWayPast">Whether whoever asks for it adds a way past the first state.</param>
    /// <param name="Until">What ends the loops of the groups around; null for nothing.</param>
    /// <param name="Nots">What must not come before the first step is taken.</param>
    private sealed record Frame(IReadOnlyList<PatternStep<T>> Steps, Contiguity Entry, bool HasWayPast, Condition<T>? Until, ImmutableArray<Forbidden> Nots);

    /// <summary>A step that forbids records, and the condition by which it does.</summary>
    private readonly record struct Forbidden(PatternStep<T> Step, Condition<T>? Condition);

    /// <summary>One step at its place.</summary>
    private sealed record Place(Frame Frame, int Index, ImmutableArray<Forbidden> Nots)
    {
        public PatternStep<T> Step => Frame.Steps[Index];

        /// <summary>What forbids records behind it until another step is taken.</summary>
        public ImmutableArray<Forbidden> NotsBehind =>
        [
            .. Frame.Steps.Skip(Index + 1).TakeWhile(static step => step.IsNot).Where(static step => step.Contiguity == Contiguity.NotFollowedBy)
                .Select(step => new Forbidden(step, Until(step.Condition, Frame.Until, take: true))),
        ];

        public Contiguity Contiguity => Index == 0 ? Frame.Entry : Step.Contiguity;

        public Condition<T>? TakeCondition => Until(Step.Condition, Frame.Until, take: true);

        public Condition<T>? IgnoreCondition(Contiguity contiguity, out bool canIgnore)
        {
            canIgnore = contiguity != Contiguity.Next;
            // Relaxed: what could be taken is not passed over. Any: whatever comes may be passed over.
            var condition = contiguity == Contiguity.FollowedBy ? new NotCondition<T>(Step.Condition) : null;
            return Until(condition, Frame.Until, take: canIgnore);
        }

        public static Condition<T>? Until(Condition<T>? condition, Condition<T>? until, bool take) =>
            until is null || (condition is null && !take) ? condition : Condition<T>.And(new NotCondition<T>(until), condition);
    }

    private PatternState<T> NewState(StateKind kind, PatternStep<T>? step, bool isHub = false)
    {
        var number = step?.Name is { } name ? _names.IndexOf(name) : -1;
        var state = new PatternState<T>(_states.Count, kind, number, Milliseconds(step?.WithinNeighbours)) { IsHub = isHub };
        _states.Add(state);
        return state;
    }

    private PatternState<T> StopOf(Forbidden forbidden)
    {
        if (!_stops.TryGetValue(forbidden.Step, out var stop)) _stops.Add(forbidden.Step, stop = NewState(StateKind.Stop, forbidden.Step));
        return stop;
    }

    /// <summary>The states of steps one after another, leading to a sink; returns the first.</summary>
    private PatternState<T> Chain(Frame frame, PatternState<T> sink)
    {
        for (var index = frame.Steps.Count - 1; index >= 0; index--)
        {
            var place = new Place(frame, index, NotsBefore(frame, index));
            sink = place.Step.Contiguity switch
            {
                Contiguity.NotNext => NotNext(place, sink),
                Contiguity.NotFollowedBy => sink.Kind == StateKind.Final ? NothingMore(place) : sink,
                _ => Step(place, sink),
            };
        }

        return sink;
    }

    /// <summary>What forbids records before a step is taken: the not-steps before it, back over steps that may have been left out.</summary>
    private static ImmutableArray<Forbidden> NotsBefore(Frame frame, int index)
    {
        var nots = ImmutableArray.CreateBuilder<Forbidden>();
        var before = index - 1;
        for (; before >= 0 && (frame.Steps[before].IsOptional || frame.Steps[before].IsNot); before--)
        {
            var step = frame.Steps[before];
            if (step.Contiguity == Contiguity.NotFollowedBy) nots.Add(new(step, Place.Until(step.Condition, frame.Until, take: true)));
        }

        if (before < 0) nots.AddRange(frame.Nots);
        return nots.ToImmutable();
    }

    private PatternState<T> NotNext(Place place, PatternState<T> sink)
    {
        var state = NewState(StateKind.Waiting, place.Step);
        var forbidden = new Forbidden(place.Step, place.TakeCondition);
        // At the end the match waits for the record that is not the forbidden one.
        if (sink.Kind == StateKind.Final) state.Ignore(sink, new NotCondition<T>(forbidden.Condition));
        else state.Proceed(sink, new NotCondition<T>(forbidden.Condition));
        state.Proceed(StopOf(forbidden), forbidden.Condition);
        AddStops(state, place.Nots);
        return state;
    }

    private PatternState<T> NothingMore(Place place)
    {
        var state = NewState(StateKind.Pending, place.Step);
        var forbidden = new Forbidden(place.Step, place.TakeCondition);
        state.Proceed(StopOf(forbidden), forbidden.Condition);
        state.Ignore(state, new NotCondition<T>(forbidden.Condition));
        AddStops(state, place.Nots);
        return state;
    }

    private void AddStops(PatternState<T> state, ImmutableArray<Forbidden> nots)
    {
        foreach (var forbidden in nots) state.Proceed(StopOf(forbidden), forbidden.Condition);
    }

    /// <summary>Follows the ways past a state to what it waits for, to learn what becomes of a partial match there for which nothing comes.</summary>
    private static void SetTimes(PatternState<T> state)
    {
        var reached = new List<PatternState<T>> { state };
        for (var i = 0; i < reached.Count; i++)
        {
            foreach (var transition in reached[i].Transitions)
            {
                if (transition.Action == TransitionAction.Proceed && transition.Target.Kind != StateKind.Stop && !reached.Contains(transition.Target)) reached.Add(transition.Target);
            }
        }

        if (reached.Find(static other => other.Kind == StateKind.Pending) is { } pending)
        {
            state.IsCompleteInTime = true;
            state.Patience = pending.NeighbourBound;
            return;
        }

        var waiting = reached.Where(static other => other.Transitions.Exists(static t => t.Action == TransitionAction.Take || (t.Action == TransitionAction.Ignore && t.Target.Kind == StateKind.Final))).ToList();
        if (waiting.Count > 0 && waiting.TrueForAll(static other => other.NeighbourBound is not null)) state.Patience = waiting.Max(static other => other.NeighbourBound);
    }
}

/// <summary>A pattern ready to run.</summary>
/// <param name="States">All states; a state's number is its index.</param>
/// <param name="Start">Where every partial match begins.</param>
/// <param name="Names">The names of the steps that take records, in the order of the pattern.</param>
/// <param name="Conditions">How many conditions there are.</param>
/// <param name="Bound">The longest time from first record to last, in milliseconds; null for no bound.</param>
/// <param name="Skip">What a match leaves for others.</param>
internal sealed record CompiledPattern<T>(PatternState<T>[] States, PatternState<T> Start, string[] Names, int Conditions, long? Bound, SkipStrategy Skip)
{
    /// <summary>Whether there are states in which a partial match is given up some time after its last record.</summary>
    public bool HasPatience { get; } = Array.Exists(States, static state => state.Patience is not null);
}
