using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Jobs;

namespace OrleansStream.Testing.Simulation;

/// <summary>What a simulated cluster is like, and what its job reads.</summary>
public sealed record SimulationOptions
{
    /// <summary>Everything that is left to chance comes from here. 1 unless set.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How many silos there are when the job starts; one that dies is followed by another. 3 unless set.</summary>
    public int Silos { get; init; } = 3;

    /// <summary>
    /// Subtasks of each stage; null for another number in each attempt, from 1 to 4. 2 unless set. One of the strikes is a person who rescales the job, to anything from 1 to 4: from then on it has that.
    /// </summary>
    public int? Parallelism { get; init; } = 2;

    /// <summary>Key groups of the job: the highest parallelism that it can be restored at. 128 unless set.</summary>
    public int MaxParallelism { get; init; } = 128;

    /// <summary>What may go wrong. <see cref="Accidents.Usual"/> unless set.</summary>
    public Accidents Accidents { get; init; } = Accidents.Usual;

    /// <summary>
    /// The records of the job's sources, by the names that the job gives them. A source without an entry is read as the job wrote it: for sources that are replayable and wait for nothing
    /// outside of the process, such as collections and generators.
    /// </summary>
    public IDictionary<string, SimulatedSource> Sources { get; init; } = new Dictionary<string, SimulatedSource>();

    /// <summary>The arguments of the job, where it takes some.</summary>
    public JobArguments? Arguments { get; init; }

    /// <summary>
    /// Adds what the job's functions ask for, beside the serializers and a <see cref="TimeProvider"/> that tells virtual time. Each silo has services of its own, which go when it dies.
    /// </summary>
    public Action<IServiceCollection>? ConfigureServices { get; init; }

    /// <summary>Time between checkpoints; null, as it is unless set, for something from 2 to 25 ms that the seed draws. Set it when <see cref="SimulatedSource{T}.Pace"/> makes the run long.</summary>
    public TimeSpan? CheckpointInterval { get; init; }

    /// <summary>How long, in virtual time, the job may take to its end once nothing goes wrong any more and all its input is there. 60 seconds unless set.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    internal void RequireSane()
    {
        if (Silos is < 1 or > 100) throw new ArgumentException($"{nameof(Silos)} is {Silos}; it must be from 1 to 100.");
        if (CheckpointInterval <= TimeSpan.Zero) throw new ArgumentException($"{nameof(CheckpointInterval)} is {CheckpointInterval}; it must be above 0.");
        if (Patience <= TimeSpan.Zero) throw new ArgumentException($"{nameof(Patience)} is {Patience}; it must be above 0.");
        ArgumentNullException.ThrowIfNull(Accidents);
        ArgumentNullException.ThrowIfNull(Sources);
        Accidents.RequireSane();
    }
}
