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
    /// <summary>For how long the next attempt is waited for when they have been read: they take memory.</summary>
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
    /// <returns>Whether they are read.</returns>
    public async Task<bool> ReadAsync(TablesOf of, Attempt attempt, Func<SubtaskState> make, ICheckpointStore store, IReadOnlyList<SegmentChain> chains)
    {
        if (Begin(of, attempt, chains) is not { } ahead) return false;
        try
        {
            await (ahead.State ??= make()).ReadAheadAsync(store, chains, ahead.Dropped.Token);
            lock (_lock)
            {
                ahead.IsReading = false;
                ahead.Timer.Change(Patience, Timeout.InfiniteTimeSpan);
            }

            return true;
        }
        catch
        {
            Drop(of, ahead);
            throw;
        }
    }

    /// <summary>The tables with which a subtask may read on; null when there are none.</summary>
    public SubtaskState? Take(TablesOf of, Attempt attempt, IReadOnlyList<SegmentChain> chains)
    {
        Begun(of.Job, attempt);
        lock (_lock)
        {
            if (!_ahead.Remove(of, out var ahead)) return null;
            ahead.Timer.Dispose();
            if (!ahead.State!.IsAheadOf(chains)) return null;
            Taken++;
            return ahead.State;
        }
    }

    /// <summary>An attempt of a job begins: nothing more is read ahead for it, and what is being read is given up.</summary>
    public void Begun(string job, Attempt attempt)
    {
        lock (_lock)
        {
            if (!_begun.TryGetValue(job, out var begun) || attempt.CompareTo(begun) > 0) _begun[job] = attempt;
        }

        Drop(job, attempt, static ahead => ahead.IsReading);
    }

    /// <summary>Lets go of what is left of a job for an attempt and those before it.</summary>
    public void LetGo(string job, Attempt begun) => Drop(job, begun, static _ => true);

    /// <summary>What is to be read now; null when somebody does, or it is too late.</summary>
    private Ahead? Begin(TablesOf of, Attempt attempt, IReadOnlyList<SegmentChain> chains)
    {
        lock (_lock)
        {
            if (_begun.TryGetValue(of.Job, out var begun) && attempt.CompareTo(begun) <= 0) return null;
            if (_ahead.TryGetValue(of, out var ahead))
            {
                if (ahead.IsReading) return null;
                ahead.Timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                if (!ahead.State!.IsAheadOf(chains)) ahead.State = null;
                ahead.IsReading = true;
                return ahead;
            }

            _ahead[of] = ahead = new Ahead(attempt);
            ahead.Timer = time.CreateTimer(_ => Drop(of, ahead), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return ahead;
        }
    }

    private void Drop(string job, Attempt attempt, Func<Ahead, bool> which)
    {
        List<(TablesOf, Ahead)> dropped;
        lock (_lock) dropped = [.. _ahead.Where(one => one.Key.Job == job && one.Value.Attempt.CompareTo(attempt) <= 0 && which(one.Value)).Select(static one => (one.Key, one.Value))];
        foreach (var (of, ahead) in dropped) Drop(of, ahead);
    }

    private void Drop(TablesOf of, Ahead ahead)
    {
        lock (_lock)
        {
            if (_ahead.GetValueOrDefault(of) != ahead) return;
            _ahead.Remove(of);
        }

        ahead.Timer.Dispose();
        // Outside of the lock: whoever reads may go on right here.
        ahead.Dropped.Cancel();
    }

    private sealed class Ahead(Attempt attempt)
    {
        public Attempt Attempt => attempt;

        /// <summary>Null before the first read.</summary>
        public SubtaskState? State { get; set; }

        public ITimer Timer { get; set; } = null!;

        public bool IsReading { get; set; } = true;

        public CancellationTokenSource Dropped { get; } = new();
    }
}
