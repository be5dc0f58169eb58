using System.Collections.Concurrent;
using Orleans.Concurrency;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Hosting;

/// <summary>The subtasks that are open on this silo, so that older attempts end before newer ones open.</summary>
internal sealed class SiloSubtasks
{
    private readonly ConcurrentDictionary<(string Job, Attempt Attempt, SubtaskId Subtask), ISubtaskGrain> _open = new();
    private readonly ConcurrentDictionary<string, RunningAttempt> _running = new(StringComparer.Ordinal);

    public void Add(string job, Attempt attempt, SubtaskId subtask, ISubtaskGrain grain) => _open[(job, attempt, subtask)] = grain;

    public void Remove(string job, Attempt attempt, SubtaskId subtask) => _open.TryRemove((job, attempt, subtask), out _);

    /// <summary>Notes that a subtask of an attempt was started here.</summary>
    public void Started(RunningAttempt running) =>
        _running.AddOrUpdate(running.Opening.Job, running, (_, known) => known.Opening.Attempt.CompareTo(running.Opening.Attempt) > 0 ? known : running);

    /// <summary>The newest attempt of a job that had something started here; null when none had.</summary>
    public RunningAttempt? LastOf(string job) => _running.GetValueOrDefault(job);

    /// <summary>The newest attempt of each job that has something open here.</summary>
    public IReadOnlyList<RunningAttempt> Running
    {
        get
        {
            var open = _open.Keys.Select(static open => (open.Job, open.Attempt)).ToHashSet();
            return [.. _running.Values.Where(running => open.Contains((running.Opening.Job, running.Opening.Attempt)))];
        }
    }

    /// <summary>The jobs that have something open here.</summary>
    public IReadOnlyCollection<string> Jobs => [.. _open.Keys.Select(static open => open.Job).Distinct()];

    /// <summary>Ends what is open of attempts before one.</summary>
    public Task EndOlderAsync(string job, Attempt before) =>
        EndAsync(open => open.Job == job && open.Attempt.CompareTo(before) < 0, static grain => grain.EndAsync());

    /// <summary>Ends everything that is open, because the silo leaves.</summary>
    public Task LeaveAsync() => EndAsync(static _ => true, static grain => grain.LeaveAsync("its silo is leaving."));

    private Task EndAsync(Func<(string Job, Attempt Attempt, SubtaskId Subtask), bool> which, Func<ISubtaskGrain, Task> end) =>
        Task.WhenAll(_open.Where(open => which(open.Key)).Select(async open =>
        {
            await end(open.Value);
            _open.TryRemove(open.Key, out _);
        }));
}

/// <summary>The jobs that are led from this silo, so that they leave while the cluster still listens.</summary>
internal sealed class SiloJobs
{
    private readonly ConcurrentDictionary<string, (IJobLeaderGrain Grain, Func<Leadership> State)> _active = new();

    /// <summary>Whether the silo leaves: no job begins to be led from here any more.</summary>
    public bool IsLeaving { get; private set; }

    /// <summary>The jobs that are led from here.</summary>
    public IReadOnlyCollection<string> Jobs => [.. _active.Keys];

    public void Add(string job, IJobLeaderGrain grain, Func<Leadership> state) => _active[job] = (grain, state);

    /// <summary>Whether a job is led from here; the default value when nothing is known of it.</summary>
    public Leadership LeadershipOf(string job) => _active.TryGetValue(job, out var active) ? active.State() : default;

    public void Remove(string job) => _active.TryRemove(job, out _);

    public void Leave() => IsLeaving = true;

    /// <summary>Ends a job's attempt at a checkpoint of its own, so that another silo can have it; null when it is not led from here any more.</summary>
    public async Task<HandOver?> HandOverAsync(string job) => _active.TryGetValue(job, out var active) ? await active.Grain.HandOverAsync() : null;

    /// <summary>Ends the attempts of all jobs without a word in their logs.</summary>
    public Task LeaveAllAsync(string cause) => Task.WhenAll(_active.Values.Select(job => job.Grain.LeaveAsync(cause)));
}

/// <summary>The agent of one silo, pinned to it.</summary>
internal interface ISiloGrain : IGrainWithStringKey
{
    /// <summary>Ends every attempt of a job before one, on this silo.</summary>
    Task EndOlderAsync(string job, Attempt before);

    /// <summary>Whether this silo leads a job, or did last.</summary>
    Task<Leadership> LeadershipAsync(string job);

    /// <summary>Reads, for subtasks that are about to come to this silo, what they are to be restored from as far as it is there. Completes when it has tried.</summary>
    /// <returns>For how many it is read.</returns>
    [ResponseTimeout("01:00:00")]
    Task<int> ReadAheadAsync(IReadOnlyList<SubtaskOpening> coming);
}

/// <inheritdoc/>
[Reentrant, PinnedPlacement]
internal sealed class SiloGrain(SiloSubtasks subtasks, SiloJobs jobs, TablesAhead ahead, ReadingAhead reading) : Grain, ISiloGrain
{
    public Task EndOlderAsync(string job, Attempt before)
    {
        ahead.Begun(job, before);
        return subtasks.EndOlderAsync(job, before);
    }

    public Task<Leadership> LeadershipAsync(string job) => Task.FromResult(jobs.LeadershipOf(job));

    public Task<int> ReadAheadAsync(IReadOnlyList<SubtaskOpening> coming) => reading.ReadAsync(coming);
}
