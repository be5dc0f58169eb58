using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using OrleansStream.Checkpoints;
using OrleansStream.Hosting;

namespace OrleansStream.Jobs;

/// <summary>The shell of a <see cref="JobDriver"/>.</summary>
[Reentrant, KeepAlive, PinnedPlacement]
internal sealed partial class JobLeaderGrain(JobRegistry jobs, StreamServices services, IJobPort port, SiloJobs active, ILogger<JobLeaderGrain> logger)
    : Grain, IJobLeaderGrain
{
    /// <summary>The longest that a waiting call is held.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly ILogger _logger = logger;
    private readonly List<TaskCompletionSource> _waiting = [];
    private JobDriver? _driver;

    private string Job { get; set; } = "";

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var key = this.GetPrimaryKeyString();
        var silo = key[..key.IndexOf('|', StringComparison.Ordinal)];
        Job = key[(silo.Length + 1)..];
        _driver = new JobDriver(
            Job,
            start => jobs.PlanOf(Job, start.Arguments, JobRegistry.ParallelismOf(start), services.Options.MaxParallelism),
            port,
            services.Store,
            services.Options.ToRules(),
            services.NewRetry(),
            StreamServices.NewWriterId,
            services.Time);
        _driver.OnMoved = move =>
        {
            services.Metrics.Note(Job, move);
            LogMoved(Job, move.Reason, move.Attempt, move.Pause.TotalMilliseconds, move.Checkpoint.TotalMilliseconds);
        };
        active.Add(Job, this.AsReference<IJobLeaderGrain>(), () => new Leadership(silo, _driver.IsActive, _driver.Attempt?.Number ?? 0));
        return Task.CompletedTask;
    }

    public Task StartAsync(JobStart start)
    {
        if (_driver!.IsActive) return Task.CompletedTask;
        Begin(() => _driver.Start(start), start);
        return Task.CompletedTask;
    }

    private void Begin(Action begin, JobStart start)
    {
        LogStarted(Job, JobRegistry.ParallelismOf(start));
        begin();
        _ = ReleaseWaitingAsync();
    }

    public async Task ReviveAsync()
    {
        if (_driver!.Phase != JobPhase.Idle || active.IsLeaving) return;
        var history = await HistoryLog.ReadAsync(services.Store, Job, services.NewRetry(), CancellationToken.None);
        if (_driver.Phase != JobPhase.Idle || active.IsLeaving) return;
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

    public Task<RescaleAnswer> RescaleAsync(int parallelism)
    {
        var answer = _driver!.Rescale(parallelism, services.Options.MaxParallelism, jobs.Find(Job).Start?.Parallelism ?? 0);
        if (answer is { Problem: null, IsAlready: false }) LogMoving(Job, _driver.Moving!);
        return Task.FromResult(answer);
    }

    public async Task<JobStatus> WaitMovedAsync()
    {
        await Task.WhenAny(_driver!.Settled, Task.Delay(LongestWait, services.Time));
        return await StatusAsync();
    }

    public async Task<bool> MoveAwayAsync(string silo, HandOver? handed)
    {
        if (active.IsLeaving) return false;
        var settled = _driver!.MoveAwayAsync(silo);
        if (!_driver.IsActive)
        {
            if (handed is { Start: { } start }) Begin(() => _driver.Continue(start, handed), start);
            else await ReviveAsync();
        }
        else if (_driver.Moving is { } moving)
        {
            LogMoving(Job, moving);
        }

        await settled;
        await _driver.Settled;
        return true;
    }

    public Task<HandOver> HandOverAsync()
    {
        var silo = PinnedKey.SiloOf(this.GetPrimaryKeyString()).ToParsableString();
        if (_driver!.IsActive) LogMoving(Job, PlannedMove.Leave(silo).Reason);
        return _driver.HandOverAsync(silo);
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
            Leader = PinnedKey.SiloOf(this.GetPrimaryKeyString()).ToParsableString(),
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
            Moving = driver.Moving,
            LastMove = driver.LastMove,
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

    [LoggerMessage(LogLevel.Information, "Job {Job}: {Move}: the attempt ends with a checkpoint, as soon as the silos have read ahead what comes to them")]
    private partial void LogMoving(string job, string move);

    [LoggerMessage(LogLevel.Information, "Job {Job}: {Move}: done, attempt {Attempt} runs after a pause of {PauseMs:0} ms behind a checkpoint of {CheckpointMs:0} ms")]
    private partial void LogMoved(string job, string move, int attempt, double pauseMs, double checkpointMs);

    [LoggerMessage(LogLevel.Information, "Job {Job}: {Phase} {Cause}")]
    private partial void LogEnded(string job, JobPhase phase, string? cause);

    [LoggerMessage(LogLevel.Debug, "Job {Job}: the coordinator of attempt {Attempt} did not report: {Cause}")]
    private partial void LogNoReport(string job, Attempt attempt, string cause);
}
