using System.Globalization;

namespace OrleansStream.Testing.Simulation;

/// <summary>How a simulated run of a job ended, what came out of it, and what happened on the way.</summary>
public sealed class SimulationOutcome
{
    private readonly IReadOnlyDictionary<string, SimulatedTarget> _targets;

    internal SimulationOutcome(SimulatedRun run, RunLog log)
    {
        _targets = run.Job.Targets;
        Seed = run.Seed;
        Accidents = [.. run.Accidents];
        Faults = run.Weather.Faults;
        Log = log.Lines;
        Attempts = run.Attempts;
        Restores = run.Restores;
        Checkpoints = run.Publications;
        Moves = run.Moves;
        Steps = run.Scheduler.Steps;
        Story = run.ToString();
    }

    /// <summary>The seed, which makes the same run again.</summary>
    public int Seed { get; }

    /// <summary>What was struck, in order.</summary>
    public IReadOnlyList<SimulatedAccident> Accidents { get; }

    /// <summary>How many messages and calls were lost, repeated, slowed down or made to fail.</summary>
    public int Faults { get; }

    /// <summary>A line for everything that happened beyond messages: accidents, objects of the checkpoint store, commits, ends of attempts; the last of them when they are very many.</summary>
    public IReadOnlyList<string> Log { get; }

    /// <summary>How often the job was begun: once, and once more after each failure and each planned move.</summary>
    public int Attempts { get; }

    /// <summary>How many attempts went on from a checkpoint in the middle of the input.</summary>
    public int Restores { get; }

    /// <summary>How many checkpoints were published.</summary>
    public int Checkpoints { get; }

    /// <summary>How many planned moves were made: rescales, hand-overs from silos that left, and subtasks spread anew when silos joined.</summary>
    public int Moves { get; }

    /// <summary>How many steps the run took.</summary>
    public long Steps { get; }

    private string Story { get; }

    /// <summary>
    /// What is visible of a sink's output: in the order of commits, and within one in the order written. Between keys the order is the run's own, so compare it sorted, or as
    /// <see cref="RequireSameOutput"/> does.
    /// </summary>
    /// <typeparam name="T">The sink's type of record.</typeparam>
    /// <param name="sink">The sink's name in the graph.</param>
    /// <exception cref="ArgumentException">There is no such sink, or it takes other records.</exception>
    public IReadOnlyList<T> Output<T>(string sink) => [.. Target<T>(sink).Records.Select(static record => record.Value)];

    /// <summary>The same with the records' times.</summary>
    /// <inheritdoc cref="Output{T}"/>
    public IReadOnlyList<TestRecord<T>> Records<T>(string sink) => [.. Target<T>(sink).Records];

    /// <summary>Demands that all sinks have the same records with the same times as in another run, in whatever order. Records are compared by their own equality.</summary>
    /// <param name="expected">The other run: one without accidents, or at another parallelism.</param>
    /// <exception cref="SimulationException">They differ; the message says where, and how to make this run again.</exception>
    public void RequireSameOutput(SimulationOutcome expected)
    {
        ArgumentNullException.ThrowIfNull(expected);
        var differences = _targets.Values
            .Select(target => expected._targets.TryGetValue(target.Name, out var other) ? target.Difference(other) : $"sink '{target.Name}' is not there in the run of seed {expected.Seed}")
            .Where(static difference => difference is not null)
            .ToList();
        if (differences.Count == 0) return;
        throw new SimulationException(
            this,
            $"what comes out of the job differs from an unbroken run:\n{string.Join("\n", differences)}\nThe engine has kept its promises, as far as the simulation checks them; what remains is what the job "
            + "keeps outside of its declared state, takes from a clock or from chance, or makes of the order in which records of different keys or splits come.");
    }

    /// <summary>One line about the run.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Story}");

    private SimulatedTarget<T> Target<T>(string sink) => _targets.TryGetValue(sink, out var target)
        ? target as SimulatedTarget<T> ?? throw new ArgumentException($"Sink '{sink}' does not take records of {typeof(T).Name}.", nameof(sink))
        : throw new ArgumentException($"The job has no sink '{sink}'. It has: {string.Join(", ", _targets.Keys)}.", nameof(sink));
}
