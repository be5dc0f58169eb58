using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Testing.Simulation;

/// <summary>What lives on a silo and takes calls, a turn at a time.</summary>
internal abstract class Activation(Silo silo, string name)
{
    public Silo Silo => silo;

    public Actor Actor { get; } = silo.Run.Scheduler.NewActor($"{name} on {silo.Name}");

    public bool IsAlive => !Actor.IsDead;

    /// <summary>Ends it between two turns, without a word.</summary>
    public void Kill()
    {
        Actor.Kill();
        silo.Forget(this);
    }
}

/// <summary>One silo, from its start to its death; a restarted one is another.</summary>
internal sealed class Silo(SimulatedRun run, string name)
{
    private readonly SortedDictionary<string, List<SubtaskActivation>> _subtasks = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, CoordinatorActivation> _coordinators = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CoordinatorOpening> _handover = [];
    private readonly List<JobActivation> _jobs = [];
    private readonly Dictionary<int, JobPlan> _plans = [];
    private readonly AgentActivation[] _agent = new AgentActivation[1];

    public SimulatedRun Run => run;

    public string Name => name;

    public bool IsAlive { get; private set; } = true;

    /// <summary>The tables that the next attempt may begin with; gone with the silo.</summary>
    public KeptTables Kept { get; } = new(run.Scheduler);

    /// <summary>The tables that were read ahead for the next attempt; gone with the silo.</summary>
    public TablesAhead Ahead { get; } = new(run.Scheduler);

    public bool IsPaused { get; private set; }

    /// <summary>Whether it shuts down: no job begins to be led from here any more.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>What functions on this silo ask for: of its own, and gone with it.</summary>
    public IServiceProvider Services => field ??= run.Job.NewServices();

    public IEnumerable<SubtaskActivation> Subtasks => _subtasks.Values.SelectMany(static same => same);

    /// <summary>The newest attempt that has something started here.</summary>
    public RunningAttempt? Running => Subtasks.Select(static subtask => subtask.Running).OfType<RunningAttempt>().MaxBy(static running => running.Opening.Attempt);

    public IEnumerable<CoordinatorActivation> Coordinators => _coordinators.Values;

    public IReadOnlyList<JobActivation> Jobs => _jobs;

    public AgentActivation Agent => _agent[0] ??= new AgentActivation(this);

    /// <summary>The job as this silo defines it.</summary>
    public JobPlan PlanOf(int parallelism)
    {
        if (!_plans.TryGetValue(parallelism, out var plan)) _plans[parallelism] = plan = run.Job.NewPlan(parallelism, Services);
        return plan;
    }

    /// <summary>The stage of a subtask, as this silo defines it.</summary>
    public PlannedStage StageOf(SubtaskOpening opening)
    {
        var plan = PlanOf(opening.Parallelism);
        if (plan.Fingerprint == opening.Fingerprint) return plan.Stages[opening.Id.Stage];
        throw new JobRefusedException($"The job defines another graph on {Name} than where it was started: every silo must define the same from the same arguments.");
    }

    /// <summary>The activation of a subtask; when there are two, either. Made when it is called, as Orleans does.</summary>
    public SubtaskActivation Subtask(Attempt attempt, SubtaskId id)
    {
        var key = $"{attempt}/{id}";
        if (!_subtasks.TryGetValue(key, out var same)) _subtasks[key] = same = [];
        if (same.Count == 0) same.Add(new SubtaskActivation(this, key));
        return same.Count == 1 ? same[0] : same[run.Random.Next(same.Count)];
    }

    /// <summary>Makes a second activation of a subtask.</summary>
    public SubtaskActivation Double(SubtaskActivation one)
    {
        var twin = new SubtaskActivation(this, one.Key);
        if (!_subtasks.TryGetValue(one.Key, out var same)) _subtasks[one.Key] = same = [];
        same.Add(twin);
        return twin;
    }

    public CoordinatorActivation Coordinator(Attempt attempt)
    {
        var key = $"coordinator {attempt}";
        if (!_coordinators.TryGetValue(key, out var there)) _coordinators[key] = there = new CoordinatorActivation(this, key);
        return there;
    }

    public JobActivation NewJob()
    {
        var job = new JobActivation(this);
        _jobs.Add(job);
        return job;
    }

    public void Leave(string key, CoordinatorOpening opening) => _handover[key] = opening;

    public CoordinatorOpening? Take(string key) => _handover.Remove(key, out var opening) ? opening : null;

    public void Forget(Activation activation)
    {
        switch (activation)
        {
            case SubtaskActivation subtask when _subtasks.TryGetValue(subtask.Key, out var same):
                same.Remove(subtask);
                if (same.Count == 0) _subtasks.Remove(subtask.Key);
                break;
            case CoordinatorActivation coordinator:
                if (_coordinators.GetValueOrDefault(coordinator.Key) == coordinator) _coordinators.Remove(coordinator.Key);
                break;
            case JobActivation job:
                _jobs.Remove(job);
                break;
        }
    }

    public IEnumerable<Activation> All() => [.. Subtasks, .. Coordinators, .. _jobs, Agent];

    public void Kill()
    {
        foreach (var activation in All()) activation.Kill();
        IsAlive = false;
    }

    public void Pause()
    {
        IsPaused = true;
        foreach (var activation in All()) activation.Actor.Pause();
    }

    public void Wake()
    {
        IsPaused = false;
        foreach (var activation in All()) activation.Actor.Wake();
    }

    /// <summary>Ends what is open here of attempts before one, as the silo's list of open subtasks lets the engine do.</summary>
    public async Task EndOlderAsync(Attempt before)
    {
        Ahead.Begun(SimulatedRun.JobName, before);
        var older = Subtasks.Where(subtask => subtask.IsOpen && subtask.Attempt.CompareTo(before) < 0).ToList();
        await Task.WhenAll(older.Select(subtask => run.Network.CallAsync(
            this,
            Name,
            Network.LongTimeout,
            _ => subtask,
            static async one =>
            {
                await one.EndAsync();
                return true;
            })));
    }
}

/// <summary>The agent of a silo: does what <see cref="SiloGrain"/> does in a real one.</summary>
internal sealed class AgentActivation(Silo silo) : Activation(silo, "agent")
{
    public async Task<int> ReadAheadAsync(IReadOnlyList<SubtaskOpening> coming)
    {
        var read = 0;
        foreach (var opening in coming)
        {
            try
            {
                var stage = Silo.StageOf(opening);
                var context = SubtaskContext.Of(opening, stage, Silo.Run.NewIncarnation(), Silo.Services, TestSerializers.OfState);
                if (await Subtask.ReadAheadAsync(stage, context, Silo.Ahead, Silo.Run.Store, SubtaskDriver.Chains(opening))) read++;
            }
            catch (Exception error) when (error is StreamException or OperationCanceledException)
            {
                // It is read when it comes.
            }
        }

        return read;
    }

    /// <summary>As <see cref="ReadingAhead"/> does when another silo seems to have gone.</summary>
    public async Task ReadForRecoveryAsync(string gone)
    {
        try
        {
            if (Silo.Running is not { } running || !running.Needs(gone)) return;
            IReadOnlyList<string> left = [.. Silo.Run.Members.Where(silo => silo != gone)];
            var plan = Silo.PlanOf(running.Opening.Parallelism);
            await ReadAheadAsync(await Foresight.ComingAsync(running, plan, Silo.Name, left, Silo.Run.Store, Silo.Run.NewRetry(), CancellationToken.None));
        }
        catch (Exception error) when (error is StreamException or OperationCanceledException)
        {
            // As above.
        }
    }
}
