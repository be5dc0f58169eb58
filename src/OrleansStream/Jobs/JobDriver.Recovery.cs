using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.Stages;

namespace OrleansStream.Jobs;

/// <summary>The steps by which an attempt comes to run.</summary>
internal sealed partial class JobDriver
{
    private async Task<IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>>> DiscoverAsync(JobPlan plan)
    {
        var inputs = new Dictionary<string, IReadOnlyList<SourceSplit>>();
        foreach (var source in plan.Graph.Sources)
        {
            var splits = await source.DiscoverAsync(_leaving.Token);
            if (splits.GroupBy(static split => split.Name).FirstOrDefault(static group => group.Count() > 1) is { } twice)
            {
                throw new JobRefusedException($"Job '{_job}', source '{source.Name}': split '{twice.Key}' is there twice.");
            }

            inputs[source.Name] = splits;
        }

        return inputs;
    }

    private void RefuseUnlessSame(JobHistory history, JobPlan plan, IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> inputs)
    {
        if (history.LastStarted is not { } started) return;
        var differences = RecoveryPlan.Differences(started, _start.Arguments, plan, inputs);
        if (differences.Count == 0) return;
        throw new JobRefusedException(
            $"Job '{_job}' cannot go on from the checkpoints in {_store.Location}: {string.Join("; ", differences)}. Start it with what it was begun with, or start over (--fresh) or in another checkpoint folder.");
    }

    /// <summary>
    /// The newest checkpoint that reads back whole; null when the job was taken over meanwhile. Falling back past a damaged one takes committed output back, where every sink can.
    /// </summary>
    private async Task<(Manifest? Manifest, IReadOnlyList<ManifestRef> Kept)?> ChooseAsync(Takeover takeover, JobPlan plan)
    {
        var kept = takeover.History.Kept;
        var problems = new List<string>();
        for (var index = 0; index < kept.Count; index++)
        {
            var reference = kept[index];
            if (_damaged.Contains(reference.Id))
            {
                problems.Add(Cause ?? $"checkpoint {reference.Id} is damaged");
                continue;
            }

            try
            {
                var manifest = await ManifestObject.ReadAsync(_store, _job, reference, _retry, _leaving.Token);
                if (RecoveryPlan.MissingSink(manifest, plan) is { } missing) throw new JobRefusedException($"Job '{_job}', checkpoint {reference.Id}: {missing}. Put the sink back into the graph.");
                if (index > 0) await WithdrawAsync(plan, reference.Id, takeover.Next, problems);
                return (manifest, [.. kept.Skip(index)]);
            }
            catch (DamagedObjectException damaged)
            {
                // To a driver that slept, what others have dropped looks damaged.
                if (await HistoryLog.IsSupersededAsync(_store, _job, takeover.Next, _retry, _leaving.Token)) return null;
                problems.Add(damaged.Message);
            }
        }

        if (kept.Count > 0) throw new JobRefusedException($"Job '{_job}' has no checkpoint left that can be read: {string.Join(" ", problems)} Restore the files from a backup, or begin anew in another checkpoint folder.");
        return (null, []);
    }

    private async Task WithdrawAsync(JobPlan plan, CheckpointId after, Attempt before, List<string> problems)
    {
        if (plan.Graph.Sinks.FirstOrDefault(static sink => !sink.Committer.CanWithdraw) is { } stubborn)
        {
            throw new JobRefusedException(
                $"Job '{_job}' stops: {string.Join(" ", problems)} An older checkpoint, {after}, can be read, but sink '{stubborn.Name}' cannot take back what it has written since; "
                + "restore the damaged file from a backup, or begin anew in another checkpoint folder.");
        }

        var permit = new CommitPermit(after);
        foreach (var sink in plan.Graph.Sinks) await sink.Committer.WithdrawAsync(after, before, permit, _leaving.Token);
    }

    /// <summary>What the manifest names and nobody is known to have committed is committed before anything else runs.</summary>
    private async Task CommitPendingAsync(Manifest manifest, JobPlan plan)
    {
        var permit = new CommitPermit(manifest.Id);
        foreach (var sink in plan.Graph.Sinks)
        {
            if (!manifest.Sinks.TryGetValue(sink.Name, out var saved) || saved.Pending.Count == 0) continue;
            await sink.Committer.CommitAsync(saved.Pending, permit, _leaving.Token);
            FaultPoints.Pass(FaultPoint.PendingCommitted);
        }
    }

    private async Task DeployAsync(JobPlan plan, Attempt attempt, Manifest? manifest, IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> inputs)
    {
        var silos = _port.Silos;
        if (silos.Count == 0) throw new StreamException($"Job '{_job}' has no silo to run on.");
        await Task.WhenAll(silos.Select(silo => TryAsync(() => _port.EndOlderAsync(silo, _job, attempt))));
        var places = Placement.Of(plan, _moves.Places(silos), _former);
        // Those that come to another silo first: they have to read, which the others need not behind a planned move.
        var openings = plan.Subtasks.OrderBy(id => _former.GetValueOrDefault(id) == places[id]).Select(id => OpeningOf(plan, attempt, id, manifest, inputs)).ToList();

        var addresses = await Task.WhenAll(openings.Select(opening => OpenAsync(places[opening.Id], opening, manifest)));
        _places = [.. places.Values];
        _former = places;
        var table = new SubtaskTable(openings.Zip(addresses).ToDictionary(static pair => pair.First.Id, static pair => pair.Second));
        await _port.BeginCoordinatorAsync(_job, attempt, table);
        await Task.WhenAll(openings.Zip(addresses).Select(async pair =>
        {
            await _port.StartSubtaskAsync(pair.First, pair.Second, table);
            FaultPoints.Pass(FaultPoint.TableGiven);
        }));
    }

    private SubtaskOpening OpeningOf(JobPlan plan, Attempt attempt, SubtaskId id, Manifest? manifest, IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> inputs) => new()
    {
        Job = _job,
        Attempt = attempt,
        Id = id,
        Arguments = _start.Arguments,
        Parallelism = plan.Parallelism,
        MaxParallelism = plan.MaxParallelism,
        Fingerprint = plan.Fingerprint,
        Splits = RecoveryPlan.SplitsOf(plan, id, inputs),
        Former = RecoveryPlan.FormerOf(manifest, plan.Stages[id.Stage]),
        RecordsPerSecond = RecoveryPlan.RateOf(_start.RecordsPerSecond, plan.Stages[id.Stage], inputs),
    };

    private async Task<SubtaskAddress> OpenAsync(string silo, SubtaskOpening opening, Manifest? manifest)
    {
        var opened = await _port.OpenSubtaskAsync(silo, opening);
        if (opened.Problem is null) return new SubtaskAddress(silo, opened.Incarnation);
        if (opened.DamagedObject is not null && manifest is not null) throw new DamagedCheckpointException(manifest.Id, opened.Problem);
        throw opened.IsPermanent ? new JobRefusedException(opened.Problem) : new StreamException(opened.Problem);
    }

    /// <summary>Writes down that the job has failed for good, or was stopped between two attempts, so that nobody revives it by itself. The end of an attempt that another
    /// has followed says nothing of the job.</summary>
    /// <param name="end">The entry, from the id of its writer.</param>
    /// <param name="committing">The plan whose sinks commit what the newest checkpoint names before; null when a job fails, as its sinks may be why.</param>
    private async Task RecordEndAsync(Func<string, LogEntry> end, JobPlan? committing = null)
    {
        try
        {
            if (_owned is not { } own || (await HistoryLog.ReadAsync(_store, _job, _retry, _leaving.Token)).Attempts > own.Number) return;
            var takeover = await HistoryLog.TakeOverAsync(_store, _job, _newWriterId(), _retry, _leaving.Token);
            if (takeover.Next != own.Next) return;
            _owned = takeover.Next;
            if (takeover.History.LastStarted is not { } last) return;
            if (committing is not null && Newest(takeover.History.Kept) is { } newest)
            {
                await CommitPendingAsync(await ManifestObject.ReadAsync(_store, _job, newest, _retry, _leaving.Token), committing);
            }

            // A rescale that no attempt has come to carry out is not forgotten with the job's end.
            if (RecoveryPlan.RescaledTo(_start, takeover.History, isOthers: false) is { } rescaled) _start = RecoveryPlan.Rescaled(_start, rescaled);
            var started = last with
            {
                WriterId = takeover.WriterId,
                Attempt = takeover.Next,
                FromCheckpoint = Newest(takeover.History.Kept),
                Kept = takeover.History.Kept,
                At = _time.GetUtcNow(),
                Parallelism = _start.RescaledOver is null ? last.Parallelism : _start.Parallelism,
                RescaledOver = _start.RescaledOver,
            };
            if (await AttemptLog.BeginAsync(_store, _job, started, _retry, _leaving.Token) is not { } log) return;
            await log.AppendAsync(end(takeover.WriterId), _leaving.Token);
        }
        catch (Exception error) when (error is StreamException or OperationCanceledException)
        {
            // The phase says it; the next start takes over whatever stands.
        }
    }
}
