namespace OrleansStream.Tests.Simulation;

/// <summary>Kills, pauses and doubles, at any step, whatever the seed picks.</summary>
internal sealed class Accidents(SimulatedRun run)
{
    private readonly List<Silo> _pausedForLong = [];
    private readonly List<Activation> _pausedActivations = [];

    public int Count { get; private set; }

    public void Strike()
    {
        var silos = run.Silos.Where(static silo => silo is { IsAlive: true, IsPaused: false }).ToList();
        if (silos.Count == 0) return;
        var silo = silos[run.Random.Next(silos.Count)];
        var what = run.Random.Next(12);
        var struck = what switch
        {
            0 or 1 => Subtask(silo, static subtask => subtask.Kill()),
            2 => Subtask(silo, subtask => PauseFor(subtask, run.Random.Next(10, 900))),
            3 => Subtask(silo, static subtask => subtask.Double()),
            4 => Coordinator(silos, static coordinator => coordinator.Kill()),
            5 => Coordinator(silos, coordinator => PauseFor(coordinator, run.Random.Next(2) == 0 ? run.Random.Next(10, 600) : run.Random.Next(600, 4_000_000))),
            6 => Job(silos, static job => job.Kill()),
            7 => Job(silos, job => PauseFor(job, run.Random.Next(2) == 0 ? run.Random.Next(10, 600) : run.Random.Next(600, 4_000_000))),
            8 => Double(silo),
            9 => KillSilo(silo),
            10 => PauseSilo(silo),
            _ => Leave(silos),
        };
        if (!struck) return;
        Count++;
        run.Scheduler.Note(what);
        run.Trace?.Invoke($"{run.Scheduler.Now.TotalMilliseconds:0.00} accident {what} on {silo.Name}");
    }

    /// <summary>What sleeps wakes up, hours later.</summary>
    public void WakeAll()
    {
        foreach (var silo in _pausedForLong) silo.Wake();
        foreach (var activation in _pausedActivations) activation.Actor.Wake();
    }

    private bool Subtask(Silo silo, Action<SubtaskActivation> act) => Any(silo.Subtasks, act);

    private bool Coordinator(List<Silo> silos, Action<CoordinatorActivation> act) => Any(silos.SelectMany(static silo => silo.Coordinators), act);

    private bool Job(List<Silo> silos, Action<JobActivation> act) => Any(silos.SelectMany(static silo => silo.Jobs), act);

    private bool Any<T>(IEnumerable<T> all, Action<T> act)
        where T : Activation
    {
        var candidates = all.Where(static one => !one.Actor.IsPaused).ToList();
        if (candidates.Count == 0) return false;
        act(candidates[run.Random.Next(candidates.Count)]);
        return true;
    }

    private void PauseFor(Activation activation, int milliseconds)
    {
        activation.Actor.Pause();
        _pausedActivations.Add(activation);
        run.Scheduler.After(TimeSpan.FromMilliseconds(milliseconds), activation.Actor.Wake);
    }

    /// <summary>A second job grain for one job.</summary>
    private static bool Double(Silo silo)
    {
        silo.NewJob().Revive();
        return true;
    }

    private bool KillSilo(Silo silo)
    {
        silo.Kill();
        run.Scheduler.After(TimeSpan.FromMilliseconds(run.Random.Next(100)), () => run.Evict(silo));
        run.Scheduler.After(TimeSpan.FromMilliseconds(run.Random.Next(300)), run.AddSilo);
        return true;
    }

    /// <summary>A silo that stops for long is taken for dead by the others; it wakes up and does not know.</summary>
    private bool PauseSilo(Silo silo)
    {
        silo.Pause();
        _pausedForLong.Add(silo);
        var milliseconds = run.Random.Next(2) == 0 ? run.Random.Next(10, 600) : run.Random.Next(600, 4_000_000);
        run.Scheduler.After(TimeSpan.FromMilliseconds(milliseconds), silo.Wake);
        if (milliseconds < 150) return true;
        run.Scheduler.After(TimeSpan.FromMilliseconds(150), () => run.Evict(silo));
        run.Scheduler.After(TimeSpan.FromMilliseconds(150 + run.Random.Next(200)), run.AddSilo);
        return true;
    }

    /// <summary>A job grain is asked to leave, as when its silo shuts down.</summary>
    private bool Leave(List<Silo> silos) => Job(silos, static job => job.Actor.Run(() => _ = job.Driver.LeaveAsync("The silo is leaving.")));
}
