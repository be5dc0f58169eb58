using System.Globalization;
using OrleansStream.ClusterTests.Cluster;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>Every fault, several times, and kills at random moments: for <c>tests/cluster-faults.sh</c>, which says what is to be done in variables and shows what is printed here.</summary>
public sealed class LongFaultRuns(Garnet garnet)
{
    private const string Prefix = "ORLEANSSTREAM_FAULT_";
    private const string AtRandom = "random";

    [Fact(Explicit = true)]
    public async Task All_faults_in_turn_and_kills_at_random()
    {
        var (rounds, seed) = (Number("ROUNDS", 3), Number("SEED", 1));
        var names = Environment.GetEnvironmentVariable($"{Prefix}POINTS") is { Length: > 0 } text ? text.Split(',') : [.. FaultPlan.All.Select(static plan => plan.Name), AtRandom];
        foreach (var name in names.Where(static name => name != AtRandom)) FaultPlan.Find(name);
        var tally = new FaultTally();
        for (var round = 1; round <= rounds; round++)
        {
            foreach (var (turn, name) in names.Index())
            {
                // Of the round and the fault alone, so that one can be repeated without the others.
                var random = new Random(HashCodeOf(seed, round, name));
                await tally.RunAsync($"[{((round - 1) * names.Length) + turn + 1}/{rounds * names.Length}] {name}", () => RunAsync(name, random));
            }
        }

        Console.WriteLine(tally.Summary(seed));
        Assert.True(tally.Holds, "Not every fault came about and did no harm: see above.");
    }

    private async Task<(string What, TimeSpan Recovery)> RunAsync(string name, Random random)
    {
        if (name == AtRandom) return ("", await FaultRun.AtRandomAsync(garnet, random));
        var plan = FaultPlan.Find(name);
        var passing = random.Next(plan.Least, plan.Most + 1);
        return ($" passing {passing}", await FaultRun.AtAsync(garnet, plan, passing));
    }

    /// <summary>The same in every process.</summary>
    private static int HashCodeOf(int seed, int round, string name) => name.Aggregate((seed * 1_000_003) ^ round, static (hash, letter) => unchecked((hash * 31) + letter));

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(Prefix + name) is { Length: > 0 } text ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>What came of the runs.</summary>
    private sealed class FaultTally
    {
        private readonly List<TimeSpan> _recoveries = [];
        private int _runs;
        private int _missed;
        private int _violations;

        public bool Holds => _missed == 0 && _violations == 0;

        public async Task RunAsync(string title, Func<Task<(string What, TimeSpan Recovery)>> run)
        {
            _runs++;
            try
            {
                var (what, recovery) = await run();
                _recoveries.Add(recovery);
                Print($"{title}{what}: right, {recovery.TotalMilliseconds:N0} ms to the next committed checkpoint");
            }
            catch (NoFaultException none)
            {
                _missed++;
                Print($"{title}: NO FAULT. {none.Message}");
            }
            catch (Exception error)
            {
                _violations++;
                Print($"{title}: VIOLATION. {error.GetType().Name}: {error.Message}");
            }
        }

        public string Summary(int seed)
        {
            _recoveries.Sort();
            return string.Create(CultureInfo.InvariantCulture, $"""
                {_runs} runs, {_runs - _missed} faults that came about, {_violations} violations, seed {seed}
                from the death to the next committed checkpoint: p50 {At(0.5):N0} ms, p95 {At(0.95):N0} ms, worst {At(1):N0} ms
                """);
        }

        private double At(double share) => _recoveries.Count == 0 ? double.NaN : _recoveries[(int)Math.Ceiling(share * _recoveries.Count) - 1].TotalMilliseconds;

        private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
    }
}
