using OrleansStream.Jobs;

namespace OrleansStream.Testing.Simulation;

/// <summary>Kills, pauses and doubles, at any step, whatever the seed picks.</summary>
internal sealed class Fate(SimulatedRun run)
{
    private readonly List<Silo> _pausedForLong = [];
    private readonly List<Activation> _pausedActivations = [];
    private readonly List<SimulatedAccident> _struck = [];

    /// <summary>What has happened.</summary>
    public IReadOnlyList<SimulatedAccident> Struck => _struck;

    public void Strike()
    {
        var silos = run.Silos.Where(static silo => silo is { IsAlive: true, IsPaused: false }).ToList();
        if (silos.Count == 0) return;
        var silo = silos[run.Random.Next(silos.Count)];
        var what = run.Weather.IsCalm ? run.Random.Next(13, 19) : run.Random.Next(20);
        var struck = what switch
        {
            0 or 1 => Subtask(silo, Kill),
            2 => Subtask(silo, subtask => PauseFor(subtask, run.Random.Next(10, 900))),
            3 => Subtask(silo, Double),
            4 => Coordinator(silos, Kill),
            5 => Coordinator(silos, coordinator => PauseFor(coordinator, ShortOrLong())),
            6 => Job(silos, Kill),
            7 => Job(silos, job => PauseFor(job, ShortOrLong())),
            8 => Double(silo),
            9 => KillSilo(silo),
            10 => PauseSilo(silo),
            11 => Leave(silos),
            12 => Stop(silos),
            13 or 14 or 15 or 16 => Rescale(silos),
            17 or 18 => HandOver(silo),
            _ => LeaveSilo(silo),
        };
        if (struck is null) return;
        _struck.Add(new SimulatedAccident(run.Scheduler.Now, struck));
        run.Scheduler.Note(what);
        run.Trace?.Invoke($"accident: {struck}");
    }

    /// <summary>What sleeps wakes up, hours later.</summary>
    public void WakeAll()
    {
        foreach (var silo in _pausedForLong) silo.Wake();
        foreach (var activation in _pausedActivations) activation.Actor.Wake();
    }

    private int ShortOrLong() => run.Random.Next(2) == 0 ? run.Random.Next(10, 600) : run.Random.Next(600, 4_000_000);

    private string? Subtask(Silo silo, Func<SubtaskActivation, string?> act) => Any(silo.Subtasks, act);

    private string? Coordinator(List<Silo> silos, Func<CoordinatorActivation, string?> act) => Any(silos.SelectMany(static silo => silo.Coordinators), act);

    private string? Job(List<Silo> silos, Func<JobActivation, string?> act) => Any(silos.SelectMany(static silo => silo.Jobs), act);

    private string? Any<T>(IEnumerable<T> all, Func<T, string?> act)
        where T : Activation
    {
        var candidates = all.Where(static one => !one.Actor.IsPaused).ToList();
        return candidates.Count == 0 ? null : act(candidates[run.Random.Next(candidates.Count)]);
    }

    private static string Kill(Activation activation)
    {
        activation.Kill();
        return $"{activation.Actor} was killed";
    }

    private string PauseFor(Activation activation, int milliseconds)
    {
        activation.Actor.Pause();
        _pausedActivations.Add(activation);
        run.Scheduler.After(TimeSpan.FromMilliseconds(milliseconds), activation.Actor.Wake);
        return $"{activation.Actor} pauses for {milliseconds} ms";
    }

    private static string Double(SubtaskActivation subtask)
    {
        subtask.Double();
        return $"{subtask.Actor} was activated a second time";
    }

    /// <summary>A second job grain for one job.</summary>
    private static string Double(Silo silo)
    {
        silo.NewJob().Revive();
        return $"a second grain of the job began on {silo.Name}";
    }

    private string KillSilo(Silo silo)
    {
        silo.Kill();
        if (run.Settings.SuspectsSilos)
        {
            foreach (var other in run.Silos.Where(static other => other.IsAlive)) other.Agent.Actor.Run(() => _ = other.Agent.ReadForRecoveryAsync(silo.Name));
        }

        run.Scheduler.After(TimeSpan.FromMilliseconds(run.Random.Next(100)), () => run.Evict(silo));
        run.Scheduler.After(TimeSpan.FromMilliseconds(run.Random.Next(300)), run.AddSilo);
        return $"{silo.Name} was killed";
    }

    /// <summary>A silo that stops for long is taken for dead by the others; it wakes up and does not know.</summary>
    private string PauseSilo(Silo silo)
    {
        silo.Pause();
        _pausedForLong.Add(silo);
        var milliseconds = ShortOrLong();
        run.Scheduler.After(TimeSpan.FromMilliseconds(milliseconds), silo.Wake);
        if (milliseconds < 150) return $"{silo.Name} pauses for {milliseconds} ms";
        run.Scheduler.After(TimeSpan.FromMilliseconds(150), () => run.Evict(silo));
        run.Scheduler.After(TimeSpan.FromMilliseconds(150 + run.Random.Next(200)), run.AddSilo);
        return $"{silo.Name} pauses for {milliseconds} ms, and is taken for dead";
    }

    /// <summary>A job grain is asked to leave, as when its silo shuts down.</summary>
    private string? Leave(List<Silo> silos) => Job(silos, static job =>
    {
        job.Actor.Run(() => _ = job.Driver.LeaveAsync("The silo is leaving."));
        return $"{job.Actor} was asked to leave";
    });

    /// <summary>A person stops the job, and starts it again later.</summary>
    private string? Stop(List<Silo> silos) => Job(silos, static job =>
    {
        job.Actor.Run(() => job.Driver.Stop("maintenance"));
        return $"{job.Actor} was stopped by a person, who starts it again";
    });

    /// <summary>A person asks for another parallelism.</summary>
    private string? Rescale(List<Silo> silos) => Job(silos, job =>
    {
        var parallelism = run.Random.Next(1, Math.Min(SimulatedRun.MostParallelism, run.Job.MaxParallelism) + 1);
        job.Rescale(parallelism);
        return $"{job.Actor} was asked to rescale the job to {parallelism}";
    });

    /// <summary>A silo shuts down with time enough, perhaps, for its jobs to go on elsewhere behind a checkpoint.</summary>
    private string HandOver(Silo silo)
    {
        silo.IsLeaving = true;
        foreach (var other in run.Silos.Where(other => other.IsAlive && other != silo).SelectMany(static other => other.Jobs).ToList())
            run.Scheduler.After(Briefly(), () => other.MoveAway(silo.Name, null));
        foreach (var job in silo.Jobs.ToList())
            job.HandOver(handed => run.Scheduler.After(Briefly(), () => TakeOver(silo, handed)));
        run.Scheduler.After(TimeSpan.FromMilliseconds(run.Random.Next(50, 1500)), () => KillSilo(silo));
        return $"{silo.Name} shuts down and hands over what it has";
    }

    private void TakeOver(Silo from, HandOver handed)
    {
        var silos = run.Silos.Where(silo => silo is { IsAlive: true, IsLeaving: false } && silo != from).ToList();
        if (silos.Count == 0) return;
        var to = silos[run.Random.Next(silos.Count)];
        (to.Jobs is [var job, ..] ? job : to.NewJob()).MoveAway(from.Name, handed);
    }

    private TimeSpan Briefly() => TimeSpan.FromTicks(run.Random.Next(50_000));

    /// <summary>A silo shuts down: what is on it leaves with a word, as far as there is time.</summary>
    private string LeaveSilo(Silo silo)
    {
        foreach (var job in silo.Jobs.ToList()) job.Actor.Run(() => _ = job.Driver.LeaveAsync("The silo is leaving."));
        foreach (var subtask in silo.Subtasks.ToList()) subtask.Actor.Run(() => _ = subtask.Driver?.LeaveAsync("its silo is leaving."));
        run.Scheduler.After(TimeSpan.FromMilliseconds(run.Random.Next(100)), () => KillSilo(silo));
        return $"{silo.Name} shuts down";
    }
}
