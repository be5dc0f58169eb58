using System.Collections.Concurrent;
using OrleansStream.Testing.Simulation;

namespace OrleansStream.Tests.Simulation;

/// <summary>
/// The engine under seeded faults. A seed that fails is printed and can be run alone, with all that happens in it: <c>SIMULATION_SEED=17 dotnet run --project tests/OrleansStream.Tests -- -class
/// "*SimulationTests"</c>; <c>SIMULATION_SEEDS=10000</c> runs more of them.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int Seeds = 2_000;

    [Fact]
    public void Whole_jobs_keep_their_promises_under_every_seed()
    {
        if (Number("SIMULATION_SEED") is { } alone)
        {
            var run = EngineRun.Of(alone, trace: output.WriteLine);
            run.Execute();
            output.WriteLine(run.ToString());
            Assert.True(run.Violation is null, run.ToString());
            return;
        }

        var runs = Execute(Enumerable.Range(1, Number("SIMULATION_SEEDS") ?? Seeds));
        var bad = runs.Where(static run => run.Violation is not null).ToList();
        output.WriteLine($"{runs.Count} seeds: {runs.Sum(static run => run.Steps)} steps, {runs.Sum(static run => run.Attempts)} attempts, {runs.Sum(static run => run.Publications)} checkpoints, {runs.Sum(static run => run.Moves)} planned moves, {runs.Sum(static run => run.TablesKept)} subtasks with tables that were kept, {runs.Sum(static run => run.TablesAhead)} with tables that were read ahead, "
            + $"{runs.Sum(static run => run.Accidents)} accidents, {runs.Sum(static run => run.Pieces)} pieces of snapshots, {runs.Sum(static run => run.Restores)} attempts begun from a checkpoint on the way");
        Assert.True(bad.Count == 0, $"{bad.Count} of {runs.Count} seeds:\n{string.Join("\n", bad.Take(10).Select(static run => run.Story))}");
        Assert.True(runs.Sum(static run => run.Restores) > runs.Count, "The faults hit too little: jobs were hardly ever restarted on the way.");
        Assert.True(runs.Sum(static run => run.Moves) > runs.Count / 8, "Jobs were hardly ever moved.");
        Assert.True(runs.Sum(static run => run.TablesKept) > runs.Count / 8, "Subtasks hardly ever began with tables that were kept.");
        Assert.True(runs.Sum(static run => run.TablesAhead) > runs.Count / 8, "Subtasks hardly ever began with tables that were read ahead.");
        Assert.True(runs.Sum(static run => run.Pieces) > 10 * runs.Count, "Snapshots were hardly ever written in pieces.");
    }

    [Fact]
    public void A_seed_takes_the_same_steps_each_time()
    {
        var first = Execute(Enumerable.Range(1, 40));
        var second = Execute(Enumerable.Range(1, 40));
        Assert.Equal(first.OrderBy(static run => run.Seed), second.OrderBy(static run => run.Seed));
        Assert.Equal(first.Count, first.Select(static run => run.Trace).Distinct().Count());
    }

    private static List<Summary> Execute(IEnumerable<int> seeds)
    {
        var waiting = new ConcurrentQueue<int>(seeds);
        var runs = new ConcurrentBag<Summary>();
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() =>
        {
            while (waiting.TryDequeue(out var seed))
            {
                var run = EngineRun.Of(seed);
                run.Execute();
                runs.Add(new Summary(seed, run.Scheduler.Trace, run.Scheduler.Steps, run.Attempts, run.Restores, run.Publications, run.Moves, run.TablesKept, run.TablesAhead, run.Accidents.Count, run.Store.PiecesWritten, run.Violation, run.ToString()));
            }
        })).ToList();
        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());
        return [.. runs];
    }

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : null;

    private sealed record Summary(int Seed, ulong Trace, long Steps, int Attempts, int Restores, int Publications, int Moves, int TablesKept, int TablesAhead, int Accidents, int Pieces, Violation? Violation, string Story);
}
