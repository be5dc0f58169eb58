using System.Globalization;
using OrleansStream.Graph;
using OrleansStream.Jobs;

namespace OrleansStream.Testing.Simulation;

/// <summary>
/// Runs a job on a simulated cluster with the accidents of a seed, from its first start to the end of its input, and checks what the engine promises: the engine's own job driver,
/// coordinator, subtasks, channels, state, checkpoints and recovery, on one thread and in virtual time, so that one seed is one run, step by step.
/// </summary>
/// <remarks>
/// <para><b>What is simulated</b>: silos that die, pause, shut down and are taken for dead while they live; subtasks, coordinators and job grains that are killed, pause, or are there twice; messages
/// that are late, overtake each other, are lost, or come twice; calls whose outcome is unknown; a checkpoint store and sinks that fail before, after or halfway through what they were to do, lists that
/// lag, and torn objects of writers that died; slowness of all of them; a person who stops the job and starts it again, or rescales it. Records that go from one silo to another go through Orleans' generated
/// serializers. Sinks are replaced by exactly-once sinks in memory, which look at every commit; sources by <see cref="SimulationOptions.Sources"/>.</para>
/// <para><b>What is not</b>: Orleans itself, its membership and messaging; real disks, networks and brokers; the job's own sinks; sources that fail; damage of objects that were durable; another build or
/// graph in the middle of a run; memory and speed.</para>
/// <para><b>What a job must keep to</b>, as everywhere: it keeps what it remembers in declared state, has no threads and no I/O of its own, and takes no clock and no chance but what it is
/// given: event time, the context's processing time, or the <see cref="TimeProvider"/> of the services that its functions, and the job itself, are made from, which tells virtual time and begins at 2026-01-01T00:00:00Z. A wait on that clock is simulated
/// like any other, and so deterministic; one on anything else comes back on another thread and ends the run with an error. Statics are shared by all silos and outlive them, so they belie the simulation.
/// Where a job's results depend on the order between keys or splits, or on processing time, a broken run need not equal an unbroken one.</para>
/// <para><b>To make a run again</b>: the same seed, options, job and build take the same steps. A failed run's message has the seed and the last lines of its history;
/// <see cref="SimulationOutcome.Log"/> has more of them.</para>
/// </remarks>
public static class ClusterSimulation
{
    /// <summary>The environment variable that has <see cref="ForSeedsAsync"/> run one seed alone, and write down its history on the console.</summary>
    public const string SeedVariable = "SIMULATION_SEED";

    /// <summary>Runs a job.</summary>
    /// <param name="job">Makes the job, as it is registered with a silo: every simulated silo makes its own, from its own services.</param>
    /// <param name="options">The cluster, the seed, and what the job reads.</param>
    /// <exception cref="SimulationException">A promise was broken, the job failed for good, or did not come to its end.</exception>
    /// <exception cref="JobRefusedException">The graph is wrong, or the options do not fit it; the message has every problem with its place.</exception>
    public static Task<SimulationOutcome> RunAsync(Func<IServiceProvider, IStreamJob> job, SimulationOptions options)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(options);
        options.RequireSane();
        // On a thread of its own, on which nothing else can come in between.
        return Task.Factory.StartNew(() => Run(job, options), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <inheritdoc cref="RunAsync(Func{IServiceProvider, IStreamJob}, SimulationOptions)"/>
    /// <param name="job">The job, which all simulated silos share: it must keep nothing.</param>
    /// <param name="options">The cluster, the seed, and what the job reads.</param>
    public static Task<SimulationOutcome> RunAsync(IStreamJob job, SimulationOptions options)
    {
        ArgumentNullException.ThrowIfNull(job);
        return RunAsync(_ => job, options);
    }

    /// <inheritdoc cref="RunAsync(Func{IServiceProvider, IStreamJob}, SimulationOptions)"/>
    /// <param name="define">Makes the graph: called by every simulated silo for itself.</param>
    /// <param name="options">The cluster, the seed, and what the job reads.</param>
    public static Task<SimulationOutcome> RunAsync(Action<JobGraph> define, SimulationOptions options)
    {
        ArgumentNullException.ThrowIfNull(define);
        return RunAsync(new DefinedJob(define), options);
    }

    /// <summary>
    /// Runs a job once for each of many seeds, several at a time, until one fails. Without a check of its own each run must have the output of an unbroken one: the same options with
    /// <see cref="Accidents.None"/>, one silo and parallelism 1.
    /// </summary>
    /// <param name="seeds">The seeds, the end excluded as in every C# range: <c>1..1001</c> are a thousand.</param>
    /// <param name="job">Makes the job, as it is registered with a silo: every simulated silo of every run makes its own, from its own services. Called on several threads at once.</param>
    /// <param name="options">The cluster, and what the job reads; <see cref="SimulationOptions.Seed"/> is not looked at.</param>
    /// <param name="check">Looks at the outcome of a run and throws if it is wrong; called for one run at a time, on any thread.</param>
    /// <returns>What happened in all runs together, so that a test can demand that its faults have struck.</returns>
    /// <exception cref="SimulationException">A run went wrong; the message has its seed and how to run it alone, the inner exception is the check's own, if that threw.</exception>
    /// <exception cref="JobRefusedException">The graph is wrong, or the options do not fit it.</exception>
    public static Task<SimulationTotals> ForSeedsAsync(Range seeds, Func<IServiceProvider, IStreamJob> job, SimulationOptions options, Action<SimulationOutcome>? check = null) =>
        RunSeedsAsync(seeds, Environment.GetEnvironmentVariable(SeedVariable), job, options, check);

    internal static async Task<SimulationTotals> RunSeedsAsync(Range seeds, string? alone, Func<IServiceProvider, IStreamJob> job, SimulationOptions options, Action<SimulationOutcome>? check)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(options);
        if (seeds.Start.IsFromEnd || seeds.End.IsFromEnd || seeds.Start.Value >= seeds.End.Value) throw new ArgumentException($"{seeds} are no seeds; write for example 1..1001.", nameof(seeds));
        if (check is null)
        {
            var unbroken = await RunAsync(job, options with { Accidents = Accidents.None, Silos = 1, Parallelism = 1 });
            check = outcome => outcome.RequireSameOutput(unbroken);
        }

        if (!string.IsNullOrEmpty(alone))
        {
            if (!int.TryParse(alone, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seed)) throw new ArgumentException($"{SeedVariable} is '{alone}', which is no seed.");
            return await new SeedRuns(job, options, check, isAlone: true).RunAsync([seed]);
        }

        return await new SeedRuns(job, options, check, isAlone: false).RunAsync(Enumerable.Range(seeds.Start.Value, seeds.End.Value - seeds.Start.Value));
    }

    internal static SimulationOutcome Run(Func<IServiceProvider, IStreamJob> job, SimulationOptions options, EngineBuild? build = null)
    {
        var log = new RunLog();
        var run = new SimulatedRun(options.Seed, options.Accidents, build, log.Add)
        {
            Patience = options.Patience + options.Sources.Values.Select(static source => source.Duration).DefaultIfEmpty().Max(),
        };
        var tested = new JobUnderTest(run, job, options);
        run.Begin(tested, options.Parallelism, options.Silos);
        tested.Check();
        run.Execute();
        var outcome = new SimulationOutcome(run, log);
        return run.Violation is { } found ? throw new SimulationException(outcome, $"{found.Checker}: {found.Message}\nThe promise: {Promises.Of(found.Checker)}.") : outcome;
    }
}

/// <summary>What happened in many simulated runs together.</summary>
/// <param name="Seeds">How many runs there were.</param>
/// <param name="Attempts">How often jobs were begun.</param>
/// <param name="Restores">How many attempts went on from a checkpoint in the middle of the input.</param>
/// <param name="Checkpoints">How many checkpoints were published.</param>
/// <param name="Accidents">How many strikes there were.</param>
/// <param name="Faults">How many messages and calls were lost, repeated, slowed down or made to fail.</param>
public sealed record SimulationTotals(int Seeds, long Attempts, long Restores, long Checkpoints, long Accidents, long Faults);
