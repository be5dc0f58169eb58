using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.Testing.Simulation;

/// <summary>The shell of a <see cref="JobDriver"/> in a simulated silo: does what <see cref="JobGrain"/> does in a real one.</summary>
internal sealed class JobActivation : Activation
{
    private bool _isReviving;

    public JobActivation(Silo silo)
        : base(silo, "job")
    {
        var run = silo.Run;
        Driver = new JobDriver(
            SimulatedRun.JobName,
            _ => silo.PlanOf(run.NextParallelism()),
            new SimulatedJobPort(silo),
            run.Store,
            run.Settings.Job,
            run.NewRetry(),
            run.NewWriterId,
            run.Scheduler);
    }

    public JobDriver Driver { get; }

    public bool IsActive => _isReviving || Driver.IsActive;

    /// <summary>Starts the job unless its history says that it has finished: what was stopped or has failed, a person starts again.</summary>
    public void Revive() => Actor.Run(() => _ = ReviveAsync());

    private async Task ReviveAsync()
    {
        if (Driver.Phase != JobPhase.Idle || _isReviving) return;
        _isReviving = true;
        try
        {
            var history = await HistoryLog.ReadAsync(Silo.Run.Store, SimulatedRun.JobName, Silo.Run.NewRetry(), CancellationToken.None);
            if (Driver.Phase != JobPhase.Idle) return;
            if (history.End is Finished)
            {
                Silo.Run.OnJobEnded(JobPhase.Finished, null, 0);
                return;
            }

            Driver.Start(new JobStart { Arguments = Silo.Run.Job.Arguments, CheckpointInterval = Silo.Run.Job.CheckpointInterval });
        }
        catch (StoreException)
        {
            return; // The next revival tries again.
        }
        finally
        {
            _isReviving = false;
        }

        await Driver.Completion;
        Silo.Run.Trace?.Invoke($"{Actor}: {Driver.Phase} {Driver.Cause}");
        Silo.Run.OnJobEnded(Driver.Phase, Driver.Cause, Driver.Failures);
        // As an idle grain does sooner or later; the next call makes another.
        Kill();
    }
}
