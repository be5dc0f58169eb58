namespace OrleansStream.Jobs;

/// <summary>
/// Decides what becomes of the planned moves that a job is asked for. Invariants: one move is in hand at a time; what was asked for is carried out by the next attempt that comes to run,
/// however the one before it ended; silos that leave get no subtask as long as there is another. Pure: it knows no clock and calls nobody.
/// </summary>
internal sealed class MoveRequests
{
    private readonly HashSet<string> _leaving = new(StringComparer.Ordinal);
    private PlannedMove? _asked;
    private PlannedMove? _carried;

    /// <summary>What the attempt that runs is to be ended for.</summary>
    public PlannedMove? Asked => _asked;

    /// <summary>The move that is asked for or under way, for people; null when there is none.</summary>
    public PlannedMove? Current => _asked ?? _carried;

    /// <summary>Asks for another parallelism, unless that cannot be or is not needed.</summary>
    public RescaleAnswer Rescale(string job, JobPhase phase, int now, int wanted, int maxParallelism)
    {
        if (wanted < 1 || wanted > maxParallelism)
        {
            return new RescaleAnswer($"Job '{job}' cannot have parallelism {wanted}: it must be from 1 to its number of key groups, {maxParallelism}, which is fixed once a job has run.");
        }

        if (Current is { } current) return new RescaleAnswer($"Job '{job}' is in the middle of another planned move, {current.Reason}; ask again when that is done.");
        if (phase != JobPhase.Running) return new RescaleAnswer($"Job '{job}' does not run, it is {phase.ToString().ToLowerInvariant()}: {AdviceFor(phase)}.");
        if (wanted == now) return new RescaleAnswer(IsAlready: true);
        _asked = PlannedMove.Rescale(wanted);
        return new RescaleAnswer();
    }

    /// <summary>A silo leaves: it gets no subtask any more, and the attempt is to be ended if it has some there, or may come to have.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="used">The silos of the attempt's subtasks; null while they are being chosen.</param>
    public void Leave(string silo, IReadOnlyCollection<string>? used)
    {
        if (!_leaving.Add(silo) && Current is not null) return;
        if (used is null || used.Contains(silo)) _asked ??= PlannedMove.Leave(silo);
    }

    /// <summary>Asks for the subtasks to be spread anew; nothing when another move does it anyway.</summary>
    public void Rebalance()
    {
        if (Current is null) _asked = PlannedMove.Rebalance;
    }

    /// <summary>The next attempt begins, and carries out what was asked for.</summary>
    /// <returns>The parallelism that it has from now on; null for that of the one before.</returns>
    public int? OnAttempt()
    {
        if (_asked is null) return null;
        // A move that an attempt which failed was to carry out goes on in the next: only what it is for may be new.
        _carried = _asked with { Parallelism = _asked.Parallelism ?? _carried?.Parallelism };
        _asked = null;
        return _carried.Parallelism;
    }

    /// <summary>Goes on in the middle of a move that another driver began.</summary>
    public void Continue(string reason) => _carried = new PlannedMove(reason);

    /// <summary>The attempt runs: the move that it carried out is done.</summary>
    /// <param name="used">The silos of its subtasks.</param>
    /// <returns>The move; null when there was none.</returns>
    public PlannedMove? OnRunning(IReadOnlyCollection<string> used)
    {
        var done = _carried;
        _carried = null;
        // Asked while the silos were being chosen, which may have been in time.
        if (_asked is { Parallelism: null } && !used.Any(_leaving.Contains)) _asked = null;
        return done;
    }

    /// <summary>The job has ended, and every move with it.</summary>
    public void OnEnded() => _asked = _carried = null;

    /// <summary>The silos that subtasks may be put on, of those that live.</summary>
    public IReadOnlyList<string> Places(IReadOnlyList<string> living)
    {
        var staying = living.Where(silo => !_leaving.Contains(silo)).ToList();
        return staying.Count > 0 ? staying : living;
    }

    private static string AdviceFor(JobPhase phase) => phase switch
    {
        JobPhase.Starting or JobPhase.Waiting => "ask again when it runs",
        _ => "start it with the parallelism that it should have",
    };
}
