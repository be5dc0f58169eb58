using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Hosting;

/// <summary>The subtasks that are open on this silo, so that older attempts end before newer ones open.</summary>
internal sealed class SiloSubtasks
{
    private readonly ConcurrentDictionary<(string Job, Attempt Attempt, SubtaskId Subtask), ISubtaskGrain> _open = new();

    public void Add(string job, Attempt attempt, SubtaskId subtask, ISubtaskGrain grain) => _open[(job, attempt, subtask)] = grain;

    public void Remove(string job, Attempt attempt, SubtaskId subtask) => _open.TryRemove((job, attempt, subtask), out _);

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
internal sealed partial class SiloGrain(SiloSubtasks subtasks, SiloJobs jobs, JobRegistry registry, TablesAhead ahead, StreamServices services, ILogger<SiloGrain> logger) : Grain, ISiloGrain
{
    private readonly ILogger _logger = logger;

    /// <summary>What was read ahead is in memory beside what it was saved from, and takes about so many times the bytes that it does at rest.</summary>
    private const int BytesInMemory = 3;

    public Task EndOlderAsync(string job, Attempt before)
    {
        ahead.Begun(job, before);
        return subtasks.EndOlderAsync(job, before);
    }

    public Task<Leadership> LeadershipAsync(string job) => Task.FromResult(jobs.LeadershipOf(job));

    public Task<int> ReadAheadAsync(IReadOnlyList<SubtaskOpening> coming) => Task.Run(async () =>
    {
        var read = 0;
        // One after the other: the job is still running.
        foreach (var opening in coming)
        {
            try
            {
                if (await ReadAheadAsync(opening)) read++;
            }
            catch (Exception error)
            {
                LogNotReadAhead(opening.Job, opening.Id, error.Message);
            }
        }

        return read;
    });

    private async Task<bool> ReadAheadAsync(SubtaskOpening opening)
    {
        var stage = registry.StageOf(opening);
        // What functions ask for only to say what state they have goes with the reading.
        await using var scope = ServiceProvider.CreateAsyncScope();
        var context = SubtaskContext.Of(opening, stage, StreamServices.NewIncarnation(), scope.ServiceProvider, services.Serializers);
        var chains = SubtaskDriver.Chains(opening);
        var (needed, memory) = (chains.Sum(chain => chain.BytesOf(context.Groups)) * BytesInMemory, GC.GetGCMemoryInfo());
        if (needed > memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes)
        {
            LogNoRoom(opening.Job, opening.Id, needed >> 20, (memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes) >> 20);
            return false;
        }

        return await Subtask.ReadAheadAsync(stage, context, ahead, services.SegmentStore, chains);
    }

    [LoggerMessage(LogLevel.Warning, "Job {Job}: subtask {Subtask}, which is about to come here, is not read ahead: that takes about {NeededMiB} MiB of memory, and {FreeMiB} MiB are free. The pause of the move will be longer")]
    private partial void LogNoRoom(string job, SubtaskId subtask, long neededMiB, long freeMiB);

    [LoggerMessage(LogLevel.Debug, "Job {Job}: subtask {Subtask}, which is about to come here, was not read ahead, and is when it comes: {Cause}")]
    private partial void LogNotReadAhead(string job, SubtaskId subtask, string cause);
}
