namespace OrleansStream.Patterns;

/// <summary>What a record must meet for a transition. A tree over the user's lambdas, each of which is asked once at most for the same arguments.</summary>
internal abstract class Condition<T>
{
    /// <summary>Whether the record at hand meets it.</summary>
    public abstract bool Holds(Evaluation<T> evaluation);

    /// <summary>The same with its lambdas numbered, for the memory of an <see cref="Evaluation{T}"/>.</summary>
    public abstract Condition<T> Numbered(ConditionNumbers<T> numbers);

    /// <summary>Both; null stands for what always holds.</summary>
    public static Condition<T>? And(Condition<T>? one, Condition<T>? other) => one is null ? other : other is null ? one : new AndCondition<T>(one, other);
}

/// <summary>A condition over the record alone.</summary>
internal sealed class RecordCondition<T>(Func<T, bool> condition, int number = -1) : Condition<T>
{
    public override bool Holds(Evaluation<T> evaluation)
    {
        ref var known = ref evaluation.OfRecord(number);
        if (known == 0) known = condition(evaluation.Record) ? (sbyte)1 : (sbyte)-1;
        return known > 0;
    }

    public override Condition<T> Numbered(ConditionNumbers<T> numbers) => numbers.Of(this, next => new RecordCondition<T>(condition, next));
}

/// <summary>A condition over the record and what has matched before it.</summary>
internal sealed class MatchedCondition<T>(Func<T, MatchedSoFar<T>, bool> condition, int number = -1) : Condition<T>
{
    public override bool Holds(Evaluation<T> evaluation)
    {
        ref var known = ref evaluation.OfPartial(number);
        if (known == 0) known = condition(evaluation.Record, evaluation.Matched) ? (sbyte)1 : (sbyte)-1;
        return known > 0;
    }

    public override Condition<T> Numbered(ConditionNumbers<T> numbers) => numbers.Of(this, next => new MatchedCondition<T>(condition, next));
}

/// <summary>Both hold.</summary>
internal sealed class AndCondition<T>(Condition<T> one, Condition<T> other) : Condition<T>
{
    public override bool Holds(Evaluation<T> evaluation) => one.Holds(evaluation) && other.Holds(evaluation);

    public override Condition<T> Numbered(ConditionNumbers<T> numbers) => new AndCondition<T>(one.Numbered(numbers), other.Numbered(numbers));
}

/// <summary>One of them holds.</summary>
internal sealed class OrCondition<T>(Condition<T> one, Condition<T> other) : Condition<T>
{
    public override bool Holds(Evaluation<T> evaluation) => one.Holds(evaluation) || other.Holds(evaluation);

    public override Condition<T> Numbered(ConditionNumbers<T> numbers) => new OrCondition<T>(one.Numbered(numbers), other.Numbered(numbers));
}

/// <summary>It does not hold; null stands for what always does.</summary>
internal sealed class NotCondition<T>(Condition<T>? condition) : Condition<T>
{
    public override bool Holds(Evaluation<T> evaluation) => condition is not null && !condition.Holds(evaluation);

    public override Condition<T> Numbered(ConditionNumbers<T> numbers) => condition is null ? this : new NotCondition<T>(condition.Numbered(numbers));
}

/// <summary>Numbers the lambdas of a pattern's conditions, the same one the same wherever it stands.</summary>
internal sealed class ConditionNumbers<T>
{
    private readonly Dictionary<Condition<T>, Condition<T>> _numbered = new(ReferenceEqualityComparer.Instance);

    /// <summary>How many there are.</summary>
    public int Count => _numbered.Count;

    public Condition<T> Of(Condition<T> condition, Func<int, Condition<T>> make)
    {
        if (!_numbered.TryGetValue(condition, out var numbered)) _numbered.Add(condition, numbered = make(_numbered.Count));
        return numbered;
    }
}
