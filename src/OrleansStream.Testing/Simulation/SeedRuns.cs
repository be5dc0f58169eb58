using System.Collections.Concurrent;
using OrleansStream.Jobs;

namespace OrleansStream.Testing.Simulation;

/// <summary>Runs a job for many seeds on as many threads as there are cores. The first failure lets no other run begin; of several the one of the lowest seed is told.</summary>
internal sealed class SeedRuns(Func<IServiceProvider, IStreamJob> job, SimulationOptions options, Action<SimulationOutcome> check, bool isAlone)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, Exception> _failures = [];
    private SimulationTotals _totals = new(0, 0, 0, 0, 0, 0);

    public async Task<SimulationTotals> RunAsync(IEnumerable<int> seeds)
    {
        var waiting = new ConcurrentQueue<int>(seeds);
        await Task.WhenAll(Enumerable.Range(0, Math.Min(Environment.ProcessorCount, waiting.Count)).Select(_ => Task.Factory.StartNew(
            () =>
            {
                while (!HasFailed && waiting.TryDequeue(out var seed)) Run(seed);
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));
        return _failures.Count == 0 ? _totals : throw _failures.First().Value;
    }

    private bool HasFailed
    {
        get
        {
            lock (_lock) return _failures.Count > 0;
        }
    }

    private void Run(int seed)
    {
        try
        {
            var outcome = ClusterSimulation.Run(job, options with { Seed = seed });
            lock (_lock)
            {
                _totals = new SimulationTotals(
                    _totals.Seeds + 1,
                    _totals.Attempts + outcome.Attempts,
                    _totals.Restores + outcome.Restores,
                    _totals.Checkpoints + outcome.Checkpoints,
                    _totals.Accidents + outcome.Accidents.Count,
                    _totals.Faults + outcome.Faults);
                Check(outcome);
            }

            if (isAlone) Tell(outcome);
        }
        catch (Exception error)
        {
            if (isAlone && error is SimulationException failed) Tell(failed.Outcome);
            lock (_lock) _failures.Add(seed, error);
        }
    }

    private void Check(SimulationOutcome outcome)
    {
        try
        {
            check(outcome);
        }
        catch (Exception error) when (error is not SimulationException)
        {
            throw new SimulationException(outcome, $"the outcome is not what the check wants: {error.Message}", error);
        }
    }

    private static void Tell(SimulationOutcome outcome)
    {
        foreach (var line in outcome.Log) Console.WriteLine(line);
        Console.WriteLine(outcome);
    }
}
