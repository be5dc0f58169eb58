namespace OrleansStream.Patterns;

/// <content>How often a step is taken.</content>
public sealed partial class Pattern<T>
{
    /// <summary>The step is taken a number of times.</summary>
    /// <param name="count">1 or more.</param>
    public Pattern<T> Times(int count) => Repeat(count, count, loops: false, count < 1 ? $"Times({count}) must be 1 or more" : null);

    /// <summary>The step is taken from <paramref name="least"/> to <paramref name="most"/> times, each number in a match of its own; from 0 is <see cref="Optional"/>.</summary>
    /// <param name="least">0 or more.</param>
    /// <param name="most">1 or more, and no less than <paramref name="least"/>.</param>
    public Pattern<T> Times(int least, int most)
    {
        var problem = least < 0 ? $"Times({least}, {most}) begins below 0" : most < 1 ? $"Times({least}, {most}) must end at 1 or more" : most < least ? $"Times({least}, {most}) ends before it begins" : null;
        var repeated = Repeat(Math.Max(1, least), most, loops: false, problem);
        return least == 0 ? repeated.Change(static step => step with { IsOptional = true }) : repeated;
    }

    /// <summary>The step is taken a number of times or more, each number in a match of its own.</summary>
    /// <param name="least">1 or more.</param>
    public Pattern<T> TimesOrMore(int least) => Repeat(least, least, loops: true, least < 1 ? $"TimesOrMore({least}) must be 1 or more" : null);

    /// <summary>The step is taken once or more, each number of times in a match of its own.</summary>
    public Pattern<T> OneOrMore() => Repeat(1, 1, loops: true, null);

    /// <summary>The step may be left out: there are matches with it and without it.</summary>
    public Pattern<T> Optional() => Change(static step => (step with { IsOptional = true }).Refuse(step.IsOptional ? "it is made Optional twice" : null));

    /// <summary>The step is taken as often as can be before the next step begins: no match has fewer. As the last step it changes nothing.</summary>
    public Pattern<T> Greedy() => Change(static step => step with { IsGreedy = true });

    /// <summary>The records that a repeated step takes follow each other directly.</summary>
    public Pattern<T> Consecutive() => Inner(Contiguity.Next);

    /// <summary>A repeated step may pass over records that it could take: there is a match for every combination.</summary>
    public Pattern<T> AllowCombinations() => Inner(Contiguity.FollowedByAny);

    /// <summary>A looping step takes no more records from the first on that meets a condition; that one may be the next step's.</summary>
    /// <param name="condition">A static lambda, or one that captures immutable values.</param>
    public Pattern<T> Until(Func<T, bool> condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return Until(new RecordCondition<T>(condition));
    }

    /// <summary>A looping step takes no more records from the first on that meets a condition over it and what has matched before it.</summary>
    /// <param name="condition">A static lambda, or one that captures immutable values.</param>
    public Pattern<T> Until(Func<T, MatchedSoFar<T>, bool> condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return Until(new MatchedCondition<T>(condition));
    }

    private Pattern<T> Repeat(int least, int most, bool loops, string? problem) => Change(step =>
        (step with { Least = least, Most = most, Loops = loops, IsRepeated = true }).Refuse(problem).Refuse(step.IsRepeated ? "it is told twice how often it is taken" : null));

    private Pattern<T> Inner(Contiguity inner) => Change(step =>
        (step with { Inner = inner, HasInner = true }).Refuse(step.HasInner ? "it is told twice how close its records are: Consecutive or AllowCombinations, one of them" : null));

    private Pattern<T> Until(Condition<T> condition) => Change(step => (step with { Until = condition }).Refuse(step.Until is null ? null : "it has Until twice"));
}
