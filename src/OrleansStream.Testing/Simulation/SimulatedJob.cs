using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Testing.Simulation;

/// <summary>The job of a run, where its sinks write to, and what is known of what comes out of it.</summary>
internal abstract class SimulatedJob(SimulatedRun run)
{
    private readonly SortedDictionary<string, SimulatedTarget> _targets = new(StringComparer.Ordinal);

    protected SimulatedRun Run => run;

    public IReadOnlyDictionary<string, SimulatedTarget> Targets => _targets;

    public virtual string Title => GetType().Name;

    public virtual JobArguments Arguments => JobArguments.None;

    public virtual int MaxParallelism => 16;

    /// <summary>Time between checkpoints; null for what the seed draws.</summary>
    public virtual TimeSpan? CheckpointInterval => null;

    /// <summary>Writes the job's graph down; every silo does it for itself.</summary>
    public abstract void Define(JobGraph graph);

    /// <summary>What is wrong with a published checkpoint; null when nothing is.</summary>
    public virtual string? ProblemOf(Manifest manifest) => null;

    /// <summary>What is wrong with the output of the whole run; null when nothing is.</summary>
    public virtual string? ProblemOfOutput() => null;

    /// <summary>Whether an exception is the engine's fault wherever it is caught.</summary>
    public virtual bool IsFault(Exception thrown) => thrown is InvariantException;

    /// <summary>What functions on a silo ask for.</summary>
    public virtual IServiceProvider NewServices() => NoServices.Instance;

    /// <summary>What the graph reads and writes in place of what the job writes down; null for just that.</summary>
    protected virtual IStandIns? StandIns => null;

    /// <summary>The job as a silo defines and plans it.</summary>
    public JobPlan NewPlan(int parallelism, IServiceProvider services)
    {
        var graph = NewGraph(services);
        return JobPlan.Create(SimulatedRun.JobName, graph, parallelism, MaxParallelism, run.Settings.ChannelWindow);
    }

    protected JobGraph NewGraph(IServiceProvider services)
    {
        var graph = new JobGraph(services) { StandIns = StandIns };
        Define(graph);
        return graph;
    }

    /// <summary>Makes what a sink of the job writes to.</summary>
    protected SimulatedSink<T> SinkOf<T>(string name)
    {
        if (_targets.TryGetValue(name, out var known) && known is SimulatedTarget<T> same) return new SimulatedSink<T>(run, same);
        var target = new SimulatedTarget<T>(name);
        // Two sinks of one name are refused with the graph.
        if (known is null) _targets.Add(name, target);
        run.History.Watch(target);
        return new SimulatedSink<T>(run, target);
    }

    private static class NoServices
    {
        public static readonly IServiceProvider Instance = new ServiceCollection().BuildServiceProvider();
    }
}
