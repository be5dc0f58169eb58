using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Stages;

namespace OrleansStream.Checkpoints;

/// <summary>The shell of a <see cref="CheckpointDriver"/>. An activation that finds nothing left for it on this silo refuses every call and leaves.</summary>
[Reentrant, KeepAlive, PinnedPlacement]
internal sealed partial class CheckpointGrain(CoordinatorHandover handover, StreamServices services, ILogger<CheckpointGrain> logger) : Grain, ICheckpointGrain
{
    private readonly ILogger _logger = logger;
    private CheckpointDriver? _driver;
    private GrainSubtaskPort? _subtasks;
    private string _job = "";

    public async Task<bool> OpenAsync()
    {
        var opening = handover.Take(this.GetPrimaryKeyString()) ?? throw Unopened();
        _job = opening.Plan.Job;
        _subtasks = new GrainSubtaskPort(GrainFactory, _job, opening.Started.Attempt);
        _driver = await CheckpointDriver.OpenAsync(opening, services.Store, _subtasks, services.NewRetry(), services.Time, services.CoordinatorTimings, CancellationToken.None);
        if (_driver is not null)
        {
            _driver.OnPublished = (checkpoint, note) =>
            {
                services.Metrics.Note(_job, note);
                LogPublished(_job, checkpoint, note.DurationMs, note.WrittenBytes);
            };
            _driver.OnGivenUp = (note, missing) => LogGivenUp(_job, note.Id, note.DurationMs / 1000d, missing);
            _ = TellJobAsync(_driver);
            return true;
        }

        DeactivateOnIdle();
        return false;
    }

    public Task BeginAsync(SubtaskTable table)
    {
        var driver = Opened();
        _subtasks!.Begin(table);
        driver.Begin(table);
        return Task.CompletedTask;
    }

    public Task<bool> ReceiptAsync(Receipt receipt) => Task.FromResult(_driver?.Receipt(receipt) ?? false);

    public Task<bool> EndedAsync(SubtaskId subtask, Incarnation incarnation) => Task.FromResult(_driver?.Ended(subtask, incarnation) ?? false);

    public Task<bool> FailedAsync(SubtaskFailure failure) => Task.FromResult(_driver?.Failed(failure) ?? false);

    public Task StopAsync(string reason)
    {
        Opened().Stop(reason);
        return Task.CompletedTask;
    }

    public Task KeepChainAsync()
    {
        Opened().KeepChain();
        return Task.CompletedTask;
    }

    public Task MoveAsync(PlannedMove move)
    {
        Opened().Move(move);
        return Task.CompletedTask;
    }

    public Task AbortAsync(string cause)
    {
        _driver?.Abort(cause);
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public Task<AttemptOutcome?> OutcomeAsync()
    {
        var outcome = Opened().Outcome;
        return outcome.IsCompleted ? Awaited(outcome) : Task.FromResult<AttemptOutcome?>(null);

        static async Task<AttemptOutcome?> Awaited(Task<AttemptOutcome> task) => await task;
    }

    public Task<AttemptReport> ReportAsync() => Task.FromResult(Opened().Report());

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _driver?.Abort("The coordinator's silo is leaving.");
        return Task.CompletedTask;
    }

    private async Task TellJobAsync(CheckpointDriver driver)
    {
        var outcome = await driver.Outcome;
        LogEnded(_job, driver.Attempt, outcome.End, outcome.Cause);
        // Only to be quick: the job's leader, which opened this coordinator, asks by itself, too.
        GrainFactory.GetGrain<IJobLeaderGrain>(PinnedKey.Of(PinnedKey.SiloOf(this.GetPrimaryKeyString()).ToParsableString(), _job)).WakeAsync().Ignore();
    }

    private CheckpointDriver Opened() => _driver ?? throw Unopened();

    private StreamException Unopened()
    {
        if (_driver is null) DeactivateOnIdle();
        return new StreamException($"Coordinator '{this.GetPrimaryKeyString()}' is not open here: its attempt has ended.");
    }

    [LoggerMessage(LogLevel.Debug, "Job {Job}: published checkpoint {Checkpoint} after {DurationMs} ms, {WrittenBytes} bytes written")]
    private partial void LogPublished(string job, CheckpointId checkpoint, long durationMs, long writtenBytes);

    [LoggerMessage(LogLevel.Warning, "Job {Job}: gave up checkpoint {Checkpoint} after {Seconds:0.#} s, without {Missing}")]
    private partial void LogGivenUp(string job, CheckpointId checkpoint, double seconds, string missing);

    [LoggerMessage(LogLevel.Information, "Job {Job}: attempt {Attempt} ended: {End} {Cause}")]
    private partial void LogEnded(string job, Attempt attempt, AttemptEnd end, string? cause);
}

/// <summary>Reaches the subtasks of an attempt by grain calls.</summary>
internal sealed class GrainSubtaskPort(IGrainFactory grains, string job, Attempt attempt) : ISubtaskPort
{
    private readonly Dictionary<SubtaskId, ISubtaskGrain> _subtasks = [];

    public void Begin(SubtaskTable table)
    {
        foreach (var (id, address) in table.Addresses) _subtasks[id] = grains.GetGrain<ISubtaskGrain>(PinnedKey.Subtask(address.Silo, job, attempt, id));
    }

    public Task TriggerAsync(SubtaskId subtask, Barrier barrier) => _subtasks[subtask].TriggerAsync(barrier);

    public Task CommitAsync(SubtaskId subtask, CommitPermit permit) => _subtasks[subtask].CommitAsync(permit);

    public Task<SubtaskReport> HeartbeatAsync(SubtaskId subtask) => _subtasks[subtask].HeartbeatAsync();

    public Task<long> AlignAsync(SubtaskId subtask, long lowestOfOthers) => _subtasks[subtask].AlignAsync(lowestOfOthers);
}

/// <summary>Where a job grain leaves what the coordinator on the same silo needs: plans and manifests stay in this process.</summary>
internal sealed class CoordinatorHandover
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, CoordinatorOpening> _openings = new();

    public void Leave(string key, CoordinatorOpening opening) => _openings[key] = opening;

    public CoordinatorOpening? Take(string key) => _openings.TryRemove(key, out var opening) ? opening : null;
}
