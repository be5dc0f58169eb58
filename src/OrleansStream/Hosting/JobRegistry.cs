using System.Collections.Concurrent;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Hosting;

/// <summary>A job that a silo can run, and what it is started with when the silo starts; null when it waits to be started.</summary>
internal sealed record JobRegistration(string Name, Func<IServiceProvider, IStreamJob> Make, JobStart? Start);

/// <summary>The jobs of a silo, and their plans. A plan is made once for the same arguments and parallelism.</summary>
internal sealed class JobRegistry
{
    /// <summary>The most plans that are remembered.</summary>
    private const int Remembered = 64;

    /// <summary>The highest parallelism that is chosen where none is given.</summary>
    private const int LargestDefaultParallelism = 8;

    private readonly SortedDictionary<string, JobRegistration> _jobs = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, JobPlan> _plans = new();
    private readonly IServiceProvider _services;

    public JobRegistry(IEnumerable<JobRegistration> jobs, IServiceProvider services)
    {
        _services = services;
        foreach (var job in jobs)
        {
            if (!_jobs.TryAdd(job.Name, job)) throw new JobRefusedException($"Two jobs are registered as '{job.Name}'; give each a name of its own.");
        }
    }

    public IReadOnlyList<string> Names => [.. _jobs.Keys];

    public JobRegistration Find(string name) => _jobs.TryGetValue(name, out var job)
        ? job
        : throw new JobRefusedException($"There is no job '{name}'.{NearestName.Suggest(name, _jobs.Keys)}");

    public static int ParallelismOf(JobStart start) => start.Parallelism > 0 ? start.Parallelism : Math.Min(Environment.ProcessorCount, LargestDefaultParallelism);

    public JobPlan PlanOf(string name, JobArguments arguments, int parallelism, int maxParallelism)
    {
        var key = $"{name}\n{parallelism}\n{maxParallelism}\n{string.Join('\n', arguments.ToMap().SelectMany(static pair => pair.Value.Prepend(pair.Key)))}";
        if (_plans.TryGetValue(key, out var known)) return known;
        if (_plans.Count >= Remembered) _plans.Clear();
        return _plans[key] = JobPlan.Create(name, Find(name).Make(_services), arguments, parallelism, maxParallelism, _services);
    }

    /// <summary>The stage of a subtask, as this silo defines it.</summary>
    public PlannedStage StageOf(SubtaskOpening opening)
    {
        var plan = PlanOf(opening.Job, opening.Arguments, opening.Parallelism, opening.MaxParallelism);
        if (plan.Fingerprint == opening.Fingerprint) return plan.Stages[opening.Id.Stage];
        throw new JobRefusedException($"Job '{opening.Job}' has another graph on this silo than where it was started: all silos that run an attempt must have the same build.");
    }
}
