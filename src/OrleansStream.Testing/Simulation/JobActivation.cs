using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.Testing.Simulation;

/// <summary>The shell of a <see cref="JobDriver"/> in a simulated silo: does what <see cref="JobLeaderGrain"/> does in a real one.</summary>
internal sealed class JobActivation : Activation
{
    private bool _isReviving;
    private bool _isHandingOver;

    public JobActivation(Silo silo)
        : base(silo, "job")
    {
        var run = silo.Run;
        Driver = new JobDriver(
            SimulatedRun.JobName,
            start => silo.PlanOf(run.Build.ParallelismOf(start, run.NextParallelism())),
            new SimulatedJobPort(silo),
            run.Store,
            run.Settings.Job,
            run.NewRetry(),
            run.NewWriterId,
            run.Scheduler)
        {
            OnMoved = run.OnMoved,
        };
    }

    public JobDriver Driver { get; }

    public bool IsActive => _isReviving || Driver.IsActive;

    /// <summary>Starts the job unless its history says that it has finished: what was stopped or has failed, a person starts again.</summary>
    public void Revive() => Actor.Run(() => _ = ReviveAsync());

    /// <summary>A person asks for another parallelism, again while the job does not run.</summary>
    public void Rescale(int parallelism, int more = 40) => Actor.Run(() =>
    {
        if (Driver.Phase is JobPhase.Starting or JobPhase.Waiting && more > 0)
        {
            Silo.Run.Scheduler.After(TimeSpan.FromMilliseconds(5), () => Rescale(parallelism, more - 1));
            return;
        }

        var answer = Driver.Rescale(parallelism, Silo.Run.Job.MaxParallelism, registered: 0);
        if (answer is { Problem: null, IsAlready: false }) Silo.Run.History.OnRescale(parallelism);
        Silo.Run.Trace?.Invoke($"{Actor}: asked for parallelism {parallelism}: {answer.Problem ?? (answer.IsAlready ? "it has that already" : "so be it")}");
    });

    /// <summary>Another silo leaves; what this one does not know yet of the job may have been handed over from there.</summary>
    public void MoveAway(string silo, HandOver? handed) => Actor.Run(() =>
    {
        _ = Driver.MoveAwayAsync(silo);
        if (IsActive || Silo.IsLeaving) return;
        if (handed?.Start is { } start) _ = BeginAsync(() => Driver.Continue(start, handed));
        else _ = ReviveAsync();
    });

    /// <summary>This silo leaves.</summary>
    public void HandOver(Action<HandOver> next) => Actor.Run(() => _ = HandOverAsync(next));

    private async Task HandOverAsync(Action<HandOver> next)
    {
        _isHandingOver = true;
        var handed = await Driver.HandOverAsync(Silo.Name);
        Kill();
        next(handed);
    }

    private async Task ReviveAsync()
    {
        if (Driver.Phase != JobPhase.Idle || _isReviving || Silo.IsLeaving) return;
        _isReviving = true;
        try
        {
            var history = await HistoryLog.ReadAsync(Silo.Run.Store, SimulatedRun.JobName, Silo.Run.NewRetry(), CancellationToken.None);
            if (Driver.Phase != JobPhase.Idle || Silo.IsLeaving) return;
            if (history.End is Finished)
            {
                Silo.Run.OnJobEnded(JobPhase.Finished, null, 0);
                return;
            }

        }
        catch (StoreException)
        {
            return; // The next revival tries again.
        }
        finally
        {
            _isReviving = false;
        }

        await BeginAsync(() => Driver.Start(new JobStart { Arguments = Silo.Run.Job.Arguments, CheckpointInterval = Silo.Run.Job.CheckpointInterval, Registered = 0 }));
    }

    private async Task BeginAsync(Action begin)
    {
        begin();
        await Driver.Completion;
        Silo.Run.Trace?.Invoke($"{Actor}: {Driver.Phase} {Driver.Cause}");
        Silo.Run.OnJobEnded(Driver.Phase, Driver.Cause, Driver.Failures);
        // As an idle grain does sooner or later; the next call makes another. One that hands its job over has something to say before.
        if (!_isHandingOver) Kill();
    }
}
