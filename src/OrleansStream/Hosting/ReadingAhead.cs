using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Hosting;

/// <summary>
/// Reads what is about to come to this silo, as far as it is there: what a job's leader says is coming with a planned move, and what a recovery will bring when another silo seems to have gone. Nobody
/// waits for it, nothing depends on it; what cannot be read now is read when it comes.
/// </summary>
internal sealed partial class ReadingAhead(
    SiloSubtasks subtasks, JobRegistry registry, TablesAhead ahead, SuspectedSilos suspects, IJobPort port, ILocalSiloDetails local, IServiceProvider provider, StreamServices services, ILogger<ReadingAhead> logger)
{
    /// <summary>What was read ahead is in memory beside what it was saved from, and takes about so many times the bytes that it does at rest.</summary>
    private const int BytesInMemory = 3;

    private readonly ILogger _logger = logger;

    /// <summary>Until one of the suspected has not gone after all.</summary>
    private CancellationTokenSource _guessing = new();

    /// <summary>Reads for subtasks that are about to come, one after the other, for the job is still running. Completes when it has tried.</summary>
    /// <returns>For how many it is read.</returns>
    public Task<int> ReadAsync(IReadOnlyList<SubtaskOpening> coming) => ReadAsync(coming, atOnce: 1, isGuess: false, CancellationToken.None);

    /// <summary>Reads what the attempts that run here will bring to this silo when they have ended for the death of those that are suspected.</summary>
    public async Task ReadForRecoveryAsync()
    {
        if (services.Options.LongestReadAhead == TimeSpan.Zero) return;
        var still = _guessing.Token;
        foreach (var running in subtasks.Running.Where(running => suspects.All.Any(running.Needs))) await ReadForRecoveryAsync(running, still);
    }

    /// <summary>Looks what a recovery would bring here, and leaves it at that: what does so is compiled then.</summary>
    public async Task RehearseAsync(string job)
    {
        foreach (var running in subtasks.Running.Where(running => running.Opening.Job == job)) await ForeseeAsync(running);
    }

    /// <summary>One that was suspected has not gone: lets go of what was read for recoveries, and reads what is still to be read for those of others.</summary>
    public Task ForgetAsync()
    {
        Interlocked.Exchange(ref _guessing, new CancellationTokenSource()).Cancel();
        ahead.LetGoOfGuesses();
        return ReadForRecoveryAsync();
    }

    private async Task ReadForRecoveryAsync(RunningAttempt running, CancellationToken still)
    {
        var job = running.Opening.Job;
        try
        {
            var began = services.Time.GetTimestamp();
            var coming = await ForeseeAsync(running);
            // With all there is: a job that a silo has gone from stands still.
            var read = await ReadAsync(coming, Environment.ProcessorCount, isGuess: true, still);
            LogReadForRecovery(job, read, coming.Count, services.Time.GetElapsedTime(began).TotalMilliseconds);
        }
        catch (Exception error)
        {
            LogNotForeseen(job, error.Message);
        }
    }

    private Task<IReadOnlyList<SubtaskOpening>> ForeseeAsync(RunningAttempt running)
    {
        var opening = running.Opening;
        var plan = registry.PlanOf(opening.Job, opening.Arguments, opening.Parallelism, opening.MaxParallelism);
        IReadOnlyList<string> left = [.. port.Silos.Where(silo => !suspects.Contains(silo))];
        return Foresight.ComingAsync(running, plan, local.SiloAddress.ToParsableString(), left, services.Store, services.NewRetry(), CancellationToken.None);
    }

    private async Task<int> ReadAsync(IReadOnlyList<SubtaskOpening> coming, int atOnce, bool isGuess, CancellationToken cancellation)
    {
        var memory = GC.GetGCMemoryInfo();
        var (read, room) = (0, memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes);
        await Parallel.ForEachAsync(coming, new ParallelOptions { MaxDegreeOfParallelism = atOnce, TaskScheduler = TaskScheduler.Default, CancellationToken = cancellation }, async (opening, _) =>
        {
            try
            {
                var stage = registry.StageOf(opening);
                var needed = BytesOf(opening, stage) * BytesInMemory;
                var left = Interlocked.Add(ref room, -needed);
                if (left < 0)
                {
                    Interlocked.Add(ref room, needed);
                    LogNoRoom(opening.Job, opening.Id, needed >> 20, (left + needed) >> 20);
                }
                else if (await TryReadAsync(opening, stage, isGuess))
                {
                    Interlocked.Increment(ref read);
                }
            }
            catch (Exception error)
            {
                LogNotReadAhead(opening.Job, opening.Id, error.Message);
            }
        });
        return read;
    }

    private static long BytesOf(SubtaskOpening opening, PlannedStage stage)
    {
        var groups = KeyGroups.Range(opening.Id.Index, stage.Parallelism, opening.MaxParallelism);
        return SubtaskDriver.Chains(opening).Sum(chain => chain.BytesOf(groups));
    }

    private async Task<bool> TryReadAsync(SubtaskOpening opening, PlannedStage stage, bool isGuess)
    {
        // What functions ask for only to say what state they have goes with the reading.
        await using var scope = provider.CreateAsyncScope();
        var context = SubtaskContext.Of(opening, stage, StreamServices.NewIncarnation(), scope.ServiceProvider, services.Serializers);
        return await Subtask.ReadAheadAsync(stage, context, ahead, services.SegmentStore, SubtaskDriver.Chains(opening), isGuess);
    }

    [LoggerMessage(LogLevel.Warning, "Job {Job}: subtask {Subtask}, which is about to come here, is not read ahead: that takes about {NeededMiB} MiB of memory, and {FreeMiB} MiB are free. The job will wait longer for it")]
    private partial void LogNoRoom(string job, SubtaskId subtask, long neededMiB, long freeMiB);

    [LoggerMessage(LogLevel.Debug, "Job {Job}: subtask {Subtask}, which is about to come here, was not read ahead, and is when it comes: {Cause}")]
    private partial void LogNotReadAhead(string job, SubtaskId subtask, string cause);

    [LoggerMessage(LogLevel.Information, "Job {Job}: {Read} of {Coming} subtasks that a recovery would bring here were read ahead in {ElapsedMs:0} ms")]
    private partial void LogReadForRecovery(string job, int read, int coming, double elapsedMs);

    [LoggerMessage(LogLevel.Debug, "Job {Job}: what a recovery would bring here was not read ahead: {Cause}")]
    private partial void LogNotForeseen(string job, string cause);
}
