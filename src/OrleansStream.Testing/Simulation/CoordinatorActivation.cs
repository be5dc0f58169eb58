using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Testing.Simulation;

/// <summary>The shell of a <see cref="CheckpointDriver"/> in a simulated silo: does what <see cref="CheckpointGrain"/> does in a real one.</summary>
internal sealed class CoordinatorActivation(Silo silo, string key) : Activation(silo, $"{key}")
{
    private SimulatedSubtaskPort? _subtasks;

    public string Key => key;

    public CheckpointDriver? Driver { get; private set; }

    public async Task<bool> OpenAsync()
    {
        var opening = Silo.Take(key) ?? throw Unopened();
        var run = Silo.Run;
        _subtasks = new SimulatedSubtaskPort(Silo, opening.Started.Attempt);
        Driver = await CheckpointDriver.OpenAsync(opening, run.Store, _subtasks, run.NewRetry(), run.Scheduler, run.Settings.Coordinator, CancellationToken.None);
        if (Driver is null)
        {
            Silo.Forget(this);
            return false;
        }

        Driver.OnGivenUp = run.Stalls.OnGivenUp;
        _ = TellJobAsync(Driver);
        return true;
    }

    public Task<bool> BeginAsync(SubtaskTable table)
    {
        var driver = Opened();
        _subtasks!.Begin(table);
        driver.Begin(table);
        return Task.FromResult(true);
    }

    public Task<bool> ReceiptAsync(Receipt receipt) => Task.FromResult(Driver?.Receipt(receipt) ?? false);

    public Task<bool> EndedAsync(SubtaskId subtask, Incarnation incarnation) => Task.FromResult(Driver?.Ended(subtask, incarnation) ?? false);

    public Task<bool> FailedAsync(SubtaskFailure failure) => Task.FromResult(Driver?.Failed(failure) ?? false);

    public Task<bool> StopAsync(string reason)
    {
        Opened().Stop(reason);
        return Task.FromResult(true);
    }

    public Task<bool> KeepChainAsync()
    {
        Opened().KeepChain();
        return Task.FromResult(true);
    }

    public Task<bool> MoveAsync(PlannedMove move)
    {
        Opened().Move(move);
        return Task.FromResult(true);
    }

    public Task<bool> AbortAsync(string cause)
    {
        Driver?.Abort(cause);
        Silo.Forget(this);
        return Task.FromResult(true);
    }

    public Task<AttemptOutcome?> OutcomeAsync()
    {
        var outcome = Opened().Outcome;
        return outcome.IsCompleted ? Awaited(outcome) : Task.FromResult<AttemptOutcome?>(null);

        static async Task<AttemptOutcome?> Awaited(Task<AttemptOutcome> task) => await task;
    }

    public Task<AttemptReport> ReportAsync() => Task.FromResult(Opened().Report());

    private async Task TellJobAsync(CheckpointDriver driver)
    {
        var outcome = await driver.Outcome;
        Silo.Run.Trace?.Invoke($"{Actor} ended: {outcome.End} {outcome.Cause}");
        foreach (var job in Silo.Jobs) job.Actor.Run(job.Driver.Wake);
    }

    private CheckpointDriver Opened() => Driver ?? throw Unopened();

    private StreamException Unopened()
    {
        if (Driver is null) Silo.Forget(this);
        return new StreamException($"'{Actor}' is not open here: its attempt has ended.");
    }
}
