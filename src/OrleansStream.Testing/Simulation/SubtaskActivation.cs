using OrleansStream.Checkpoints;
using OrleansStream.Exchange;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Stages;
using Barrier = OrleansStream.Exchange.Barrier;

namespace OrleansStream.Testing.Simulation;

/// <summary>The shell of a <see cref="SubtaskDriver"/> in a simulated silo: does what <see cref="SubtaskGrain"/> does in a real one.</summary>
internal sealed class SubtaskActivation(Silo silo, string key) : Activation(silo, $"subtask {key}")
{
    private SubtaskOpening? _opening;
    private SimulatedSubtaskNetwork? _network;
    private SimulatedCoordinatorPort? _coordinator;

    public string Key => key;

    public SubtaskDriver? Driver { get; private set; }

    public bool IsOpen => Driver is not null;

    /// <summary>The attempt that it was started for.</summary>
    public RunningAttempt? Running { get; private set; }

    public bool IsStarted => Running is not null;

    public Attempt Attempt => _opening!.Attempt;

    public async Task<SubtaskOpened> OpenAsync(SubtaskOpening opening)
    {
        if (_opening is not null) return new SubtaskOpened(default, $"Subtask {opening.Id} of attempt {opening.Attempt} was opened before.");
        _opening = opening;
        try
        {
            await Silo.EndOlderAsync(opening.Attempt);
            var incarnation = Silo.Run.NewIncarnation();
            Driver = await MakeAsync(opening, incarnation);
            _ = LeaveWhenEndedAsync(Driver);
            return new SubtaskOpened(incarnation);
        }
        catch (Exception error)
        {
            Silo.Forget(this);
            var problem = error is StreamException ? error.Message : $"Subtask {opening.Id}: opening failed with {error.GetType().Name}: {error.Message}";
            return new SubtaskOpened(default, problem, error is StreamException { IsPermanent: true }, (error as DamagedObjectException)?.ObjectName);
        }
    }

    public Task<bool> StartAsync(SubtaskTable table, string coordinatorSilo)
    {
        var driver = Opened();
        Silo.Kept.LetGo(_opening!.Job, _opening.Attempt);
        Silo.Ahead.LetGo(_opening.Job, _opening.Attempt);
        Running = new RunningAttempt(_opening, table, coordinatorSilo);
        _network!.Begin(table);
        _coordinator!.Begin(coordinatorSilo);
        driver.Start(table);
        return Task.FromResult(true);
    }

    public Task<PostReply> PostAsync(Envelope envelope) => Task.FromResult(Opened().Post(envelope));

    public Task<bool> CreditAsync(Credit credit)
    {
        Opened().Credit(credit);
        return Task.FromResult(true);
    }

    public Task<bool> TriggerAsync(Barrier barrier)
    {
        Opened().Trigger(barrier);
        return Task.FromResult(true);
    }

    public async Task<bool> CommitAsync(CommitPermit permit)
    {
        await Opened().CommitAsync(permit);
        return true;
    }

    public Task<SubtaskReport> HeartbeatAsync() => Task.FromResult(Opened().Heartbeat());

    public Task<long> AlignAsync(long lowestOfOthers) =>
        Task.FromResult(Opened().Align(Silo.Run.Build.Aligning(lowestOfOthers)));

    public Task EndAsync() => Driver?.EndAsync() ?? Task.CompletedTask;

    /// <summary>Opens and starts a second activation of this subtask, as this one was.</summary>
    public void Double()
    {
        if (Running is not { } running || !IsAlive) return;
        var twin = Silo.Double(this);
        twin.Actor.Run(() => _ = BeginAsync());

        async Task BeginAsync()
        {
            if ((await twin.OpenAsync(running.Opening)).Problem is null) await twin.StartAsync(running.Table, running.Leader);
        }
    }

    private async Task<SubtaskDriver> MakeAsync(SubtaskOpening opening, Incarnation incarnation)
    {
        var run = Silo.Run;
        var stage = Silo.StageOf(opening);
        var subtask = await Subtask.RestoredAsync(
            stage,
            passedOn => SubtaskContext.Of(opening, stage, incarnation, Silo.Services, TestSerializers.OfState, passedOn),
            Silo.Kept,
            Silo.Ahead,
            run.Store,
            SubtaskDriver.Chains(opening),
            CancellationToken.None);
        run.Build.Restored(subtask.Context);
        _network = new SimulatedSubtaskNetwork(this, opening.Attempt);
        _coordinator = new SimulatedCoordinatorPort(Silo, opening.Attempt, opening.Id);
        var writer = new SnapshotWriter(run.Store, run.Offload, run.NewRetry(), run.Settings.PieceBytes);
        var driver = new SubtaskDriver(subtask, _network, _coordinator, writer, new YieldingTurn(), run.Scheduler, run.Settings.Subtask)
        {
            OnLeft = (segment, state) => Silo.Kept.Keep(opening.Job, segment, state),
        };
        await driver.OpenAsync(CancellationToken.None);
        return driver;
    }

    private async Task LeaveWhenEndedAsync(SubtaskDriver driver)
    {
        await driver.Completion;
        Silo.Run.Trace?.Invoke($"{Actor} ended: {driver.Failure?.Cause}");
        Silo.Forget(this);
    }

    public SubtaskDriver Opened()
    {
        if (Driver is { } driver) return driver;
        if (_opening is null) Silo.Forget(this);
        throw new GoneException($"'{Actor}' is not open here: its attempt has ended, or its silo began anew.");
    }
}

/// <summary>The scheduler is fair by itself, or as unfair as its seed says.</summary>
internal sealed class YieldingTurn : ITurn
{
    public async ValueTask NextAsync() => await Task.Yield();
}
