using OrleansStream.Functions;
using OrleansStream.Patterns;
using OrleansStream.Testing;
using static OrleansStream.Tests.Patterns.ReferenceStep;

namespace OrleansStream.Tests.Patterns;

/// <summary>Patterns in a job that is run in every way: at once, record by record, restored and crashed after every step, at other parallelisms.</summary>
public sealed class PatternEveryWayTests
{
    private static readonly SideOutput<TimedOutMatch<string>> TimedOut = new("timed-out");
    private static readonly SideOutput<string> Late = new("late");

    public static TheoryData<string> Names => [.. Patterns.Keys];

    private static Dictionary<string, Pattern<string>> Patterns { get; } = new()
    {
        ["strict"] = Step("a").Next("b").Where(Is("b")),
        ["relaxed within"] = Step("a").FollowedBy("b").Where(Is("b")).FollowedBy("c").Where(Is("c")).Within(TimeSpan.FromMilliseconds(20)),
        ["any, skipping"] = Step("a", SkipStrategy.ToNext).FollowedByAny("b").Where(Is("b")).OneOrMore().Within(TimeSpan.FromMilliseconds(15)),
        ["greedy loop"] = Step("a").OneOrMore().Greedy().FollowedBy("b").Where(Is("b")).Within(TimeSpan.FromMilliseconds(30)),
        ["combinations, skipping past"] = Step("a", SkipStrategy.PastLast).OneOrMore().AllowCombinations().FollowedBy("c").Where(Is("c")).Within(TimeSpan.FromMilliseconds(12)),
        ["nothing follows"] = Step("a").NotFollowedBy("c").Where(Is("c")).Within(TimeSpan.FromMilliseconds(9)),
        ["group"] = Pattern.Begin(Step("a").FollowedBy("b").Where(Is("b"))).Times(1, 2).FollowedBy("c").Where(Is("c")).Within(TimeSpan.FromMilliseconds(40)),
        ["over what has matched"] = Step("a").FollowedBy("b").Where(static (record, matched) => LetterOf(record) == 'b' && record[^1] > matched["a"][0][^1]).Within(TimeSpan.FromMilliseconds(25)),
        ["neighbours"] = Step("a").FollowedByAny("b").Where(Is("b")).OneOrMore().Within(TimeSpan.FromMilliseconds(6), WithinScope.PreviousToCurrent).NotNext("x").Where(Is("x"))
            .FollowedBy("c").Where(Is("c")).Within(TimeSpan.FromMilliseconds(30)),
    };

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_pattern_finds_the_same_however_the_job_is_run(string name)
    {
        var results = await EveryWay.RunAsync(() => Make(Patterns[name], Feed(name.Length)));

        Assert.NotEmpty(results["matches"]);
        Assert.NotEmpty(results["late"]);
    }

    [Fact]
    public async Task Random_jobs_find_what_a_search_through_all_choices_finds()
    {
        var found = 0;
        for (var seed = 0; seed < 1_000; seed++)
        {
            var random = new Random(seed);
            var chance = new RandomPattern(seed);
            var (steps, onTime) = Disordered(random);
            var scenario = Make(chance.Pattern(), steps);
            await using var harness = await JobHarness.StartAsync(scenario.Define, new HarnessOptions { Parallelism = random.Next(1, 4) });
            foreach (var step in scenario.Steps)
            {
                step();
                if (random.Next(6) == 0) await harness.RestoreAsync(random.Next(1, 4));
            }

            await harness.RunAsync();
            var expected = onTime.GroupBy(static record => record.Record[..1])
                .SelectMany(key => ReferenceMatcher.Find(chance.Steps, chance.Within, [.. key.OrderBy(static record => record.Time)])).Order(StringComparer.Ordinal).ToList();
            var matches = scenario.Outputs["matches"]().Select(static match => match[..match.IndexOf(" @", StringComparison.Ordinal)]).Order(StringComparer.Ordinal).ToList();
            Assert.True(expected.SequenceEqual(matches), $"Seed {seed}: {chance}\nexpected {string.Join(" | ", expected)}\nfound {string.Join(" | ", matches)}");
            Assert.True(harness.HasEnded);
            found += expected.Count;
        }

        Assert.True(found > 1_000, $"Only {found} matches.");
    }

    private static Scenario Make(Pattern<string> pattern, IReadOnlyList<Action<TestInput<string>>> feed)
    {
        var input = new TestInput<string>();
        var matches = new TestOutput<Match<string>>();
        var timedOut = new TestOutput<TimedOutMatch<string>>();
        var late = new TestOutput<string>();
        return new Scenario(
            graph =>
            {
                var bounded = PatternCheck.HasBound(pattern);
                var found = graph.From("in", input).KeyBy(static record => record[..1]).Match("match", pattern, bounded ? TimedOut : null, Late);
                found.To("matches", matches);
                found.SideOutput(Late).To("late", late);
                if (bounded) found.SideOutput(TimedOut).To("timed-out", timedOut);
            },
            [.. feed.Select(step => (Action)(() => step(input)))],
            new Dictionary<string, Func<IEnumerable<string>>>
            {
                ["matches"] = () => Scenario.Text(matches),
                ["timed-out"] = () => Scenario.Text(timedOut),
                ["late"] = () => Scenario.Text(late),
            });
    }

    /// <summary>Records of three keys, in disorder, some of them late, and watermarks between.</summary>
    private static List<Action<TestInput<string>>> Feed(int seed)
    {
        var random = new Random(seed);
        var feed = new List<Action<TestInput<string>>>();
        for (var record = 0; record < 40; record++)
        {
            var word = $"{"klm"[random.Next(3)]}/{"aabbcx"[random.Next(6)]}{record}";
            var time = (2 * record) + random.Next(-8, 8);
            long? watermark = random.Next(4) == 0 ? (2 * record) - 5 : null;
            feed.Add(input => Give(input, word, time, 1, watermark));
        }

        feed.Add(static input => Give(input, "k/x", 90, 1, 85));
        feed.Add(static input => Give(input, "k/a-late", 85, 1, null));
        feed.Add(static input => input.End());
        return feed;
    }

    /// <summary>Steps as <see cref="Feed"/>'s, fewer, with the same record twice at times, and which records are on time.</summary>
    private static (List<Action<TestInput<string>>> Steps, List<(string Record, long Time)> OnTime) Disordered(Random random)
    {
        var feed = new List<Action<TestInput<string>>>();
        var onTime = new List<(string, long)>();
        var watermark = long.MinValue;
        var count = random.Next(4, 16);
        for (var record = 0; record < count; record++)
        {
            var word = $"{"kl"[random.Next(2)]}/{"abcx"[random.Next(4)]}{record}";
            var time = (2L * record) + random.Next(-5, 5);
            var times = random.Next(8) == 0 ? 2 : 1;
            for (var repeat = 0; repeat < times && time > watermark; repeat++) onTime.Add((word, time));
            long? next = random.Next(3) == 0 ? (2L * record) - random.Next(6) : null;
            watermark = Math.Max(watermark, next ?? watermark);
            feed.Add(input => Give(input, word, time, times, next));
        }

        feed.Add(static input => input.End());
        return (feed, onTime);
    }

    /// <summary>A record, and behind it a watermark: together, as one that begins what is read is heard only with the records behind it.</summary>
    private static void Give(TestInput<string> input, string record, long time, int times, long? watermark)
    {
        for (var repeat = 0; repeat < times; repeat++) input.Add(record, time);
        if (watermark is { } at) input.Watermark(at);
    }

    private static Pattern<string> Step(string name, SkipStrategy? skip = null) => Pattern.Begin<string>(name, skip).Where(Is(name));

    private static Func<string, bool> Is(string letters) => record => letters.Contains(LetterOf(record), StringComparison.Ordinal);
}
