using Microsoft.Extensions.Logging;
using OrleansStream.Jobs;

namespace OrleansStream.Hosting;

/// <summary>Revives the jobs that should run when the silo has started; hands them over to other silos when it leaves, or ends them cleanly when there is none.</summary>
internal sealed partial class JobLifecycle(
    IGrainFactory grains, JobRegistry jobs, StreamServices services, SiloJobs active, SiloSubtasks subtasks, IJobPort port, ILocalSiloDetails local,
    IClusterMembershipService membership, ILogger<JobLifecycle> logger)
    : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>How often it is looked whether all jobs that should run do, besides at each change of the cluster.</summary>
    private static readonly TimeSpan RevivalInterval = TimeSpan.FromSeconds(5);

    /// <summary>The same when a job could not be revived, as while the cluster changes: doubled each time up to <see cref="RevivalInterval"/>.</summary>
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);

    /// <summary>How many jobs are revived at once.</summary>
    private const int MostAtOnce = 8;

    /// <summary>The longest that a leaving silo waits for its jobs.</summary>
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(3);

    /// <summary>After the silo is in the cluster, and before it leaves: from then on it places no calls any more, not even to itself.</summary>
    private const int Stage = ServiceLifecycleStage.Active + 1;

    private readonly ILogger _logger = logger;
    private readonly CancellationTokenSource _stopping = new();
    private Task _revival = Task.CompletedTask;

    public void Participate(ISiloLifecycle observer) => observer.Subscribe<JobLifecycle>(Stage, StartAsync, StopAsync);

    private Task StartAsync(CancellationToken cancellation)
    {
        LogReady(services.ToString());
        if (services.Options.ReviveJobs) _revival = ReviveAsync();
        return Task.CompletedTask;
    }

    private async Task ReviveAsync()
    {
        // Again and again: the silo that a job grain lived on may be gone at any time.
        var changes = membership.MembershipUpdates.GetAsyncEnumerator(_stopping.Token);
        var change = changes.MoveNextAsync().AsTask();
        var retry = FirstRetry;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                // One silo does it for all, so that silos that start together do not each wake a grain of the same job.
                var areRevived = !IsFirst || await ReviveAllAsync();
                var longest = areRevived ? RevivalInterval : retry;
                retry = areRevived ? FirstRetry : TimeSpan.FromTicks(Math.Min(retry.Ticks * 2, RevivalInterval.Ticks));
                var pause = Task.Delay(longest, services.Time, _stopping.Token);
                if (await Task.WhenAny(pause, change) == pause)
                {
                    await pause;
                    continue;
                }

                if (!await change) return;
                change = changes.MoveNextAsync().AsTask();
                retry = FirstRetry;
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <returns>Whether all could be revived, or need not be.</returns>
    private async Task<bool> ReviveAllAsync()
    {
        var failures = 0;
        await Parallel.ForEachAsync(jobs.Names, new ParallelOptions { MaxDegreeOfParallelism = MostAtOnce, CancellationToken = _stopping.Token }, async (job, _) =>
        {
            try
            {
                await grains.GetGrain<IJobGrain>(job).ReviveAsync().WaitAsync(_stopping.Token);
            }
            catch (Exception error)
            {
                Interlocked.Increment(ref failures);
                if (!_stopping.IsCancellationRequested) LogNotRevived(job, error.Message);
            }
        });
        return failures == 0;
    }

    private bool IsFirst => port.Silos is [var first, ..] && first == local.SiloAddress.ToParsableString();

    private async Task StopAsync(CancellationToken cancellation)
    {
        active.Leave();
        await _stopping.CancelAsync();
        try
        {
            await HandOverAsync(cancellation);
        }
        catch (Exception error)
        {
            LogNotHandedOver(error.Message);
        }

        try
        {
            await LeaveAsync().WaitAsync(LongestFarewell, services.Time, cancellation);
        }
        catch (Exception error)
        {
            LogFarewell(error.Message);
        }
    }

    /// <summary>Jobs go on elsewhere behind a checkpoint while this silo still does all that it is asked for.</summary>
    private async Task HandOverAsync(CancellationToken cancellation)
    {
        var patience = services.Options.HandOverPatience;
        if (cancellation.IsCancellationRequested || patience == TimeSpan.Zero) return;
        var here = local.SiloAddress.ToParsableString();
        var steps = HandOverPlan.Of(active.Jobs, subtasks.Jobs, port.Silos.Count(silo => silo != here));
        if (steps.Count == 0) return;
        // What does not run only has another silo answer for it from now on.
        var going = steps.Count(step => !step.IsLed || active.LeadershipOf(step.Job).IsActive);
        var began = services.Time.GetTimestamp();
        await Task.WhenAll(steps.Select(async step =>
        {
            var handed = step.IsLed ? await active.HandOverAsync(step.Job) : null;
            if (handed?.Start is not null) FaultPoints.Pass(FaultPoint.HandOverBegun);
            await grains.GetGrain<IJobGrain>(step.Job).MoveAwayAsync(here, handed);
            if (handed?.Start is not null) FaultPoints.Pass(FaultPoint.HandOverGiven);
        })).WaitAsync(patience, services.Time, cancellation);
        if (going > 0) LogHandedOver(going, services.Time.GetElapsedTime(began).TotalMilliseconds);
    }

    /// <summary>Jobs first: they end their own subtasks, here and on other silos. What is left belongs to jobs that live elsewhere.</summary>
    private async Task LeaveAsync()
    {
        await _revival;
        await active.LeaveAllAsync("The job's silo is leaving.");
        await subtasks.LeaveAsync();
    }

    [LoggerMessage(LogLevel.Information, "Ready to run stream jobs, {Where}")]
    private partial void LogReady(string where);

    [LoggerMessage(LogLevel.Warning, "Job {Job} could not be revived: {Cause}")]
    private partial void LogNotRevived(string job, string cause);

    [LoggerMessage(LogLevel.Information, "{Jobs} running jobs go on without this silo, which leaves, after {ElapsedMs:0} ms")]
    private partial void LogHandedOver(int jobs, double elapsedMs);

    [LoggerMessage(LogLevel.Warning, "Not all jobs went on elsewhere before this silo left, and do so from their last checkpoint: {Cause}")]
    private partial void LogNotHandedOver(string cause);

    [LoggerMessage(LogLevel.Warning, "Subtasks did not end in time as the silo left: {Cause}")]
    private partial void LogFarewell(string cause);
}
