using System.Collections.Immutable;

namespace OrleansStream.Patterns;

/// <content>The states of one step: single, repeated, looping, or a group.</content>
internal sealed partial class PatternCompiler<T>
{
    /// <summary>The states of a step that takes records, leading to a sink; returns the first.</summary>
    private PatternState<T> Step(Place place, PatternState<T> sink)
    {
        var step = place.Step;
        if (step.Loops) return Repeated(place, Loop(place, InsideLoop(place, sink)), sink);
        return step.IsRepeated ? Repeated(place, sink, sink) : One(place, sink, step.IsOptional ? sink : null, place.TakeCondition, isFirst: true);
    }

    /// <summary>Where the way past a loop leads: the next step, which leaves to a greedy loop what that can take.</summary>
    private PatternState<T> InsideLoop(Place place, PatternState<T> sink)
    {
        var step = place.Step;
        var original = step is { IsGreedy: true, Until: not null } ? CopyOf(sink, static target => target) : null;
        if (step.IsGreedy) YieldTo(sink, place.TakeCondition);
        var inside = Unforbidden(place, sink);
        if (original is null) return inside;
        _beforeGreedy[sink] = original;
        if (!ReferenceEquals(inside, sink)) _beforeGreedy[inside] = Unforbidden(place, original);
        return inside;
    }

    /// <summary>As often as the step is taken at least, and behind that, each with a way past, as often as at most.</summary>
    /// <param name="place">The step.</param>
    /// <param name="sink">Where the last one leads: the loop, or the next step.</param>
    /// <param name="past">Where the way past leads.</param>
    private PatternState<T> Repeated(Place place, PatternState<T> sink, PatternState<T> past)
    {
        var step = place.Step;
        var take = Place.Until(place.TakeCondition, step.Until, take: true);
        if (step.IsGreedy && step.Least != step.Most) YieldTo(sink, take);
        for (var more = step.Least; more < step.Most; more++) sink = One(place, sink, past, take, isFirst: false);
        for (var more = 1; more < step.Least; more++) sink = One(place, sink, null, take, isFirst: false);
        return One(place, sink, step.IsOptional ? past : null, take, isFirst: true);
    }

    /// <summary>The step taken once.</summary>
    /// <param name="place">The step.</param>
    /// <param name="sink">Where taking it leads.</param>
    /// <param name="past">Where the way past it leads; null when there is none.</param>
    /// <param name="take">What a record must meet.</param>
    /// <param name="isFirst">Whether it is the first time in a row.</param>
    private PatternState<T> One(Place place, PatternState<T> sink, PatternState<T>? past, Condition<T>? take, bool isFirst)
    {
        var step = place.Step;
        // While a step is repeated, what must not follow it must not come.
        var nots = isFirst ? place.Nots : place.NotsBehind;
        // Once a record is taken, what must not come before it counts no more.
        var target = Unforbidden(place, sink);
        if (step.Group is not null) return Group(place, target, past, nots, isFirst);

        var state = NewState(StateKind.Waiting, step);
        state.Take(target, take);
        if (past is not null) AddWayPast(step, state, past);
        var ignore = Place.Until(place.IgnoreCondition(isFirst ? place.Contiguity : step.Inner, out var canIgnore), isFirst ? null : step.Until, take: canIgnore);
        if (canIgnore) AddIgnore(state, target, take, ignore, nots, hasWayPast: past is not null || (isFirst && place.Index == 0 && place.Frame.HasWayPast));
        AddStops(state, nots);
        return state;
    }

    private void AddIgnore(PatternState<T> state, PatternState<T> target, Condition<T>? take, Condition<T>? ignore, ImmutableArray<Forbidden> nots, bool hasWayPast)
    {
        var twin = state;
        if (hasWayPast)
        {
            twin = Twin(state);
            twin.Take(target, take);
            twin.Ignore(twin, ignore);
            AddStops(twin, nots);
        }

        state.Ignore(twin, ignore);
    }

    private PatternState<T> Twin(PatternState<T> state)
    {
        var twin = new PatternState<T>(_states.Count, StateKind.Waiting, state.Step, state.NeighbourBound);
        _states.Add(twin);
        return twin;
    }

    private void AddWayPast(PatternStep<T> step, PatternState<T> state, PatternState<T> past)
    {
        if (!step.IsGreedy || step.Until is not { } until)
        {
            state.Proceed(past, null);
            return;
        }

        // From the record on that ends the loop, the next step need not leave records to it.
        state.Proceed(_beforeGreedy.GetValueOrDefault(past, past), until);
        state.Proceed(past, new NotCondition<T>(until));
    }

    /// <summary>A state that takes records over and over, with a way past.</summary>
    private PatternState<T> Loop(Place place, PatternState<T> sink)
    {
        var step = place.Step;
        if (step.Group is not null) return GroupLoop(place, sink);
        var take = Place.Until(place.TakeCondition, step.Until, take: true);
        var ignore = Place.Until(place.IgnoreCondition(step.Inner, out var canIgnore), step.Until, take: canIgnore);
        var state = NewState(StateKind.Waiting, step);
        AddWayPast(step, state, sink);
        state.Take(state, take);
        AddStops(state, place.NotsBehind);
        if (!canIgnore) return state;
        var twin = Twin(state);
        twin.Take(state, take);
        twin.Ignore(twin, ignore);
        state.Ignore(twin, ignore);
        AddStops(twin, place.NotsBehind);
        return state;
    }

    private PatternState<T> Group(Place place, PatternState<T> sink, PatternState<T>? past, ImmutableArray<Forbidden> nots, bool isFirst)
    {
        var entry = isFirst ? place.Contiguity : place.Step.Inner;
        var hasWayPast = past is not null || (isFirst && place.Index == 0 && place.Frame.HasWayPast);
        var head = Chain(new Frame(place.Step.Group!.Steps, entry, hasWayPast, UntilInside(place), nots), sink);
        if (past is not null) head.Proceed(past, Place.Until(null, place.Frame.Until, take: true));
        return head;
    }

    /// <summary>A group over and over: behind each round a hub leads to the next, whose first state has a way past.</summary>
    private PatternState<T> GroupLoop(Place place, PatternState<T> sink)
    {
        var always = Place.Until(null, place.Frame.Until, take: true);
        var hub = NewState(StateKind.Waiting, null, isHub: true);
        var head = Chain(new Frame(place.Step.Group!.Steps, place.Step.Inner, true, UntilInside(place), place.NotsBehind), hub);
        head.Proceed(sink, always);
        hub.Proceed(head, always);
        return head;
    }

    private static Condition<T>? UntilInside(Place place) =>
        place.Frame.Until is { } outer && place.Step.Until is { } own ? new OrCondition<T>(outer, own) : place.Step.Until ?? place.Frame.Until;

    /// <summary>The next step leaves every record that a greedy one can take to it.</summary>
    private static void YieldTo(PatternState<T> next, Condition<T>? take)
    {
        foreach (var transition in next.Transitions) transition.Condition = Condition<T>.And(transition.Condition, new NotCondition<T>(take));
    }

    /// <summary>
    /// A copy of a state and of what its ways past lead to, without the stops of what was forbidden before an optional step: where taking that step leads. The state itself when there
    /// is nothing to leave out.
    /// </summary>
    private PatternState<T> Unforbidden(Place place, PatternState<T> sink)
    {
        if (place.Nots.IsEmpty || !place.Step.IsOptional || sink.IsHub) return sink;
        var left = place.Nots.Select(forbidden => _stops.GetValueOrDefault(forbidden.Step)).ToList();
        return CopyOf(sink, target => target.Kind == StateKind.Stop ? (left.Contains(target) ? null : target) : Unforbidden(place, target));
    }

    /// <summary>A copy of a state.</summary>
    /// <param name="state">The state.</param>
    /// <param name="past">Where a way past leads in the copy; null when the copy has none.</param>
    private PatternState<T> CopyOf(PatternState<T> state, Func<PatternState<T>, PatternState<T>?> past)
    {
        var copy = new PatternState<T>(_states.Count, state.Kind, state.Step, state.NeighbourBound);
        _states.Add(copy);
        foreach (var transition in state.Transitions)
        {
            var target = transition.Action == TransitionAction.Proceed ? past(transition.Target) : ReferenceEquals(transition.Target, state) ? copy : transition.Target;
            if (target is not null) copy.Transitions.Add(transition with { Target = target });
        }

        return copy;
    }
}
