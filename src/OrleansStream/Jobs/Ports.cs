using OrleansStream.Checkpoints;
using OrleansStream.Stages;

namespace OrleansStream.Jobs;

/// <summary>How a job's driver reaches silos, subtasks and the coordinator of its attempt. Calls that throw have an unknown outcome.</summary>
internal interface IJobPort
{
    /// <summary>The living silos that can run the job, in a stable order.</summary>
    IReadOnlyList<string> Silos { get; }

    /// <summary>Where the subtasks of the newest attempt were that had some on this driver's silo; empty when none had.</summary>
    IReadOnlyDictionary<SubtaskId, string> PlacesOf(string job);

    /// <summary>Ends every attempt of the job before one, on a silo. A silo that is gone has ended them.</summary>
    Task EndOlderAsync(string silo, string job, Attempt before);

    /// <summary>Lets a silo read what subtasks that are about to come to it are to be restored from, as far as it is there. Completes when it has tried.</summary>
    /// <returns>For how many it is read.</returns>
    Task<int> ReadAheadAsync(string silo, IReadOnlyList<SubtaskOpening> coming);

    Task<SubtaskOpened> OpenSubtaskAsync(string silo, SubtaskOpening opening);

    Task StartSubtaskAsync(SubtaskOpening opening, SubtaskAddress address, SubtaskTable table);

    /// <summary>Opens the coordinator, here, and begins the attempt's log; false when another has taken the job over.</summary>
    Task<bool> OpenCoordinatorAsync(CoordinatorOpening opening);

    Task BeginCoordinatorAsync(string job, Attempt attempt, SubtaskTable table);

    /// <summary>How the attempt ended; null while it runs. Throws when the coordinator is gone.</summary>
    Task<AttemptOutcome?> OutcomeAsync(string job, Attempt attempt);

    /// <summary>What the attempt is doing.</summary>
    Task<AttemptReport> ReportAsync(string job, Attempt attempt);

    Task StopCoordinatorAsync(string job, Attempt attempt, string reason);

    /// <summary>Lets the chain of the attempt grow, to some times its usual length, until it is told of a move: silos are reading it ahead.</summary>
    Task KeepChainAsync(string job, Attempt attempt);

    /// <summary>Ends the attempt at its next checkpoint, to be followed by another.</summary>
    Task MoveCoordinatorAsync(string job, Attempt attempt, PlannedMove move);

    /// <summary>Ends the attempt without a word in its log.</summary>
    Task AbortCoordinatorAsync(string job, Attempt attempt, string cause);
}

/// <summary>The answer to opening a subtask.</summary>
/// <param name="Incarnation">The opening, unless there is a problem.</param>
/// <param name="Problem">Why it could not be opened; null when it is.</param>
/// <param name="IsPermanent">Whether another try is bound to fail in the same way.</param>
/// <param name="DamagedObject">The checkpoint object that could not be read, when that is the problem.</param>
[GenerateSerializer, Immutable]
internal sealed record SubtaskOpened(
    [property: Id(0)] Incarnation Incarnation, [property: Id(1)] string? Problem = null, [property: Id(2)] bool IsPermanent = false, [property: Id(3)] string? DamagedObject = null);
