using Microsoft.Extensions.Logging;
using OrleansStream.Jobs;

namespace OrleansStream.Hosting;

/// <summary>Revives the jobs that should run when the silo has started, and ends them cleanly when it leaves.</summary>
internal sealed partial class JobLifecycle(
    IGrainFactory grains, JobRegistry jobs, StreamServices services, SiloJobs active, SiloSubtasks subtasks, IJobPort port, ILocalSiloDetails local,
    IClusterMembershipService membership, ILogger<JobLifecycle> logger)
    : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>How often it is looked whether all jobs that should run do, besides at each change of the cluster.</summary>
    private static readonly TimeSpan RevivalInterval = TimeSpan.FromSeconds(5);

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
        while (!_stopping.IsCancellationRequested)
        {
            // One silo does it for all, so that silos that start together do not each wake a grain of the same job.
            foreach (var job in IsFirst ? jobs.Names : [])
            {
                try
                {
                    await grains.GetGrain<IJobGrain>(job).ReviveAsync();
                }
                catch (Exception error) when (!_stopping.IsCancellationRequested)
                {
                    LogNotRevived(job, error.Message);
                }
                catch
                {
                    return;
                }
            }

            try
            {
                var pause = Task.Delay(RevivalInterval, services.Time, _stopping.Token);
                if (await Task.WhenAny(pause, change) == pause) await pause;
                else if (await change) change = changes.MoveNextAsync().AsTask();
                else return;
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private bool IsFirst => port.Silos is [var first, ..] && first == local.SiloAddress.ToParsableString();

    private async Task StopAsync(CancellationToken cancellation)
    {
        await _stopping.CancelAsync();
        try
        {
            await LeaveAsync().WaitAsync(LongestFarewell, services.Time, cancellation);
        }
        catch (Exception error)
        {
            LogFarewell(error.Message);
        }
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

    [LoggerMessage(LogLevel.Warning, "Subtasks did not end in time as the silo left: {Cause}")]
    private partial void LogFarewell(string cause);
}
