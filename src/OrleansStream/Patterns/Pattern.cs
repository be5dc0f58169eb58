namespace OrleansStream.Patterns;

/// <summary>
/// Begins a pattern: what to find among the records of a key, one step after another. Give it to <c>KeyedStream.Match</c>.
/// </summary>
/// <example>
/// <code>
/// Pattern.Begin&lt;Reading&gt;("rise").Where(static r => r.Jump > 20)
///     .FollowedBy("high").Where(static r => r.Value > 90).Times(3)
///     .Within(TimeSpan.FromHours(1))
/// </code>
/// </example>
public static class Pattern
{
    /// <summary>Begins with a step.</summary>
    /// <typeparam name="T">The type of a record.</typeparam>
    /// <param name="name">The step's name, unique in the pattern: what it took is read by it.</param>
    /// <param name="skip">What a match leaves for others; all matches when null.</param>
    public static Pattern<T> Begin<T>(string name, SkipStrategy? skip = null) => new([new PatternStep<T>(name, Contiguity.Next)], skip);

    /// <summary>Begins with a group: a pattern taken as one step, to be repeated or left out as a whole.</summary>
    /// <typeparam name="T">The type of a record.</typeparam>
    /// <param name="group">The pattern.</param>
    /// <param name="skip">What a match leaves for others; all matches when null.</param>
    public static Pattern<T> Begin<T>(Pattern<T> group, SkipStrategy? skip = null)
    {
        ArgumentNullException.ThrowIfNull(group);
        return new([new PatternStep<T>(null, Contiguity.Next) { Group = group }], skip);
    }
}

/// <summary>
/// What to find among the records of a key, in the order of event time. It cannot be changed: each method makes another pattern, and what follows a step (conditions, how often,
/// how close) is about the step named last. What is wrong with a pattern is said when the graph is built, all at once.
/// Source: the pattern language of Flink's CEP library; <see cref="SkipStrategy"/>, <see cref="Within(TimeSpan, WithinScope)"/> and the remarks say where ours differs.
/// </summary>
/// <remarks>
/// <para>Conditions must depend on nothing but their arguments: they are asked once for each record, those over what has matched once for each record and partial match.</para>
/// <para>Without <see cref="Within(TimeSpan, WithinScope)"/> a partial match is kept until it is completed or ruled out, if need be for ever; <c>KeyedStream.Match</c> has a limit.</para>
/// <para>As in Flink, a record that completes a match does so even if it also is what a <see cref="NotFollowedBy"/> forbids, and what ends a repeated group by <c>Until</c> ends the waiting
/// for its first record too.</para>
/// <para>Other than in Flink: records that are passed over while a group may be left out or repeated make no second copies of a match; a <see cref="NotFollowedBy"/> before a group holds
/// until the group begins; of several not-steps in a row each counts; within a group <see cref="Consecutive"/> and <see cref="AllowCombinations"/> of its first step count, and that step
/// may not be <see cref="Optional"/>, which Flink takes no notice of; and time runs out from bound to bound, so that what is found does not depend on where the watermark stood.</para>
/// </remarks>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed partial class Pattern<T>
{
    internal Pattern(IReadOnlyList<PatternStep<T>> steps, SkipStrategy? skip)
    {
        Steps = steps;
        Skip = skip;
    }

    internal IReadOnlyList<PatternStep<T>> Steps { get; }

    internal SkipStrategy? Skip { get; }

    /// <summary>The step takes the very next record of the key; if that does not meet its conditions there is no match.</summary>
    /// <param name="name">The step's name, unique in the pattern.</param>
    public Pattern<T> Next(string name) => Then(new PatternStep<T>(name, Contiguity.Next));

    /// <summary>The group begins with the very next record of the key.</summary>
    /// <param name="group">A pattern taken as one step.</param>
    public Pattern<T> Next(Pattern<T> group) => Then(group, Contiguity.Next);

    /// <summary>The step takes the next record that meets its conditions; others between are passed over.</summary>
    /// <param name="name">The step's name, unique in the pattern.</param>
    public Pattern<T> FollowedBy(string name) => Then(new PatternStep<T>(name, Contiguity.FollowedBy));

    /// <summary>The group begins with the next record that meets the conditions of its first step.</summary>
    /// <param name="group">A pattern taken as one step.</param>
    public Pattern<T> FollowedBy(Pattern<T> group) => Then(group, Contiguity.FollowedBy);

    /// <summary>The step takes any later record that meets its conditions, each in a match of its own.</summary>
    /// <param name="name">The step's name, unique in the pattern.</param>
    public Pattern<T> FollowedByAny(string name) => Then(new PatternStep<T>(name, Contiguity.FollowedByAny));

    /// <summary>The group begins with any later record that meets the conditions of its first step, each in a match of its own.</summary>
    /// <param name="group">A pattern taken as one step.</param>
    public Pattern<T> FollowedByAny(Pattern<T> group) => Then(group, Contiguity.FollowedByAny);

    /// <summary>The very next record must not meet the step's conditions. As the last step it waits for that record: without one there is no match.</summary>
    /// <param name="name">The step's name, unique in the pattern.</param>
    public Pattern<T> NotNext(string name) => Then(new PatternStep<T>(name, Contiguity.NotNext));

    /// <summary>
    /// No record may meet the step's conditions until the next step has taken its own. As the last step it needs <see cref="Within(TimeSpan, WithinScope)"/>: the match is there when
    /// that time has passed, with its end as the match's time. Other than in Flink, also where the step before it is repeated and no record came behind it.
    /// </summary>
    /// <param name="name">The step's name, unique in the pattern.</param>
    public Pattern<T> NotFollowedBy(string name) => Then(new PatternStep<T>(name, Contiguity.NotFollowedBy));

    /// <summary>The record must meet a condition, and those given before.</summary>
    /// <param name="condition">A static lambda, or one that captures immutable values.</param>
    public Pattern<T> Where(Func<T, bool> condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return And(new RecordCondition<T>(condition));
    }

    /// <summary>The record must meet a condition over it and what has matched before it, and those given before.</summary>
    /// <param name="condition">A static lambda, or one that captures immutable values.</param>
    public Pattern<T> Where(Func<T, MatchedSoFar<T>, bool> condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return And(new MatchedCondition<T>(condition));
    }

    /// <summary>The record must meet a condition, or those given before.</summary>
    /// <param name="condition">A static lambda, or one that captures immutable values.</param>
    public Pattern<T> Or(Func<T, bool> condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return Or(new RecordCondition<T>(condition));
    }

    /// <summary>The record must meet a condition over it and what has matched before it, or those given before.</summary>
    /// <param name="condition">A static lambda, or one that captures immutable values.</param>
    public Pattern<T> Or(Func<T, MatchedSoFar<T>, bool> condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return Or(new MatchedCondition<T>(condition));
    }

    /// <summary>The record must be of a kind, and meet the conditions given before.</summary>
    /// <typeparam name="TKind">The kind of record.</typeparam>
    public Pattern<T> OfType<TKind>()
        where TKind : T => And(new RecordCondition<T>(static record => record is TKind));

    /// <summary>
    /// Bounds the time that a match takes: what reaches the bound exactly is too late. With several bounds from first to last the shortest counts.
    /// A partial match that has run out of time is dropped, and goes to the output for them if there is one.
    /// </summary>
    /// <param name="bound">A whole number of milliseconds, 1 or more.</param>
    /// <param name="scope">From the first record of the match to the last, or from the record before to each that this step takes. Other than in Flink, the latter is about a repeated
    /// step's first record too, and drops a partial match only when no step that may come next can still take a record.</param>
    public Pattern<T> Within(TimeSpan bound, WithinScope scope = WithinScope.FirstToLast)
    {
        var problem = bound <= TimeSpan.Zero || bound.Ticks % TimeSpan.TicksPerMillisecond != 0
            ? $"Within({bound}) must be a whole number of milliseconds, 1 or more" : null;
        return Change(step => (scope == WithinScope.FirstToLast ? step with { Within = bound } : step with { WithinNeighbours = bound }).Refuse(problem));
    }

    private Pattern<T> Then(Pattern<T> group, Contiguity contiguity)
    {
        ArgumentNullException.ThrowIfNull(group);
        return Then(new PatternStep<T>(null, contiguity) { Group = group });
    }

    private Pattern<T> Then(PatternStep<T> step) => new([.. Steps, step], Skip);

    private Pattern<T> Change(Func<PatternStep<T>, PatternStep<T>> change) => new([.. Steps.Take(Steps.Count - 1), change(Steps[^1])], Skip);

    private Pattern<T> And(Condition<T> condition) => Change(step => step with { Condition = Condition<T>.And(step.Condition, condition) });

    private Pattern<T> Or(Condition<T> condition) => Change(step => step with { Condition = step.Condition is null ? condition : new OrCondition<T>(step.Condition, condition) });
}

/// <summary>What a bound of time is measured between.</summary>
public enum WithinScope
{
    /// <summary>From the first record of a match to its last. The default.</summary>
    FirstToLast,

    /// <summary>From the record before to each that the step takes.</summary>
    PreviousToCurrent,
}
