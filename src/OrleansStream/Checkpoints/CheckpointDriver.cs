using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Stages;

namespace OrleansStream.Checkpoints;

/// <summary>What a job hands to the coordinator of a new attempt. It never leaves the silo.</summary>
/// <param name="Plan">The job's plan.</param>
/// <param name="Started">The attempt's first entry, with the id of its only writer.</param>
/// <param name="Restored">The manifest that the attempt begins from; null when it begins from nothing.</param>
/// <param name="Rules">How checkpoints are taken.</param>
internal sealed record CoordinatorOpening(JobPlan Plan, Started Started, Manifest? Restored, CheckpointRules Rules);

/// <summary>How an attempt ended.</summary>
internal enum AttemptEnd
{
    /// <summary>All input ended, all output is committed, and the history says so.</summary>
    Finished,

    /// <summary>A user stopped it, behind a last checkpoint.</summary>
    Stopped,

    /// <summary>A planned move ended it, behind a checkpoint of which the outcome tells; the next attempt begins at once.</summary>
    Moved,

    /// <summary>Something failed; another attempt may begin.</summary>
    Failed,

    /// <summary>Another coordinator owns the job now.</summary>
    Lost,
}

/// <summary>How and why an attempt ended.</summary>
[GenerateSerializer, Immutable]
internal sealed record AttemptOutcome([property: Id(0)] AttemptEnd End, [property: Id(1)] string? Cause = null, [property: Id(2)] bool IsPermanent = false, [property: Id(3)] long CheckpointMs = 0);

/// <summary>
/// Runs the checkpoints of one attempt: performs what <see cref="CheckpointProtocol"/> decides, and is the only writer of the attempt's log.
/// Invariants: a permit is made only of a manifest whose publication is in the log; an entry of unknown outcome is settled before anything that depends on it
/// is given up or deleted; objects are deleted only after the entry that drops them.
/// </summary>
internal sealed partial class CheckpointDriver
{
    private readonly CoordinatorOpening _opening;
    private readonly JobPlan _plan;
    private readonly AttemptLog _log;
    private readonly string _writerId;
    private readonly ICheckpointStore _store;
    private readonly ISubtaskPort _subtasks;
    private readonly CheckpointRules _rules;
    private readonly RetryRule _retry;
    private readonly TimeProvider _time;
    private readonly CoordinatorTimings _timings;
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource<AttemptOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<CheckpointId, Manifest> _manifests = [];
    private readonly AlignmentGroups _alignment;
    private CheckpointProtocol _protocol = null!;
    private SubtaskTable _table = null!;
    private TaskCompletionSource _signal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyList<ManifestRef> _kept;
    private string? _stopReason;
    private PlannedMove? _move;
    private SubtaskFailure? _failure;

    private CheckpointDriver(
        CoordinatorOpening opening, AttemptLog log, ICheckpointStore store, ISubtaskPort subtasks, RetryRule retry, TimeProvider time, CoordinatorTimings timings)
    {
        _opening = opening;
        _plan = opening.Plan;
        _alignment = new AlignmentGroups(opening.Plan);
        _log = log;
        _writerId = opening.Started.WriterId;
        _kept = opening.Started.Kept;
        _store = store;
        _subtasks = subtasks;
        _rules = opening.Rules;
        _retry = retry;
        _time = time;
        _timings = timings;
        _timer = time.CreateTimer(static driver => ((CheckpointDriver)driver!).Signal(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Completes when the attempt has ended.</summary>
    public Task<AttemptOutcome> Outcome => _outcome.Task;

    public Attempt Attempt => _log.Attempt;

    /// <summary>Begins the attempt's log; null when another has taken the job over.</summary>
    public static async Task<CheckpointDriver?> OpenAsync(
        CoordinatorOpening opening, ICheckpointStore store, ISubtaskPort subtasks, RetryRule retry, TimeProvider time, CoordinatorTimings timings, CancellationToken cancellation) =>
        await AttemptLog.BeginAsync(store, opening.Plan.Job, opening.Started, retry, cancellation) is { } log
            ? new CheckpointDriver(opening, log, store, subtasks, retry, time, timings)
            : null;

    /// <summary>Begins, once, before the subtasks are started: from now on they may call. All are open.</summary>
    public void Begin(SubtaskTable table)
    {
        if (_table is not null || _ended.IsCancellationRequested) return;
        _table = table;
        _protocol = new CheckpointProtocol(Attempt, _plan, table, _rules, _opening.Started.Inputs, _opening.Restored, Now());
        if (_move is not null || _stopReason is not null) _protocol.Ask(_move);
        if (_opening.Restored is { } restored) _manifests[restored.Id] = restored;
        _ = TidyUpAsync();
        foreach (var subtask in _table.Addresses.Keys) _ = HeartbeatsAsync(subtask);
        foreach (var subtask in _alignment.Subtasks) _ = AlignAsync(subtask);
        _ = RunAsync();
    }

    /// <summary>Takes a receipt; false when the sender does not count.</summary>
    public bool Receipt(Receipt receipt)
    {
        if (_ended.IsCancellationRequested || _table is null || !_protocol.Knows(receipt.Subtask, receipt.Incarnation)) return false;
        Guarded(() =>
        {
            Note(receipt);
            if (_protocol.OnReceipt(receipt)) _ = PublishAsync();
        });
        Signal();
        return true;
    }

    /// <summary>Notes that a subtask's input has ended; false when the sender does not count.</summary>
    public bool Ended(SubtaskId subtask, Incarnation incarnation)
    {
        if (_ended.IsCancellationRequested || _table is null || !_protocol.Knows(subtask, incarnation)) return false;
        if (_protocol.OnEnded(subtask)) _ = TellAsync(subtask, _protocol.CurrentBarrier);
        Signal();
        return true;
    }

    /// <summary>A subtask failed: the attempt ends. False when the sender does not count, or the attempt has ended before by something else.</summary>
    public bool Failed(SubtaskFailure failure)
    {
        if (_failure == failure) return true;
        if (_ended.IsCancellationRequested || _table is null || !_protocol.Knows(failure.Subtask, failure.Incarnation)) return false;
        _failure = failure;
        End(new AttemptOutcome(AttemptEnd.Failed, failure.Cause, failure.IsPermanent));
        return true;
    }

    /// <summary>Takes a last checkpoint and stops the job. A repeat changes nothing.</summary>
    public void Stop(string reason)
    {
        if (_stopReason is not null) return;
        _stopReason = reason;
        _protocol?.Ask();
        Signal();
    }

    /// <summary>Silos are reading ahead for a move that will be asked for.</summary>
    public void KeepChain() => _protocol?.KeepChain();

    /// <summary>Ends the attempt at the next checkpoint that begins and is published; its entry says at what parallelism the job goes on. A stop goes before.</summary>
    public void Move(PlannedMove move)
    {
        if (_move == move) return;
        _move = move;
        _protocol?.Ask(move);
        Signal();
    }

    /// <summary>Ends the attempt without a word in the log: its silo is leaving, or the job was taken over.</summary>
    public void Abort(string cause) => End(new AttemptOutcome(AttemptEnd.Failed, cause));

    private async Task RunAsync()
    {
        try
        {
            while (!_ended.IsCancellationRequested)
            {
                var now = Now();
                if (_protocol.TryGiveUp(now)) GiveUp();
                else if (_protocol.TryBegin(now, out var barrier, out var targets)) OnBegun(barrier, targets);
                await WaitAsync();
            }
        }
        catch (Exception error)
        {
            Fail(error);
        }
        finally
        {
            await _timer.DisposeAsync();
        }
    }

    private async Task WaitAsync()
    {
        var at = _protocol.NextAt;
        if (at != long.MaxValue) _timer.Change(TimeSpan.FromMilliseconds(Math.Clamp(at == long.MinValue ? 0 : at - Now(), 0, 3_600_000)), Timeout.InfiniteTimeSpan);
        await _signal.Task;
        _signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private void OnBegun(Barrier barrier, IReadOnlyList<SubtaskId> targets)
    {
        NoteBegun(barrier);
        foreach (var subtask in targets)
        {
            _ = TellAsync(subtask, barrier);
            FaultPoints.Pass(FaultPoint.BarrierSent);
        }
    }

    private void GiveUp()
    {
        NoteGivenUp();
        if (_protocol.GivenUp > _rules.TolerableGivenUp)
        {
            throw new StreamException(
                $"Job '{_plan.Job}': {_protocol.GivenUp} checkpoints in a row were not complete after {_rules.Timeout.TotalSeconds:0.#} s; the last was {_protocol.Current}, without {WhoIsMissing()}.");
        }
    }

    /// <summary>Writes the manifest, publishes it, lets the sinks commit: the second half of a checkpoint.</summary>
    private async Task PublishAsync()
    {
        try
        {
            FaultPoints.Pass(FaultPoint.ReceiptsComplete);
            var manifest = _protocol.MakeManifest();
            var reference = await SettledAsync(() => ManifestObject.WriteAsync(_store, manifest, _time.GetUtcNow(), _retry, _ended.Token));
            FaultPoints.Pass(FaultPoint.ManifestWritten);
            IReadOnlyList<ManifestRef> kept = [reference, .. _kept];
            // A move that was asked for after the checkpoint had begun is for the next one, which is written to be read again.
            var move = _stopReason is null && !manifest.Final && _protocol.IsReadNext ? _move : null;
            var entry = new Published(_writerId, reference, kept) { Parallelism = move?.Parallelism };
            if (!await SettledAsync(() => _log.AppendAsync(entry, _ended.Token)))
            {
                End(new AttemptOutcome(AttemptEnd.Lost, $"Attempt {Attempt} of job '{_plan.Job}' was taken over while it published checkpoint {manifest.Id}."));
                return;
            }

            FaultPoints.Pass(FaultPoint.Published);
            _kept = kept;
            _manifests[manifest.Id] = manifest;
            _protocol.OnPublished(manifest);
            NotePublished(reference);
            if (move is not null && _stopReason is null)
            {
                // Its pending output is committed by the next attempt before anything else: what waits for it should not wait twice.
                End(new AttemptOutcome(AttemptEnd.Moved, move.Reason, CheckpointMs: _notes[0].DurationMs));
                return;
            }

            var permit = new CommitPermit(manifest.Id);
            await Task.WhenAll(_table.Addresses.Keys.Select(subtask => CommitAsync(subtask, permit)));
            NoteCommitted();
            if (manifest.Final) await FinishAsync(manifest, permit);
            else if (_stopReason is not null) await StopAsync(_stopReason);
            else await DropAsync();
            if (_ended.IsCancellationRequested) return;
            _protocol.OnCommitted();
            Signal();
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    private async Task FinishAsync(Manifest manifest, CommitPermit permit)
    {
        FaultPoints.Pass(FaultPoint.FinalPublished);
        foreach (var sink in _plan.Graph.Sinks) await sink.Committer.FinishAsync(manifest.Sinks[sink.Name].OutputCount, permit, _ended.Token);
        await EndWithAsync(new Finished(_writerId), new AttemptOutcome(AttemptEnd.Finished));
    }

    private Task StopAsync(string reason) => EndWithAsync(new Stopped(_writerId, reason), new AttemptOutcome(AttemptEnd.Stopped, reason));

    private async Task EndWithAsync(LogEntry entry, AttemptOutcome outcome)
    {
        await LastReportsAsync();
        if (await SettledAsync(() => _log.AppendAsync(entry, _ended.Token))) End(outcome);
        else End(new AttemptOutcome(AttemptEnd.Lost, $"Attempt {Attempt} of job '{_plan.Job}' was taken over as it ended."));
    }

    /// <summary>Drops old checkpoints: the entry first, deleting second.</summary>
    private async Task DropAsync()
    {
        var plan = Retention.Plan(_kept, _rules.RetainedCount);
        if (plan.Dropped.Count > 0)
        {
            Manifest[] dropped;
            Manifest[] kept;
            try
            {
                dropped = await Task.WhenAll(plan.Dropped.Select(ManifestAsync));
                kept = await Task.WhenAll(plan.Kept.Select(ManifestAsync));
            }
            catch (DamagedObjectException damaged)
            {
                // Without all manifests nothing may be deleted, and nothing else needs them. An attempt that was taken over finds out at its next entry.
                StoreTrouble = damaged.Message;
                return;
            }

            if (!await SettledAsync(() => _log.AppendAsync(new Dropped(_writerId, [.. plan.Dropped.Select(static manifest => manifest.Id)], plan.Kept), _ended.Token)))
            {
                End(new AttemptOutcome(AttemptEnd.Lost, $"Attempt {Attempt} of job '{_plan.Job}' was taken over while it dropped checkpoints."));
                return;
            }

            FaultPoints.Pass(FaultPoint.Dropped);
            _kept = plan.Kept;
            foreach (var name in Retention.ObjectsToDelete(_plan.Job, dropped, plan.Kept, kept, Attempt)) await DeleteAsync(name);
            foreach (var manifest in plan.Dropped) _manifests.Remove(manifest.Id);
        }

        await _log.TrimAsync(_ended.Token);
    }

    private async Task<Manifest> ManifestAsync(ManifestRef reference)
    {
        if (!_manifests.TryGetValue(reference.Id, out var manifest))
        {
            manifest = await ManifestObject.ReadAsync(_store, _plan.Job, reference, _retry, _ended.Token);
            _manifests[reference.Id] = manifest;
        }

        return manifest;
    }

    private async Task DeleteAsync(string name)
    {
        try
        {
            await _store.DeleteAsync(name, _ended.Token);
        }
        catch (StoreException)
        {
            // What stays is an orphan; the next attempt tidies up.
        }
    }

    private void Fail(Exception error)
    {
        if (error is OperationCanceledException && _ended.IsCancellationRequested) return;
        var cause = error is StreamException ? error.Message : $"Job '{_plan.Job}', coordinator of attempt {Attempt}: {error.GetType().Name}: {error.Message}";
        End(new AttemptOutcome(AttemptEnd.Failed, cause, error is StreamException { IsPermanent: true }));
    }

    private void End(AttemptOutcome outcome)
    {
        if (!_outcome.TrySetResult(outcome)) return;
        _ended.Cancel();
        Signal();
    }

    private void Guarded(Action act)
    {
        try
        {
            act();
        }
        catch (InvariantException broken)
        {
            Fail(broken);
        }
    }

    private void Signal() => _signal.TrySetResult();

    private long Now() => (long)_time.GetElapsedTime(0).TotalMilliseconds;
}

/// <summary>The limits that a coordinator keeps.</summary>
internal sealed record CoordinatorTimings
{
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often each source subtask in an alignment group is told how far the others have come.</summary>
    public TimeSpan AlignmentInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>For how long a subtask may leave calls unanswered before the attempt ends.</summary>
    public TimeSpan SubtaskSilence { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long to wait before a failed call is made again.</summary>
    public TimeSpan CallPause { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long to wait before a log entry of unknown outcome is created again.</summary>
    public TimeSpan StorePause { get; init; } = TimeSpan.FromSeconds(1);
}
