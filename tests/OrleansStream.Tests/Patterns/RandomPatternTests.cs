using OrleansStream.Patterns;

namespace OrleansStream.Tests.Patterns;

/// <summary>Patterns by chance against a search through all choices of records.</summary>
public sealed class RandomPatternTests
{
    private const int Cases = 2_000;

    [Fact]
    public void What_is_found_is_what_a_search_through_all_choices_finds()
    {
        var found = 0;
        for (var seed = 0; seed < Cases; seed++)
        {
            var chance = new RandomPattern(seed);
            var input = chance.Input();
            var expected = ReferenceMatcher.Find(chance.Steps, chance.Within, input);
            AssertSame(expected, Found(chance.Pattern(), input), seed, chance, input);
            found += expected.Count;
        }

        Assert.True(found > Cases, $"Only {found} matches in {Cases} cases.");
    }

    [Fact]
    public void A_step_in_a_group_of_its_own_is_that_step()
    {
        for (var seed = 0; seed < Cases; seed++)
        {
            var chance = new RandomPattern(seed);
            var grouped = chance.Pattern(grouped: true);
            // What a group refuses is not asked of it; and what ends a group ends the waiting for it too, as in Flink.
            if (PatternCheck.Problems(grouped).Any() || chance.Steps.Exists(static step => step.Until is not null)) continue;
            var input = chance.Input();
            var expected = ReferenceMatcher.Find(chance.Steps, chance.Within, input);
            AssertSame(expected, Found(grouped, input), seed, chance, input);
        }
    }

    [Fact]
    public void What_a_skip_strategy_leaves_is_what_dropping_from_all_matches_in_the_order_of_beginning_leaves()
    {
        var dropped = 0;
        for (var seed = 0; seed < Cases; seed++)
        {
            var chance = new RandomPattern(seed);
            var taking = chance.Steps.Where(static step => !step.IsNot).Select(static step => step.Name).ToArray();
            var input = chance.Input();
            // So that nothing is held back to the end of the input.
            var all = Run(chance.Pattern().Within(TimeSpan.FromMilliseconds(chance.Within ?? 100)), input);
            foreach (var skip in new[] { SkipStrategy.ToNext, SkipStrategy.PastLast, SkipStrategy.ToFirst(taking[^1]), SkipStrategy.ToLast(taking[0]) })
            {
                var left = Run(chance.Pattern(skip).Within(TimeSpan.FromMilliseconds(chance.Within ?? 100)), input);
                AssertSame(Left(all, skip, input), [.. left.Select(static match => match.ToString())], seed, chance, input);
                dropped += all.Count - left.Count;
            }
        }

        Assert.True(dropped > Cases / 2, $"Only {dropped} matches dropped in {Cases} cases.");
    }

    private static List<string> Left(IReadOnlyList<Match<string>> all, SkipStrategy skip, List<(string Record, long Time)> input)
    {
        int IndexOf(string record) => input.FindIndex(other => other.Record == record);
        int FirstOf(Match<string> match) => match.Steps.Min(step => IndexOf(step.Records[0]));
        var left = new List<string>();
        var from = int.MinValue;
        foreach (var match in all.OrderBy(FirstOf))
        {
            if (FirstOf(match) < from) continue;
            left.Add(match.ToString());
            from = Math.Max(from, skip.Kind switch
            {
                SkipKind.ToNext => FirstOf(match) + 1,
                SkipKind.PastLast => match.Steps.Max(step => IndexOf(step.Records[^1])) + 1,
                SkipKind.ToFirst => match[skip.Step!] is [var first, ..] ? IndexOf(first) : from,
                _ => match[skip.Step!] is [.., var last] ? IndexOf(last) : from,
            });
        }

        return left;
    }

    private static List<string> Found(Pattern<string> pattern, List<(string Record, long Time)> input)
    {
        var found = Run(pattern, input).Select(static match => match.ToString()).ToList();
        found.Sort(StringComparer.Ordinal);
        return found;
    }

    private static IReadOnlyList<Match<string>> Run(Pattern<string> pattern, List<(string Record, long Time)> input)
    {
        var run = new PatternRun(pattern);
        foreach (var (record, time) in input) run.Add(record, time);
        run.PassTo(long.MaxValue);
        return run.Matches;
    }

    private static void AssertSame(List<string> expected, List<string> found, int seed, RandomPattern chance, List<(string Record, long Time)> input) => Assert.True(
        expected.SequenceEqual(found),
        $"Seed {seed}: {chance}\nin {string.Join(' ', input.Select(static record => $"{record.Record}@{record.Time}"))}\n"
        + $"missing {string.Join(" | ", expected.Except(found))}\nnot expected {string.Join(" | ", found.Except(expected))}\n{expected.Count} expected, {found.Count} found");
}
