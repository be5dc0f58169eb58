using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Stages;

namespace OrleansStream.Checkpoints;

/// <summary>The calls that a coordinator makes, each repeated while its outcome is unknown.</summary>
internal sealed partial class CheckpointDriver
{
    /// <summary>Makes a call to the store until its outcome is known: nothing that depends on an entry may go on, or be given up, before.</summary>
    private async Task<T> SettledAsync<T>(Func<Task<T>> call)
    {
        while (true)
        {
            try
            {
                return await call();
            }
            catch (StoreException error)
            {
                StoreTrouble = error.Message;
                await Task.Delay(_timings.StorePause, _time, _ended.Token);
                continue;
            }
            finally
            {
                _ended.Token.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>What the store last said when it failed, for people; null when all is well.</summary>
    public string? StoreTrouble { get; private set; }

    private Task TellAsync(SubtaskId subtask, Barrier barrier) => PatientlyAsync(
        subtask, "asking for a checkpoint", () => _subtasks.TriggerAsync(subtask, barrier), stillWanted: () => _protocol.Current == barrier.Checkpoint);

    private Task CommitAsync(SubtaskId subtask, CommitPermit permit) => PatientlyAsync(
        subtask, $"committing checkpoint {permit.Checkpoint}", () => _subtasks.CommitAsync(subtask, permit), static () => true);

    private async Task HeartbeatsAsync(SubtaskId subtask)
    {
        while (!_ended.IsCancellationRequested)
        {
            await PatientlyAsync(
                subtask,
                "asking how it is",
                async () =>
                {
                    var report = await _subtasks.HeartbeatAsync(subtask);
                    RequireSame(subtask, report.Incarnation);
                    NoteReport(report);
                    if (report.Failure is { } failure) Failed(failure);
                    else if (report.HasEnded) Ended(subtask, report.Incarnation);
                },
                static () => true);
            try
            {
                await Task.Delay(_timings.HeartbeatInterval, _time, _ended.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>An opening that is not the attempt's answers for one that is: what others say to the subtask may end with it, unheard.</summary>
    private void RequireSame(SubtaskId subtask, Incarnation answered)
    {
        if (_protocol.Knows(subtask, answered)) return;
        throw new GoneException($"opening {answered} answers for it, and the attempt has {_table.Addresses[subtask].Incarnation}: it was activated a second time.");
    }

    /// <summary>
    /// Passes the watermarks of an alignment group on between its subtasks. What fails is done without: the next call says it all again, and whether a subtask lives is for the
    /// heartbeats to find out.
    /// </summary>
    private async Task AlignAsync(SubtaskId subtask)
    {
        while (!_ended.IsCancellationRequested)
        {
            try
            {
                _alignment.Note(subtask, await _subtasks.AlignAsync(subtask, _alignment.LowestOfOthers(subtask)));
            }
            catch (Exception error) when (error is not InvariantException)
            {
            }

            try
            {
                await Task.Delay(_timings.AlignmentInterval, _time, _ended.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Counts stand still when an attempt has ended well: they are asked for once more. Only for people, so an answer that does not come is done without.</summary>
    private async Task LastReportsAsync()
    {
        var reports = Task.WhenAll(_table.Addresses.Keys.Select(async subtask => NoteReport(await _subtasks.HeartbeatAsync(subtask))));
        try
        {
            await reports.WaitAsync(_timings.HeartbeatInterval, _time, _ended.Token);
        }
        catch (Exception error) when (error is not InvariantException)
        {
            _ = reports.ContinueWith(static late => _ = late.Exception, TaskScheduler.Current);
        }
    }

    /// <summary>Calls a subtask until it answers; a subtask that stays silent ends the attempt.</summary>
    private async Task PatientlyAsync(SubtaskId subtask, string doing, Func<Task> call, Func<bool> stillWanted)
    {
        var began = _time.GetTimestamp();
        while (!_ended.IsCancellationRequested && stillWanted())
        {
            try
            {
                await call();
                return;
            }
            catch (Exception error)
            {
                if (_ended.IsCancellationRequested) return;
                if (error is GoneException)
                {
                    Fail(new StreamException($"Job '{_plan.Job}', subtask {subtask}: {error.Message}", error));
                    return;
                }

                if (_time.GetElapsedTime(began) >= _timings.SubtaskSilence || error is StreamException { IsPermanent: true })
                {
                    Fail(new StreamException($"Job '{_plan.Job}', subtask {subtask}: {doing} kept failing for {_timings.SubtaskSilence.TotalSeconds:0.#} s: {error.Message}", error));
                    return;
                }
            }

            try
            {
                await Task.Delay(_timings.CallPause, _time, _ended.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Deletes what earlier attempts left behind and nobody names. Never urgent.</summary>
    private async Task TidyUpAsync()
    {
        try
        {
            var oldest = _kept.Select(static manifest => manifest.Id.Attempt).Append(Attempt).Min();
            await _log.TrimOlderAsync(oldest, _ended.Token);
            var kept = _kept;
            var manifests = await Task.WhenAll(kept.Select(ManifestAsync));
            var listed = new List<string>();
            await foreach (var name in _store.ListAsync(ObjectNames.Attempts(_plan.Job), _ended.Token)) listed.Add(name);
            foreach (var name in Retention.Orphans(_plan.Job, listed, kept, manifests, Attempt)) await DeleteAsync(name);
        }
        catch (Exception error) when (error is StreamException or OperationCanceledException)
        {
            // The next attempt tries again.
        }
    }
}
