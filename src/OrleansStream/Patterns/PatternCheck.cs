namespace OrleansStream.Patterns;

/// <summary>Finds everything that is wrong with a pattern, each with its step.</summary>
internal static class PatternCheck
{
    public static IEnumerable<string> Problems<T>(Pattern<T> pattern)
    {
        var names = new List<string>();
        foreach (var problem in Steps(pattern, "", names)) yield return problem;
        foreach (var name in names.GroupBy(static name => name).Where(static same => same.Count() > 1)) yield return $"{name.Count()} steps are named '{name.Key}'; each needs a name of its own";
        if (pattern.Steps[^1].Contiguity == Contiguity.NotFollowedBy && PatternCompiler<T>.FirstToLast(pattern.Steps) is null && pattern.Steps[^1].WithinNeighbours is null)
        {
            yield return $"step '{pattern.Steps[^1].Name}': a NotFollowedBy at the end is never over; add Within";
        }

        if (pattern.Skip?.Step is { } skipped && !PatternCompiler<T>.Names(pattern.Steps).Contains(skipped))
        {
            yield return $"the skip strategy {pattern.Skip} names a step that takes no records, or that the pattern does not have";
        }
    }

    /// <summary>Whether partial matches can run out of time.</summary>
    public static bool HasBound<T>(Pattern<T> pattern) =>
        pattern.Steps.Any(static step => step.Within is not null || step.WithinNeighbours is not null || (step.Group is { } group && HasBound(group)));

    private static IEnumerable<string> Steps<T>(Pattern<T> pattern, string outer, List<string> names)
    {
        var whole = PatternCompiler<T>.FirstToLast(pattern.Steps);
        for (var index = 0; index < pattern.Steps.Count; index++)
        {
            var step = pattern.Steps[index];
            var place = step.Group is null ? $"{outer}step '{step.Name}'" : $"{outer}group {index + 1}";
            if (step.Group is null && string.IsNullOrEmpty(step.Name)) yield return $"{outer}step {index + 1} has no name";
            else if (step.Group is null) names.Add(step.Name!);
            foreach (var problem in step.Problems.Concat(Step(step, whole)).Concat(Between(index > 0 ? pattern.Steps[index - 1] : null, step))) yield return $"{place}: {problem}";
            if (step.Group is not { } group) continue;
            foreach (var problem in Group(group)) yield return $"{place}: {problem}";
            foreach (var problem in Steps(group, $"{place}, ", names)) yield return problem;
        }
    }

    private static IEnumerable<string> Step<T>(PatternStep<T> step, long? whole)
    {
        if (step.IsNot)
        {
            if (step.IsOptional) yield return "what must not come cannot be Optional";
            if (step.IsRepeated || step.IsGreedy || step.HasInner || step.Until is not null) yield return "what must not come takes no records, so it cannot be repeated, Greedy or ended by Until";
            yield break;
        }

        var isRepeated = step.IsRepeated;
        if (step.IsGreedy && !isRepeated) yield return "Greedy is for steps that are repeated";
        if (step.IsGreedy && step.Group is not null) yield return "a group cannot be Greedy";
        if (step is { IsGreedy: true, HasInner: true, Inner: Contiguity.FollowedByAny }) yield return "Greedy takes all it can, AllowCombinations any part of it; use one of them";
        if (step.HasInner && !isRepeated) yield return "Consecutive and AllowCombinations are for steps that are repeated";
        if (step.Until is not null && !step.Loops) yield return "Until is for looping steps: OneOrMore or TimesOrMore";
        if (step.Group is not null && step.Condition is not null) yield return "a group has no conditions of its own; put them on its steps";
        if (step is { Group: not null, WithinNeighbours: not null }) yield return "a bound from record to record belongs to the group's steps";
        if (step.WithinNeighbours is { } own && whole is { } bound && own.Ticks / TimeSpan.TicksPerMillisecond > bound)
        {
            yield return $"a bound of {own} from record to record is longer than that of the whole match, {TimeSpan.FromMilliseconds(bound)}";
        }
    }

    private static IEnumerable<string> Between<T>(PatternStep<T>? before, PatternStep<T> step)
    {
        if (before is null) yield break;
        if (step.IsNot && before.IsOptional) yield return "what must not come cannot stand behind an Optional step; write two patterns, one without that step";
        if (step.IsOptional && before.IsGreedy) yield return "an Optional step cannot stand behind a Greedy one: which of them takes a record would be open";
    }

    private static IEnumerable<string> Group<T>(Pattern<T> group)
    {
        if (group.Steps[0].IsOptional) yield return "the first step of a group cannot be Optional; make the group Optional, or begin it with another step";
        if (group.Steps[^1].Contiguity == Contiguity.NotFollowedBy) yield return "a group cannot end with NotFollowedBy; put it behind the group";
        if (group.Skip is not null) yield return "a group has no skip strategy; give it to the outermost Begin";
    }
}
