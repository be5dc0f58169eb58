using System.Globalization;
using OrleansStream.Patterns;
using OrleansStream.State;
using OrleansStream.Tests.State;

namespace OrleansStream.Tests.Patterns;

/// <summary>
/// Runs a pattern's automaton over the records of one key, written as words: "a1 b1@20 c1". A record's kind is its first letter; its time is behind the @, or one more than the time before.
/// After every step it holds what is kept against what partial matches need.
/// </summary>
internal sealed class PatternRun
{
    private static readonly MapState<long, MatchNode> Nodes = new("nodes");
    private static readonly MapState<long, KeptRecord<string>> Kept = new("records");

    private readonly KeyedStateTable<string> _table = new("match", StateSetup.AllGroups(128), 128, [Nodes, Kept], StateSetup.Serializers);
    private readonly List<string> _input = [];
    private readonly PatternAutomaton<string> _automaton;
    private readonly int _slot;
    private long _time;

    public PatternRun(Pattern<string> pattern, int limit = 10_000)
    {
        Assert.Empty(PatternCheck.Problems(pattern));
        var compiled = PatternCompiler<string>.Compile(pattern);
        _slot = _table.Slot("key");
        var store = new MatchStore<string>(compiled.Names, _table.Maps(Nodes), _table.Maps(Kept));
        store.Open(_slot, default);
        _automaton = new PatternAutomaton<string>(compiled, store, limit) { WantsTimedOut = true };
    }

    /// <summary>What was found, in the order of finding: the records of each match in the order of the input, and behind an @ the time.</summary>
    public IEnumerable<string> FoundAt => _automaton.Matches.Select(found => string.Create(CultureInfo.InvariantCulture, $"{Text(found.Match)}@{found.Time}"));

    public IEnumerable<string> Found => _automaton.Matches.Select(found => Text(found.Match));

    public IEnumerable<string> TimedOut => _automaton.TimedOut.Select(found => string.Create(CultureInfo.InvariantCulture, $"{Text(found.Match)}@{found.Time}"));

    public IReadOnlyList<Match<string>> Matches => [.. _automaton.Matches.Select(static found => found.Match)];

    public int Partials => _automaton.Partials.Count;

    public int Held => _automaton.Held.Count;

    public int KeptRecords => _table.Maps(Kept).Count(_slot);

    /// <summary>What a pattern finds in an input.</summary>
    public static PatternRun Of(Pattern<string> pattern, string input)
    {
        var run = new PatternRun(pattern);
        run.Feed(input);
        return run;
    }

    /// <summary>Demands that a pattern finds these matches in an input, and nothing else.</summary>
    public static void Finds(Pattern<string> pattern, string input, params string[] matches)
    {
        var run = Of(pattern, input);
        Assert.Equal(matches.Order(StringComparer.Ordinal), run.Found.Order(StringComparer.Ordinal));
    }

    public void Feed(string input)
    {
        foreach (var word in input.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = word.IndexOf('@', StringComparison.Ordinal);
            _time = at < 0 ? _time + 1 : long.Parse(word[(at + 1)..], CultureInfo.InvariantCulture);
            Add(at < 0 ? word : word[..at], _time);
        }
    }

    public void Add(string record, long time)
    {
        PassTo(time);
        _input.Add(record);
        _automaton.Process(record, time);
        CheckKept();
    }

    /// <summary>Lets time pass, as the watermark does.</summary>
    public void PassTo(long time)
    {
        while (_automaton.NextDeadline is { } deadline && deadline <= time)
        {
            _automaton.Expire(deadline);
            CheckKept();
        }
    }

    private string Text(Match<string> match) => string.Join(' ', match.Steps.SelectMany(static step => step.Records).OrderBy(_input.IndexOf));

    /// <summary>Exactly what partial matches and held ones need is kept, with the right counts.</summary>
    private void CheckKept()
    {
        var nodes = _table.Maps(Nodes).Entries(_slot).ToDictionary();
        var kept = _table.Maps(Kept).Entries(_slot).ToDictionary();
        var ends = _automaton.Partials.Concat(_automaton.Held).Select(static partial => partial.Node).ToList();
        Assert.All(nodes, node => Assert.Equal(node.Value.Uses, ends.Count(end => end == node.Key) + nodes.Values.Count(child => child.Parent == node.Key)));
        Assert.All(ends, end => Assert.Contains(end, nodes));
        Assert.All(nodes.Values.Where(static node => node.Parent != 0), node => Assert.Contains(node.Parent, nodes));
        Assert.All(kept, record => Assert.Equal(record.Value.Uses, nodes.Values.Count(node => node.Record == record.Key)));
        Assert.All(nodes.Values, node => Assert.Contains(node.Record, kept));
        Assert.True(_automaton.Partials.Select(static partial => partial.Start).SequenceEqual(_automaton.Partials.Select(static partial => partial.Start).Order()));
    }
}

/// <summary>Short words for patterns over words.</summary>
internal static class Words
{
    public static Pattern<string> Begin(string name, SkipStrategy? skip = null) => Named(Pattern.Begin<string>(name, skip), name);

    public static Pattern<string> Then(this Pattern<string> pattern, string name) => Named(pattern.Next(name), name);

    public static Pattern<string> Later(this Pattern<string> pattern, string name) => Named(pattern.FollowedBy(name), name);

    public static Pattern<string> Any(this Pattern<string> pattern, string name) => Named(pattern.FollowedByAny(name), name);

    public static Pattern<string> NotThen(this Pattern<string> pattern, string name) => Named(pattern.NotNext(name), name);

    public static Pattern<string> NotLater(this Pattern<string> pattern, string name) => Named(pattern.NotFollowedBy(name), name);

    public static Pattern<string> ZeroOrMore(this Pattern<string> pattern) => pattern.OneOrMore().Optional();

    public static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    /// <summary>The step takes records whose kind is the first letter of its name.</summary>
    private static Pattern<string> Named(Pattern<string> pattern, string name) => pattern.Where(record => record[0] == name[0]);
}
