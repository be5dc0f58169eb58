using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using OrleansStream.Checkpoints;
using OrleansStream.Exchange;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.State;

namespace OrleansStream.Stages;

/// <summary>The shell of a <see cref="SubtaskDriver"/>. An activation that was never opened refuses every call and leaves.</summary>
[Reentrant, KeepAlive, PinnedPlacement]
internal sealed partial class SubtaskGrain(
    SiloSubtasks subtasks, KeptTables kept, TablesAhead ahead, Rehearsals rehearsals, JobRegistry jobs, StreamServices services, ILogger<SubtaskGrain> logger) : Grain, ISubtaskGrain
{
    private readonly ILogger _logger = logger;
    /// <summary>How long older attempts may take to end here before the opening is given up.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(20);

    private SubtaskOpening? _opening;
    private SubtaskDriver? _driver;
    private GrainSubtaskNetwork? _network;
    private GrainCoordinatorPort? _coordinator;

    public async Task<SubtaskOpened> OpenAsync(SubtaskOpening opening)
    {
        if (_opening is not null) return new SubtaskOpened(default, $"Subtask {opening.Id} of attempt {opening.Attempt} of job '{opening.Job}' was opened before.");
        _opening = opening;
        try
        {
            ahead.Begun(opening.Job, opening.Attempt);
            await subtasks.EndOlderAsync(opening.Job, opening.Attempt).WaitAsync(EndPatience, services.Time);
            var incarnation = StreamServices.NewIncarnation();
            _driver = await MakeOrRescueAsync(opening, incarnation);
            subtasks.Add(opening.Job, opening.Attempt, opening.Id, this.AsReference<ISubtaskGrain>());
            _ = LeaveWhenEndedAsync(_driver);
            LogOpened(opening.Job, opening.Attempt, opening.Id, incarnation);
            return new SubtaskOpened(incarnation);
        }
        catch (Exception error)
        {
            DeactivateOnIdle();
            var problem = error is StreamException ? error.Message : $"Job '{opening.Job}', subtask {opening.Id}: opening failed with {error.GetType().Name}: {error.Message}";
            return new SubtaskOpened(default, problem, error is StreamException { IsPermanent: true }, (error as DamagedObjectException)?.ObjectName);
        }
    }

    public Task StartAsync(SubtaskTable table, string coordinatorSilo)
    {
        var driver = Opened();
        kept.LetGo(_opening!.Job, _opening.Attempt);
        ahead.LetGo(_opening.Job, _opening.Attempt);
        _network!.Begin(table);
        _coordinator!.Begin(coordinatorSilo);
        driver.Start(table);
        subtasks.Started(new RunningAttempt(_opening, table, coordinatorSilo));
        return Task.CompletedTask;
    }

    public ValueTask<PostReply> PostAsync(Envelope envelope) => new(Opened().Post(envelope));

    public ValueTask CreditAsync(Credit credit)
    {
        Opened().Credit(credit);
        return ValueTask.CompletedTask;
    }

    public Task TriggerAsync(Barrier barrier)
    {
        Opened().Trigger(barrier);
        return Task.CompletedTask;
    }

    public async Task CommitAsync(CommitPermit permit)
    {
        var driver = Opened();
        await driver.CommitAsync(permit);
        // A subtask that was restored has shown that it can be.
        if (_opening!.Former.Count == 0 && driver.FirstWritten is { } segment && segment.Checkpoint == permit.Checkpoint) rehearsals.Begin(_opening, driver.Subtask.Context.Groups, segment);
    }

    public Task<SubtaskReport> HeartbeatAsync()
    {
        var report = Opened().Heartbeat();
        services.Metrics.Note(_opening!.Job, Opened().Subtask.Context.Stage, report);
        return Task.FromResult(report);
    }

    public Task<long> AlignAsync(long lowestOfOthers) => Task.FromResult(Opened().Align(lowestOfOthers));

    public Task LeaveAsync(string cause) => _driver?.LeaveAsync(cause) ?? Task.CompletedTask;

    public Task EndAsync() => _driver?.EndAsync() ?? Task.CompletedTask;

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_opening is { } opening) subtasks.Remove(opening.Job, opening.Attempt, opening.Id);
        if (_driver is { } driver) await driver.EndAsync().WaitAsync(TimeSpan.FromSeconds(3), services.Time, CancellationToken.None).ContinueWith(static _ => { }, TaskScheduler.Current);
    }

    /// <summary>Makes the subtask, and makes it anew with each segment that the store has lost and a silo has kept: a damaged one may have been restored in part.</summary>
    private async Task<SubtaskDriver> MakeOrRescueAsync(SubtaskOpening opening, Incarnation incarnation)
    {
        var rescued = new HashSet<string>(StringComparer.Ordinal);
        while (true)
        {
            try
            {
                return await MakeAsync(opening, incarnation);
            }
            catch (DamagedObjectException damaged) when (services.SegmentStore is INearSegments && rescued.Add(damaged.ObjectName))
            {
                var segment = SubtaskDriver.Chains(opening).SelectMany(static chain => chain.Segments).FirstOrDefault(segment => segment.Name == damaged.ObjectName);
                if (segment is null || !await ((INearSegments)services.SegmentStore).RescueAsync(segment, CancellationToken.None)) throw;
            }
        }
    }

    private async Task<SubtaskDriver> MakeAsync(SubtaskOpening opening, Incarnation incarnation)
    {
        var stage = jobs.StageOf(opening);
        var subtask = await Subtask.RestoredAsync(
            stage,
            passedOn => SubtaskContext.Of(opening, stage, incarnation, ServiceProvider, services.Serializers, passedOn),
            kept,
            ahead,
            services.SegmentStore,
            SubtaskDriver.Chains(opening),
            CancellationToken.None);
        _network = new GrainSubtaskNetwork(GrainFactory, opening.Job, opening.Attempt, opening.Id);
        _coordinator = new GrainCoordinatorPort(GrainFactory, opening.Job, opening.Attempt);
        var driver = new SubtaskDriver(subtask, _network, _coordinator, services.NewSnapshotWriter(), new ThreadPoolTurn(), services.Time, services.SubtaskTimings)
        {
            OnLeft = (segment, state) => kept.Keep(opening.Job, segment, state),
        };
        await driver.OpenAsync(CancellationToken.None);
        return driver;
    }

    private async Task LeaveWhenEndedAsync(SubtaskDriver driver)
    {
        await driver.Completion;
        services.Metrics.Forget(_opening!.Job, _opening.Id, driver.Subtask.Context.Incarnation);
        DeactivateOnIdle();
        if (driver.Failure is not { } failure) return;
        if (await driver.IsFailureNews) LogFailed(_opening!.Job, _opening.Attempt, failure.Subtask, failure.Cause);
        else LogEndedAfter(_opening!.Job, _opening.Attempt, failure.Subtask, failure.Cause);
    }

    private SubtaskDriver Opened()
    {
        if (_driver is { } driver) return driver;
        if (_opening is null) DeactivateOnIdle();
        throw new GoneException($"'{this.GetPrimaryKeyString()}' is not open here: its attempt has ended, or its silo began anew.");
    }

    [LoggerMessage(LogLevel.Debug, "Job {Job}, attempt {Attempt}: opened subtask {Subtask} as {Incarnation}")]
    private partial void LogOpened(string job, Attempt attempt, SubtaskId subtask, Incarnation incarnation);

    [LoggerMessage(LogLevel.Warning, "Job {Job}, attempt {Attempt}: subtask {Subtask} failed: {Cause}")]
    private partial void LogFailed(string job, Attempt attempt, SubtaskId subtask, string cause);

    [LoggerMessage(LogLevel.Debug, "Job {Job}, attempt {Attempt}: subtask {Subtask} ended behind its attempt: {Cause}")]
    private partial void LogEndedAfter(string job, Attempt attempt, SubtaskId subtask, string cause);
}
