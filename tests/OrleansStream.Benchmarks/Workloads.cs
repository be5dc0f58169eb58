using OrleansStream.Benchmarks.Aggregate;
using OrleansStream.Benchmarks.Average;
using OrleansStream.Benchmarks.Latency;
using OrleansStream.Benchmarks.Operators;
using OrleansStream.Benchmarks.Scale;
using OrleansStream.Benchmarks.State;

namespace OrleansStream.Benchmarks;

/// <summary>Something to be measured. It runs itself and prints its own report.</summary>
internal interface IWorkload
{
    string Name { get; }

    /// <summary>What is done to each record, in one line.</summary>
    string Description { get; }

    /// <summary>Records in each run when <c>--events</c> is not given.</summary>
    long DefaultEvents { get; }

    /// <summary>Different keys when <c>--keys</c> is not given.</summary>
    int DefaultKeys => 10_000;

    /// <summary>Time between checkpoints when <c>--checkpoint-interval</c> is not given.</summary>
    TimeSpan DefaultCheckpointInterval => TimeSpan.FromSeconds(1);

    /// <summary>Runs it and prints what it took on standard output; progress goes to standard error.</summary>
    /// <param name="settings">What to run with.</param>
    /// <param name="command">The command line, for the report.</param>
    /// <returns>The exit code: 0 when all went well and all answers were right.</returns>
    /// <exception cref="BadSettingsException">It cannot run with these settings.</exception>
    Task<int> RunAsync(RunSettings settings, string command);
}

/// <summary>Settings that a workload cannot run with; the message says which, and what would do.</summary>
internal sealed class BadSettingsException(string message) : Exception(message);

/// <summary>The table of all workloads.</summary>
internal static class Workloads
{
    public static IReadOnlyList<IWorkload> All { get; } =
    [
        AggregateContest.Make(),
        AverageContest.Make(),
        new ScaleWorkload(),
        new LatencyWorkload(),
        new StateWorkload(),
        .. OperatorContests.All,
    ];

    public static IWorkload? Find(string name) => All.FirstOrDefault(workload => workload.Name == name);
}
