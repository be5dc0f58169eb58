using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Placement;
using OrleansStream.Checkpoints;
using OrleansStream.Hosting;

namespace OrleansStream.Jobs;

/// <summary>The shell of a <see cref="JobDriver"/>.</summary>
[Reentrant, KeepAlive, PreferLocalPlacement]
internal sealed partial class JobGrain(JobRegistry jobs, StreamServices services, IJobPort port, SiloJobs active, ILogger<JobGrain> logger) : Grain, IJobGrain
{
    /// <summary>The longest that a waiting call is held.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly ILogger _logger = logger;
    private readonly List<TaskCompletionSource> _waiting = [];
    private JobDriver? _driver;

    private string Job => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _driver = new JobDriver(
            Job,
            start => jobs.PlanOf(Job, start.Arguments, JobRegistry.ParallelismOf(start), services.Options.MaxParallelism),
            port,
            services.Store,
            services.Options.ToRules(),
            services.NewRetry(),
            StreamServices.NewWriterId,
            services.Time);
        active.Add(Job, this.AsReference<IJobGrain>());
        return Task.CompletedTask;
    }

    public Task StartAsync(JobStart start)
    {
        if (_driver!.IsActive) return Task.CompletedTask;
        LogStarted(Job, JobRegistry.ParallelismOf(start));
        _driver.Start(start);
        _ = ReleaseWaitingAsync();
        return Task.CompletedTask;
    }

    public async Task ReviveAsync()
    {
        if (_driver!.Phase != JobPhase.Idle) return;
        var history = await HistoryLog.ReadAsync(services.Store, Job, services.NewRetry(), CancellationToken.None);
        if (_driver.Phase != JobPhase.Idle) return;
        if (history.End is { } end)
        {
            _driver.Recall(end, history.Attempts);
            return;
        }

        if (RecoveryPlan.Revived(jobs.Find(Job).Start, history.LastStarted) is { } start) await StartAsync(start);
    }

    public Task StopAsync(string reason)
    {
        _driver!.Stop(reason);
        return Task.CompletedTask;
    }

    public async Task<JobStatus> StatusAsync()
    {
        var driver = _driver!;
        AttemptReport? report = null;
        if (driver is { Phase: JobPhase.Running or JobPhase.Stopping, Attempt: { } attempt })
        {
            try
            {
                report = await port.ReportAsync(Job, attempt);
            }
            catch (Exception error)
            {
                LogNoReport(Job, attempt, error.Message);
            }
        }

        return new JobStatus
        {
            Job = Job,
            Phase = driver.Phase,
            Attempt = driver.Attempt?.Number ?? 0,
            Failures = driver.Failures,
            Cause = driver.Cause,
            WasFinished = driver.WasFinished,
            Parallelism = driver.Parallelism,
            Stages = report?.Stages ?? driver.LastReport?.Stages ?? [],
            Checkpoints = report?.Checkpoints ?? driver.LastReport?.Checkpoints ?? [],
            StoreTrouble = report?.StoreTrouble,
            RestoredFrom = report?.RestoredFrom ?? driver.LastReport?.RestoredFrom,
            Sources = report?.Sources ?? driver.LastReport?.Sources ?? [],
            At = services.Time.GetUtcNow(),
        };
    }

    public async Task<JobStatus> WaitAsync()
    {
        // A job that was not started yet is waited for as well: who waits may be quicker than who starts.
        if (_driver!.Phase is not (JobPhase.Stopped or JobPhase.Finished or JobPhase.Failed))
        {
            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add(ended);
            await Task.WhenAny(ended.Task, Task.Delay(LongestWait, services.Time));
            _waiting.Remove(ended);
        }

        return await StatusAsync();
    }

    public Task WakeAsync()
    {
        _driver!.Wake();
        return Task.CompletedTask;
    }

    public Task LeaveAsync(string cause) => _driver!.LeaveAsync(cause);

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        active.Remove(Job);
        if (_driver is { IsActive: true } driver) await Task.WhenAny(driver.LeaveAsync("The job's silo is leaving."), Task.Delay(LongestWait, services.Time, cancellationToken));
    }

    private async Task ReleaseWaitingAsync()
    {
        await _driver!.Completion;
        LogEnded(Job, _driver.Phase, _driver.Cause);
        // Another activation owns the job: this one must not answer for it.
        if (_driver.Phase == JobPhase.Idle) DeactivateOnIdle();
        foreach (var waiting in _waiting) waiting.TrySetResult();
    }

    [LoggerMessage(LogLevel.Information, "Job {Job}: starting at parallelism {Parallelism}")]
    private partial void LogStarted(string job, int parallelism);

    [LoggerMessage(LogLevel.Information, "Job {Job}: {Phase} {Cause}")]
    private partial void LogEnded(string job, JobPhase phase, string? cause);

    [LoggerMessage(LogLevel.Debug, "Job {Job}: the coordinator of attempt {Attempt} did not report: {Cause}")]
    private partial void LogNoReport(string job, Attempt attempt, string cause);
}
