namespace OrleansStream.Patterns;

/// <summary>What being in a state means.</summary>
internal enum StateKind
{
    /// <summary>A partial match waits here for records.</summary>
    Waiting,

    /// <summary>The match is complete.</summary>
    Final,

    /// <summary>A record came that must not: the partial match is ruled out.</summary>
    Stop,

    /// <summary>Nothing more may come: the match is complete when its time is over.</summary>
    Pending,
}

/// <summary>What a transition does with the record at hand.</summary>
internal enum TransitionAction
{
    /// <summary>The step takes it.</summary>
    Take,

    /// <summary>It is passed over.</summary>
    Ignore,

    /// <summary>It is held against the target's transitions.</summary>
    Proceed,
}

/// <summary>A way from one state to another.</summary>
/// <param name="Action">What becomes of the record.</param>
/// <param name="Target">Where it leads.</param>
/// <param name="Condition">When it may be gone; null for always.</param>
internal sealed record Transition<T>(TransitionAction Action, PatternState<T> Target, Condition<T>? Condition)
{
    public Condition<T>? Condition { get; set; } = Condition;

    public bool IsOpen(Evaluation<T> evaluation) => Condition is null || Condition.Holds(evaluation);
}

/// <summary>
/// A state of a compiled pattern: where a partial match may be. A state with a way past it never ignores a record and stays: ignoring leads to a twin without
/// the way past, so that a partial match parts in two at each way past only once.
/// </summary>
/// <param name="number">Its number, by which snapshots know it: the order in which the compiler makes states is part of the format.</param>
/// <param name="kind">What being here means.</param>
/// <param name="step">The number of the step that its Take transitions take records for; -1 for none.</param>
/// <param name="neighbourBound">The time since the record before at which the step takes no more, in milliseconds; null for no bound.</param>
internal sealed class PatternState<T>(int number, StateKind kind, int step, long? neighbourBound)
{
    public int Number => number;

    public StateKind Kind => kind;

    public int Step => step;

    public long? NeighbourBound => neighbourBound;

    /// <summary>Whether it stands behind one round of a repeated group: it leads to the next round and has no other transitions.</summary>
    public bool IsHub { get; init; }

    public List<Transition<T>> Transitions { get; } = [];

    /// <summary>Whether a partial match here is a match when its time is over.</summary>
    public bool IsCompleteInTime { get; set; }

    /// <summary>How long after its last record a partial match here is given up, in milliseconds; null for never.</summary>
    public long? Patience { get; set; }

    public void Take(PatternState<T> target, Condition<T>? condition) => Transitions.Add(new(TransitionAction.Take, target, condition));

    public void Ignore(PatternState<T> target, Condition<T>? condition) => Transitions.Add(new(TransitionAction.Ignore, target, condition));

    public void Proceed(PatternState<T> target, Condition<T>? condition) => Transitions.Add(new(TransitionAction.Proceed, target, condition));
}
