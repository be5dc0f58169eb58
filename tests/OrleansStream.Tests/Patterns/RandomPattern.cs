using System.Text;
using OrleansStream.Patterns;

namespace OrleansStream.Tests.Patterns;

/// <summary>Patterns and inputs by chance, the same for a seed.</summary>
internal sealed class RandomPattern
{
    private readonly Random _random;

    public RandomPattern(int seed)
    {
        _random = new Random(seed);
        var count = _random.Next(1, 5);
        for (var step = 0; step < count; step++) Steps.Add(NextStep(step, isLast: step == count - 1));
        if (Steps[^1].Contiguity == Contiguity.NotFollowedBy || _random.Next(3) == 0) Within = _random.Next(1, 12);
        for (var step = 0; Within is { } bound && step < Steps.Count; step++)
        {
            if (Steps[step].WithinNeighbours > bound) Steps[step] = Steps[step] with { WithinNeighbours = bound };
        }
    }

    public List<ReferenceStep> Steps { get; } = [];

    public int? Within { get; }

    /// <summary>The pattern; with its steps in groups of one each where asked.</summary>
    public Pattern<string> Pattern(SkipStrategy? skip = null, bool grouped = false)
    {
        Pattern<string>? pattern = null;
        foreach (var step in Steps)
        {
            if (grouped && !step.IsNot && step.WithinNeighbours is null)
            {
                var group = OrleansStream.Patterns.Pattern.Begin<string>(step.Name).Where(step.Fits);
                pattern = pattern is null ? OrleansStream.Patterns.Pattern.Begin(group, skip) : step.Contiguity switch
                {
                    Contiguity.Next => pattern.Next(group),
                    Contiguity.FollowedBy => pattern.FollowedBy(group),
                    _ => pattern.FollowedByAny(group),
                };
            }
            else
            {
                pattern = pattern is null ? OrleansStream.Patterns.Pattern.Begin<string>(step.Name, skip) : step.Contiguity switch
                {
                    Contiguity.Next => pattern.Next(step.Name),
                    Contiguity.FollowedBy => pattern.FollowedBy(step.Name),
                    Contiguity.FollowedByAny => pattern.FollowedByAny(step.Name),
                    Contiguity.NotNext => pattern.NotNext(step.Name),
                    _ => pattern.NotFollowedBy(step.Name),
                };
                pattern = pattern.Where(step.Fits);
            }

            pattern = Quantified(pattern, step);
        }

        return Within is { } within ? pattern!.Within(TimeSpan.FromMilliseconds(within)) : pattern!;
    }

    /// <summary>Records of a key with times in order.</summary>
    public List<(string Record, long Time)> Input(string prefix = "", int most = 9)
    {
        var records = new List<(string, long)>();
        var time = (long)_random.Next(-20, 20);
        var count = _random.Next(most + 1);
        for (var record = 0; record < count; record++)
        {
            records.Add(($"{prefix}{"abcx"[_random.Next(4)]}{record}", time));
            time += _random.Next(4);
        }

        return records;
    }

    public override string ToString()
    {
        var text = new StringBuilder($"{PatternText.Of(Pattern())} where ");
        foreach (var step in Steps) text.Append($"{step.Name}:{step.Letters}{(step.Until is { } until ? $" until {until}" : "")} ");
        return text.ToString();
    }

    private static Pattern<string> Quantified(Pattern<string> pattern, ReferenceStep step)
    {
        if (step.IsLoop) pattern = pattern.TimesOrMore(step.Least);
        else if (step.Most > 1) pattern = pattern.Times(step.Least, step.Most);
        if (step.IsOptional) pattern = pattern.Optional();
        if (step.Inner == Contiguity.Next) pattern = pattern.Consecutive();
        if (step.Inner == Contiguity.FollowedByAny) pattern = pattern.AllowCombinations();
        if (step.Until is not null) pattern = pattern.Until(step.Ends);
        return step.WithinNeighbours is { } bound ? pattern.Within(TimeSpan.FromMilliseconds(bound), WithinScope.PreviousToCurrent) : pattern;
    }

    private ReferenceStep NextStep(int index, bool isLast)
    {
        var name = $"s{index}";
        var letters = new[] { "a", "b", "c", "ab", "bc", "abc" }[_random.Next(6)];
        // NotNext before steps that may all be left out is Flink's blind spot, and ours: it is left out of the trial, as is its wait at the end.
        if (index > 0 && !Steps[^1].IsOptional && _random.Next(4) == 0) return new ReferenceStep(name, letters, isLast || _random.Next(2) == 0 ? Contiguity.NotFollowedBy : Contiguity.NotNext);
        var behindNotNext = index > 0 && Steps[^1].Contiguity == Contiguity.NotNext;
        var step = new ReferenceStep(name, letters, index == 0 ? Contiguity.Next : (Contiguity)_random.Next(3)) { IsOptional = !behindNotNext && _random.Next(4) == 0 };
        if (_random.Next(8) == 0) step = step with { WithinNeighbours = _random.Next(1, 8) };
        if (_random.Next(2) == 0) return step;
        step = step with { Least = _random.Next(1, 3), Inner = (Contiguity)_random.Next(3) };
        step = step with { Most = _random.Next(2) == 0 ? int.MaxValue : step.Least + _random.Next(step.Least == 1 ? 1 : 0, 3) };
        return step.IsLoop && _random.Next(4) == 0 ? step with { Until = "abc"[_random.Next(3)] } : step;
    }
}
