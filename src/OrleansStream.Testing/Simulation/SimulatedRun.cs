using System.Globalization;
using System.Runtime.ExceptionServices;
using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Testing.Simulation;

/// <summary>What a checker found.</summary>
internal sealed record Violation(string Checker, string Message);

/// <summary>
/// One seed: a cluster, a job, a store, sinks and faults, from the first start to the end of the job and a good while beyond, when whatever slept has woken up. The run
/// stops at the first violation.
/// </summary>
internal sealed class SimulatedRun
{
    public const string JobName = "job";
    public const int MostParallelism = 4;
    private const long MostSteps = 3_000_000;

    [ThreadStatic]
    private static SimulatedRun? _current;

    private readonly List<Silo> _silos = [];
    private readonly List<string> _members = [];
    private readonly Fate _fate;
    private int _hotSteps;
    private bool _isFinished;

    static SimulatedRun() => AppDomain.CurrentDomain.FirstChanceException += static (_, thrown) => _current?.OnThrown(thrown);

    public SimulatedRun(int seed, Accidents accidents, EngineBuild? build = null, Action<string>? trace = null)
    {
        Seed = seed;
        Build = build ?? EngineBuild.AsItIs;
        Scheduler = new Scheduler(seed);
        if (trace is not null) Trace = line => trace(string.Create(CultureInfo.InvariantCulture, $"{Scheduler.Now.TotalMilliseconds,10:0.00} ms  {line}"));
        Settings = new Settings(Random);
        Weather = new Weather(Random, accidents);
        Outside = new Outside(this);
        Store = new SimulatedStore(this);
        Network = new Network(this);
        _fate = new Fate(this);
        History = new HistoryChecker(this);
        Stalls = new StallChecker(this);
    }

    public int Seed { get; }

    public EngineBuild Build { get; }

    public Scheduler Scheduler { get; }

    public Random Random => Scheduler.Random;

    public Settings Settings { get; }

    public Weather Weather { get; }

    public Outside Outside { get; }

    public SimulatedStore Store { get; }

    public Network Network { get; }

    public HistoryChecker History { get; }

    public StallChecker Stalls { get; }

    public SimulatedJob Job { get; private set; } = null!;

    /// <summary>How long the job may take to its end once nothing goes wrong any more.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    public IOffload Offload => field ??= new SimulatedOffload(this);

    /// <summary>The parallelism of all attempts; null when each has its own, or the job was asked to have another.</summary>
    public int? FixedParallelism { get; set; }

    /// <summary>Hears of what happens, for people who follow one seed.</summary>
    public Action<string>? Trace { get; }

    public Violation? Violation { get; private set; }

    public IReadOnlyList<Silo> Silos => _silos;

    /// <summary>The silos that the cluster counts as living.</summary>
    public IReadOnlyList<string> Members => [.. _members];

    public int Publications => History.Publications;

    public int Attempts => History.Attempts;

    public int Restores => History.Restores;

    /// <summary>How many subtasks began with the tables of the attempt before.</summary>
    public int TablesKept => _silos.Sum(static silo => silo.Kept.Taken);

    /// <summary>How many subtasks began with tables that were read ahead.</summary>
    public int TablesAhead => _silos.Sum(static silo => silo.Ahead.Taken);

    /// <summary>How many planned moves came to run.</summary>
    public int Moves { get; private set; }

    public IReadOnlyList<SimulatedAccident> Accidents => _fate.Struck;

    /// <summary>Gives the cluster its job and its silos; then it can be run.</summary>
    public void Begin(SimulatedJob job, int? parallelism, int silos)
    {
        Job = job;
        FixedParallelism = parallelism;
        for (var i = 0; i < silos; i++) AddSilo();
    }

    /// <summary>Runs to the end or the first violation.</summary>
    public void Execute()
    {
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        _current = this;
        try
        {
            Supervise();
            RunWhile(() => !_isFinished, limit: () => Weather.EndsAt + Patience);
            if (Violation is null && !_isFinished) Violate("liveness", $"the job has not ended {Patience.TotalSeconds} s after the last fault{Causes()}");
            CheckOutput();
            Afterwards();
            CheckOutput();
        }
        catch (Exception error) when (Violation is null)
        {
            Violate("simulation", error.ToString());
        }
        finally
        {
            _current = null;
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    public void Violate(string checker, string message)
    {
        if (Violation is not null) return;
        Violation = new Violation(checker, message);
        Trace?.Invoke($"VIOLATION {checker}: {message}");
    }

    /// <summary>Something was just written or committed: now an accident is worth most.</summary>
    public void Hot() => _hotSteps = 20;

    public Silo Silo(string name) => _silos.Find(silo => silo.Name == name)!;

    public void AddSilo()
    {
        var silo = new Silo(this, $"silo-{_silos.Count + 1}");
        _silos.Add(silo);
        _members.Add(silo.Name);
    }

    public void Evict(Silo silo) => _members.Remove(silo.Name);

    public int NextParallelism() => FixedParallelism ?? Random.Next(1, Math.Min(MostParallelism, Job.MaxParallelism) + 1);

    public Incarnation NewIncarnation() => new(Random.NextInt64(1, long.MaxValue));

    public string NewWriterId() => Random.NextInt64().ToString("x16");

    public RetryRule NewRetry() => new(Scheduler, new Random(Random.Next()))
    {
        Limit = 4,
        FirstDelay = TimeSpan.FromMilliseconds(3),
        LongestDelay = TimeSpan.FromMilliseconds(20),
    };

    /// <summary>The newest opening of a subtask that is started, of whatever attempt.</summary>
    public SubtaskActivation? NewestOf(SubtaskId id) => _silos
        .Where(static silo => silo.IsAlive)
        .SelectMany(static silo => silo.Subtasks)
        .Where(subtask => subtask is { IsStarted: true, Driver: { } driver } && driver.Id == id)
        .MaxBy(static subtask => subtask.Attempt);

    public bool IsJob(Actor? actor) => actor is not null && _silos.Exists(silo => silo.Jobs.Any(job => job.Actor == actor));

    public void OnMoved(MoveStatus move)
    {
        Moves++;
        Trace?.Invoke($"{move.Reason}: attempt {move.Attempt} runs after {move.Pause.TotalMilliseconds:0.00} ms");
    }

    public void OnJobEnded(JobPhase phase, string? cause, int failures)
    {
        if (phase == JobPhase.Finished) _isFinished = true;
        if (phase == JobPhase.Failed && failures <= Settings.MostFailures) Violate("job", $"the job failed for good: {cause}");
    }

    /// <summary>As the hosted service of every silo does: revives the job when nobody runs it.</summary>
    private void Supervise()
    {
        if (_isFinished) return;
        Scheduler.After(TimeSpan.FromMilliseconds(100), Supervise);
        Stalls.Look();
        var living = _silos.Where(silo => silo is { IsAlive: true, IsPaused: false, IsLeaving: false } && _members.Contains(silo.Name)).ToList();
        if (living.Count == 0 || living.Exists(static silo => silo.Jobs.Any(static job => job.IsActive && !job.Actor.IsPaused))) return;
        living[Random.Next(living.Count)].NewJob().Revive();
    }

    /// <summary>Goes on when the job has finished: nothing that was late, lost or asleep may change anything.</summary>
    private void Afterwards()
    {
        if (Violation is not null) return;
        Weather.IsOver = true;
        _fate.WakeAll();
        var until = Scheduler.Now + TimeSpan.FromSeconds(8);
        RunWhile(static () => true, () => until);
        if (Violation is not null) return;
        var open = _silos.Where(static silo => silo.IsAlive).SelectMany(static silo => silo.Subtasks).Where(static subtask => subtask.IsOpen).ToList();
        if (open.Count > 0) Violate("leftovers", $"{open.Count} subtasks are still open though the job has finished: {open[0].Actor}, {(open[0].IsStarted ? "started" : "never started")}");
    }

    private void RunWhile(Func<bool> wanted, Func<TimeSpan> limit)
    {
        while (Violation is null && wanted() && Scheduler.Now < limit())
        {
            if (Scheduler.Now >= Weather.EndsAt) Weather.IsOver = true;
            if (Weather.StrikesLeft > 0 && Weather.Chance(_hotSteps > 0 ? Weather.HotStrikeRate : Weather.StrikeRate))
            {
                Weather.StrikesLeft--;
                _fate.Strike();
            }

            if (_hotSteps > 0) _hotSteps--;
            if (!Scheduler.Step()) return;
            if (Scheduler.Escaped is { } actor) Violate("escape", $"a continuation of {actor} came from another thread: it awaits what is not simulated");
            if (Scheduler.Steps > MostSteps) Violate("liveness", $"the run took more than {MostSteps} steps: a run over hours of virtual time needs longer checkpoint intervals, one that reads much fewer records");
        }
    }

    /// <summary>What the job's own grains say of the attempts that ended.</summary>
    private string Causes() => string.Concat(_silos
        .Where(static silo => silo.IsAlive)
        .SelectMany(static silo => silo.Jobs)
        .Select(static job => job.Driver.Cause)
        .Where(static cause => cause is not null)
        .Distinct()
        .Select(static cause => $"; its attempts end with: {cause}"));

    private void CheckOutput()
    {
        if (Violation is null && Job.ProblemOfOutput() is { } problem) Violate("output", problem);
        foreach (var target in Job.Targets.Values)
        {
            if (Violation is null && target.Finished != target.Commits) Violate("output", $"sink '{target.Name}' was finished with {target.Finished} outputs, and {target.Commits} are visible");
        }
    }

    /// <summary>What the engine throws at itself is a violation wherever it is caught.</summary>
    private void OnThrown(FirstChanceExceptionEventArgs thrown)
    {
        if (Job.IsFault(thrown.Exception))
            Violate("invariant", thrown.Exception.GetType().Name + ": " + thrown.Exception.Message + "\n" + Environment.StackTrace);
    }

    public override string ToString() =>
        $"Seed {Seed}: {Job.Title}, parallelism {FixedParallelism?.ToString() ?? "changing"}, {Attempts} attempts, {Restores} restores, {Publications} checkpoints, {Moves} moves, {Accidents.Count} accidents, "
        + $"{Scheduler.Steps} steps, {Scheduler.Now.TotalMilliseconds:0} ms: {(Violation is { } found ? $"{found.Checker}: {found.Message}" : "well")}";

    private sealed class SimulatedOffload(SimulatedRun run) : IOffload
    {
        public Task<T> RunAsync<T>(Func<T> work) =>
            run.Outside.CallAsync("encode", work, 0, static message => new StreamException(message), CancellationToken.None);
    }
}
