using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Stages;

namespace OrleansStream.Jobs;

/// <summary>
/// Runs a job through its attempts: takes the history over, recovers, deploys, waits for the end, and asks the restart strategy.
/// Invariants: nothing is opened before the history is sealed; pending output of the manifest that an attempt begins from is committed before its subtasks open;
/// older attempts are ended on a silo before newer ones open there; a job that is refused leaves its history as it was; a planned move is a checkpoint and the next attempt, by the
/// same steps as after a failure, and what it is for takes effect whichever way the attempt ends.
/// </summary>
internal sealed partial class JobDriver
{
    private readonly string _job;
    private readonly Func<JobStart, JobPlan> _plan;
    private readonly IJobPort _port;
    private readonly ICheckpointStore _store;
    private readonly JobRules _rules;
    private readonly RetryRule _retry;
    private readonly Func<string> _newWriterId;
    private readonly TimeProvider _time;
    private readonly HashSet<CheckpointId> _damaged = [];
    private TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RestartDecision _restarts;
    private readonly CancellationTokenSource _leaving = new();
    private Task _run = Task.CompletedTask;
    private JobStart _start = new();

    /// <summary>The newest attempt in the history that is this driver's: behind the one that ran last there may be one that only says how the job ended.</summary>
    private Attempt? _owned;
    private string? _stopReason;

    public JobDriver(
        string job, Func<JobStart, JobPlan> plan, IJobPort port, ICheckpointStore store, JobRules rules, RetryRule retry, Func<string> newWriterId, TimeProvider time)
    {
        _job = job;
        _plan = plan;
        _port = port;
        _store = store;
        _rules = rules;
        _retry = retry;
        _newWriterId = newWriterId;
        _time = time;
        _restarts = new RestartDecision(rules.Restarts);
        _rebalance = new RebalanceRule(rules.RebalanceAfter);
    }

    public JobPhase Phase { get; private set; } = JobPhase.Idle;

    public Attempt? Attempt { get; private set; }

    /// <summary>Why the job waits, failed or was refused.</summary>
    public string? Cause { get; private set; }

    /// <summary>What the last attempt that ended was doing.</summary>
    public AttemptReport? LastReport { get; private set; }

    public int Failures => _restarts.Failures;

    public bool WasFinished { get; private set; }

    public int Parallelism { get; private set; }

    /// <summary>Whether the job is on its way: a start changes nothing then.</summary>
    public bool IsActive => Phase is JobPhase.Starting or JobPhase.Running or JobPhase.Waiting or JobPhase.Stopping;

    /// <summary>Completes when the driver has nothing more to do for the last start.</summary>
    public Task Completion => _run;

    /// <summary>Starts the job. A repeat changes nothing while it is active.</summary>
    public void Start(JobStart start)
    {
        if (IsActive || _leaving.IsCancellationRequested) return;
        Phase = JobPhase.Starting;
        Cause = null;
        WasFinished = false;
        _stopReason = null;
        _isLost = false;
        _damaged.Clear();
        _restarts = new RestartDecision(_rules.Restarts);
        _start = start;
        if (_former.Count == 0) _former = _port.PlacesOf(_job);
        _run = RunAsync();
    }

    /// <summary>Knows from the history how the job ended before this driver was made.</summary>
    public void Recall(LogEntry end, int attempts)
    {
        if (Phase != JobPhase.Idle) return;
        Attempt = _owned = new Attempt(attempts);
        (Phase, Cause) = end switch
        {
            Finished => (JobPhase.Finished, null),
            Stopped stopped => (JobPhase.Stopped, stopped.Reason),
            Failed failed => (JobPhase.Failed, failed.Cause),
            _ => (Phase, Cause),
        };
    }

    /// <summary>Takes a last checkpoint and stops.</summary>
    public void Stop(string reason)
    {
        if (!IsActive) return;
        _stopReason ??= reason;
        Wake();
    }

    /// <summary>The attempt's end may be there: look.</summary>
    public void Wake() => _wake.TrySetResult();

    /// <summary>The silo leaves: the attempt ends without a word, so that another silo, or the next start, goes on from the last checkpoint.</summary>
    public async Task LeaveAsync(string cause)
    {
        // Here and now: CancelAsync would let other threads in.
        if (!_leaving.IsCancellationRequested) _leaving.Cancel();
        Wake();
        if (Attempt is { } attempt && Phase is JobPhase.Running or JobPhase.Stopping) await TryAsync(() => _port.AbortCoordinatorAsync(_job, attempt, cause));
        await _run;
    }

    private async Task RunAsync()
    {
        try
        {
            await AttemptsAsync();
        }
        finally
        {
            EndMoves();
        }
    }

    private async Task AttemptsAsync()
    {
        var isMoved = false;
        while (true)
        {
            AttemptOutcome outcome;
            try
            {
                BeginMove();
                var plan = _plan(_start);
                Parallelism = plan.Parallelism;
                // An attempt that ended by a move has not failed: its time counts on.
                if (!isMoved) _restarts.OnAttempt(_time.GetUtcNow());
                outcome = await AttemptAsync(plan);
                if (outcome.End == AttemptEnd.Moved) FaultPoints.Pass(FaultPoint.MovePublished);
            }
            catch (OperationCanceledException) when (_leaving.IsCancellationRequested)
            {
                outcome = new AttemptOutcome(AttemptEnd.Failed, "The silo is leaving.");
            }
            catch (DamagedCheckpointException damaged)
            {
                _damaged.Add(damaged.Checkpoint);
                Cause = damaged.Message;
                continue;
            }
            catch (Exception error)
            {
                var cause = error is StreamException ? error.Message : $"Job '{_job}': {error.GetType().Name}: {error.Message}";
                outcome = new AttemptOutcome(AttemptEnd.Failed, cause, error is StreamException { IsPermanent: true });
                if (error is JobRefusedException)
                {
                    Cause = cause;
                    Phase = JobPhase.Failed;
                    return;
                }
            }

            if (_leaving.IsCancellationRequested)
            {
                Phase = outcome.End switch { AttemptEnd.Finished => JobPhase.Finished, AttemptEnd.Stopped => JobPhase.Stopped, _ => JobPhase.Idle };
                return;
            }

            switch (outcome.End)
            {
                case AttemptEnd.Finished:
                    Phase = JobPhase.Finished;
                    return;
                case AttemptEnd.Stopped:
                    Phase = JobPhase.Stopped;
                    Cause = outcome.Cause;
                    return;
                case AttemptEnd.Lost:
                    // Another driver owns the job: this one has nothing to say any more.
                    _isLost = true;
                    Phase = JobPhase.Idle;
                    Cause = outcome.Cause;
                    return;
                case AttemptEnd.Moved when !_isHandingOver:
                    isMoved = true;
                    Phase = JobPhase.Starting;
                    continue;
            }

            if (_isHandingOver)
            {
                // Whatever happened to the attempt: the next one is another silo's, and what was asked for goes with it.
                BeginMove();
                Phase = JobPhase.Idle;
                return;
            }

            isMoved = false;
            if (!await WaitBeforeNextAsync(outcome)) return;
        }
    }

    /// <summary>Waits as the restart strategy says; false when the job has ended.</summary>
    private async Task<bool> WaitBeforeNextAsync(AttemptOutcome outcome)
    {
        var delay = _restarts.OnFailure(outcome.Cause ?? "unknown", outcome.IsPermanent, _time.GetUtcNow());
        Cause = _restarts.FirstCause;
        if (delay is null)
        {
            await RecordEndAsync(writer => new Failed(writer, Cause ?? "unknown", Failures));
            Phase = JobPhase.Failed;
            return false;
        }

        Phase = JobPhase.Waiting;
        var until = _time.GetTimestamp();
        while (!_leaving.IsCancellationRequested && !_isHandingOver && _stopReason is null && _time.GetElapsedTime(until) < delay) await NapAsync(delay.Value - _time.GetElapsedTime(until));
        if (_leaving.IsCancellationRequested || _isHandingOver)
        {
            Phase = JobPhase.Idle;
            return false;
        }

        if (_stopReason is { } reason)
        {
            await RecordEndAsync(writer => new Stopped(writer, reason), _plan(_start));
            Cause = reason;
            Phase = JobPhase.Stopped;
            return false;
        }

        Phase = JobPhase.Starting;
        return true;
    }

    /// <summary>One attempt, from taking the history over to its end.</summary>
    private async Task<AttemptOutcome> AttemptAsync(JobPlan plan)
    {
        var inputs = await DiscoverAsync(plan);
        var history = await HistoryLog.ReadAsync(_store, _job, _retry, _leaving.Token);
        RefuseUnlessSame(history, plan, inputs);
        if (history.End is Finished) return FinishedBefore();
        // Two drivers that each took the end of their attempt for a failure would end one another's attempts for ever.
        if (_owned is { } own && history.Attempts > own.Number) return Taken();
        if (history.LastStarted is null)
        {
            foreach (var sink in plan.Graph.Sinks) await sink.InitializeAsync(_leaving.Token);
        }

        var takeover = await HistoryLog.TakeOverAsync(_store, _job, _newWriterId(), _retry, _leaving.Token);
        RefuseUnlessSame(takeover.History, plan, inputs);
        if (takeover.History.End is Finished) return FinishedBefore();
        var isOthers = _owned is { } owned && owned.Next != takeover.Next;
        Attempt = _owned = takeover.Next;
        FaultPoints.Pass(FaultPoint.AttemptSealed);
        if (RecoveryPlan.RescaledTo(_start, takeover.History, isOthers) is { } rescaled) plan = _plan(_start = RecoveryPlan.Rescaled(_start, rescaled));
        Parallelism = plan.Parallelism;
        if (await ChooseAsync(takeover, plan) is not var (manifest, kept)) return Taken();
        var started = new Started(
            takeover.WriterId, takeover.Next, Newest(kept), _start.Arguments.ToMap(), plan.Parallelism, plan.MaxParallelism, plan.Fingerprint, inputs, kept, _time.GetUtcNow())
        {
            Graph = GraphDescription.ToText(plan.Graph),
            RecordsPerSecond = _start.RecordsPerSecond,
            CheckpointInterval = _start.CheckpointInterval,
            RescaledOver = _start.RescaledOver,
        };
        if (manifest is not null) await CommitPendingAsync(manifest, plan);

        var rules = _rules.Checkpoints with { Interval = _start.CheckpointInterval ?? _rules.Checkpoints.Interval };
        if (!await _port.OpenCoordinatorAsync(new CoordinatorOpening(plan, started, manifest, rules))) return Taken();
        FaultPoints.Pass(FaultPoint.AttemptStarted);
        try
        {
            await DeployAsync(plan, takeover.Next, manifest, inputs);
            Phase = JobPhase.Running;
            NoteRunning(takeover.Next);
            var outcome = await OutcomeAsync(takeover.Next, plan);
            NoteEnded(outcome);
            return outcome;
        }
        finally
        {
            _places = null;
            _reading?.Cancel();
            await TryAsync(() => _port.AbortCoordinatorAsync(_job, takeover.Next, "The attempt has ended."));
            await Task.WhenAll(_port.Silos.Select(silo => TryAsync(() => _port.EndOlderAsync(silo, _job, takeover.Next.Next))));
        }
    }

    private async Task<AttemptOutcome> OutcomeAsync(Attempt attempt, JobPlan plan)
    {
        var silent = 0;
        var told = false;
        var moves = new MovesTold();
        while (true)
        {
            if (_stopReason is { } reason && !told)
            {
                Phase = JobPhase.Stopping;
                told = await TryAsync(() => _port.StopCoordinatorAsync(_job, attempt, reason));
            }

            ConsiderBalance();
            await TellOfMoveAsync(moves, plan, attempt);

            try
            {
                if (await _port.OutcomeAsync(_job, attempt) is { } outcome)
                {
                    LastReport = await _port.ReportAsync(_job, attempt);
                    return outcome;
                }

                silent = 0;
            }
            catch (Exception error)
            {
                if (++silent >= _rules.CoordinatorMisses) return new AttemptOutcome(AttemptEnd.Failed, $"Job '{_job}': the coordinator of attempt {attempt} is gone: {error.Message}");
            }

            if (_leaving.IsCancellationRequested) return new AttemptOutcome(AttemptEnd.Failed, "The silo is leaving.");
            await NapAsync(_rules.CoordinatorPoll);
        }
    }

    /// <summary>Sleeps until woken, for no longer than told.</summary>
    private async Task NapAsync(TimeSpan longest)
    {
        using var timer = _time.CreateTimer(static driver => ((JobDriver)driver!).Wake(), this, longest, Timeout.InfiniteTimeSpan);
        await _wake.Task;
        _wake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private static async Task<bool> TryAsync(Func<Task> call)
    {
        try
        {
            await call();
            return true;
        }
        catch (Exception error) when (error is not InvariantException)
        {
            return false;
        }
    }

    private static ManifestRef? Newest(IReadOnlyList<ManifestRef> kept) => kept.Count > 0 ? kept[0] : null;

    private AttemptOutcome Taken() => new(AttemptEnd.Lost, $"Job '{_job}' was taken over by another silo as attempt {Attempt} began.");

    private AttemptOutcome FinishedBefore()
    {
        WasFinished = true;
        return new AttemptOutcome(AttemptEnd.Finished);
    }
}

/// <summary>The limits and strategies of a job.</summary>
internal sealed record JobRules
{
    public required CheckpointRules Checkpoints { get; init; }

    public required RestartStrategy Restarts { get; init; }

    /// <summary>How often the coordinator is asked whether the attempt has ended; it also says so by itself.</summary>
    public TimeSpan CoordinatorPoll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>After how long without a change of the cluster subtasks that are unevenly spread move; null for never.</summary>
    public TimeSpan? RebalanceAfter { get; init; }

    /// <summary>For how long a planned move is put off while silos read ahead.</summary>
    public TimeSpan LongestReadAhead { get; init; }

    /// <summary>The same for one that somebody waits for.</summary>
    public TimeSpan LongestUrgentReadAhead { get; init; }

    /// <summary>After how many unanswered questions the coordinator counts as gone.</summary>
    public int CoordinatorMisses { get; init; } = 5;
}

/// <summary>A checkpoint that was chosen to begin from and proved damaged.</summary>
internal sealed class DamagedCheckpointException(CheckpointId checkpoint, string message) : StreamException(message)
{
    public CheckpointId Checkpoint => checkpoint;
}
