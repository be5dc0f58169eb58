using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.State;

/// <summary>The tables of one subtask, whichever attempt it is of.</summary>
internal readonly record struct TablesOf(string Job, string Stage, KeyGroupRange Groups);

/// <summary>
/// The tables of subtasks that are about to come to this silo, which are read from a checkpoint while the attempt before still runs. Invariants: tables are given away once, and only if what was read into
/// them is how the chains begin that the subtask is restored from, so that it has but to read on; nothing is read ahead for an attempt that has begun here; what the next attempt does not ask for is let go
/// of when it starts, or after a while.
/// </summary>
internal sealed class TablesAhead(TimeProvider time)
{
    /// <summary>For how long the next attempt is waited for: they take memory.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<TablesOf, Ahead> _ahead = [];
    private readonly Dictionary<string, Attempt> _begun = [];

    /// <summary>How many subtasks have begun with tables that were read ahead.</summary>
    public int Taken { get; private set; }

    /// <summary>Reads, or reads on. Returns when that is done, at once where it is under way or too late.</summary>
    /// <param name="of">Whose tables.</param>
    /// <param name="attempt">The attempt that is to begin with them.</param>
    /// <param name="make">Makes empty ones.</param>
    /// <param name="store">Where the segments are.</param>
    /// <param name="chains">The segments of the stage's former subtasks.</param>
    public async Task ReadAsync(TablesOf of, Attempt attempt, Func<SubtaskState> make, ICheckpointStore store, IReadOnlyList<SegmentChain> chains)
    {
        Ahead ahead;
        lock (_lock)
        {
            if (_begun.TryGetValue(of.Job, out var begun) && attempt.CompareTo(begun) <= 0) return;
            if (_ahead.TryGetValue(of, out var there))
            {
                if (there.IsReading) return;
                if (!there.State.IsAheadOf(chains)) Remove(of);
            }

            if (!_ahead.TryGetValue(of, out ahead!)) _ahead[of] = ahead = new Ahead(attempt, make(), time.CreateTimer(_ => Drop(of), null, Patience, Timeout.InfiniteTimeSpan));
            ahead.IsReading = true;
        }

        try
        {
            await ahead.State.ReadAheadAsync(store, chains, ahead.Dropped.Token);
            lock (_lock) ahead.IsReading = false;
        }
        catch
        {
            lock (_lock)
            {
                if (_ahead.GetValueOrDefault(of) == ahead) Remove(of);
            }

            throw;
        }
    }

    /// <summary>The tables with which a subtask may read on; null when there are none.</summary>
    public SubtaskState? Take(TablesOf of, Attempt attempt, IReadOnlyList<SegmentChain> chains)
    {
        lock (_lock)
        {
            if (!_begun.TryGetValue(of.Job, out var begun) || attempt.CompareTo(begun) > 0) _begun[of.Job] = attempt;
            if (Remove(of) is not { IsReading: false } ahead || !ahead.State.IsAheadOf(chains)) return null;
            Taken++;
            return ahead.State;
        }
    }

    /// <summary>Lets go of what is left of a job for an attempt and those before it.</summary>
    public void LetGo(string job, Attempt begun)
    {
        lock (_lock)
        {
            foreach (var (of, ahead) in _ahead.ToList())
            {
                if (of.Job == job && ahead.Attempt.CompareTo(begun) <= 0) Remove(of);
            }
        }
    }

    private void Drop(TablesOf of)
    {
        lock (_lock) Remove(of);
    }

    private Ahead? Remove(TablesOf of)
    {
        if (!_ahead.Remove(of, out var ahead)) return null;
        ahead.Timer.Dispose();
        if (ahead.IsReading) ahead.Dropped.Cancel();
        return ahead;
    }

    private sealed class Ahead(Attempt attempt, SubtaskState state, ITimer timer)
    {
        public Attempt Attempt => attempt;

        public SubtaskState State => state;

        public ITimer Timer => timer;

        public bool IsReading { get; set; }

        public CancellationTokenSource Dropped { get; } = new();
    }
}
