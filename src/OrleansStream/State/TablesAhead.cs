using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.State;

/// <summary>The tables of one subtask, whichever attempt it is of.</summary>
internal readonly record struct TablesOf(string Job, string Stage, KeyGroupRange Groups);

/// <summary>
/// The tables of subtasks that are about to come to this silo, which are read from a checkpoint while the attempt before still runs. Invariants: tables are given away once, and only if what was read into
/// them is how the chains begin that the subtask is restored from, so that it has but to read on; no read begins for an attempt that has begun here, and one that is under way is waited for as long as it
/// goes on; what the next attempt does not ask for is let go of when it starts, or after a while.
/// </summary>
internal sealed class TablesAhead(TimeProvider time)
{
    /// <summary>For how long the next attempt is waited for when they have been read: they take memory.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>A read of which nothing is heard for so long is not waited for any longer.</summary>
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(3);

    private readonly Lock _lock = new();
    private readonly Dictionary<TablesOf, Ahead> _ahead = [];
    private readonly Dictionary<string, Attempt> _begun = [];

    /// <summary>How many subtasks have begun with tables that were read ahead.</summary>
    public int Taken { get; private set; }

    /// <summary>How many subtasks' tables are there, or are being read.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _ahead.Count;
        }
    }

    /// <summary>Reads, or reads on. Returns when that is done, at once where it is under way or too late.</summary>
    /// <param name="of">Whose tables.</param>
    /// <param name="attempt">The attempt that is to begin with them.</param>
    /// <param name="make">Makes empty ones.</param>
    /// <param name="store">Where the segments are.</param>
    /// <param name="chains">The segments of the stage's former subtasks.</param>
    /// <param name="isGuess">Whether it is not sure that the attempt comes at all: then they are let go of by <see cref="LetGoOfGuesses"/>.</param>
    /// <returns>Whether they are read.</returns>
    public async Task<bool> ReadAsync(TablesOf of, Attempt attempt, Func<SubtaskState> make, ICheckpointStore store, IReadOnlyList<SegmentChain> chains, bool isGuess = false)
    {
        // Who waits for it has a scheduler of its own to go on upon.
        var done = new TaskCompletionSource();
        if (Begin(of, attempt, new Read(chains, done.Task), isGuess) is not { } ahead) return false;
        try
        {
            await (ahead.State ??= make()).ReadAheadAsync(store, chains, ahead.Dropped.Token);
            lock (_lock)
            {
                if (ahead.IsDropped) return false;
                ahead.Reading = null;
                ahead.Timer.Change(Patience, Timeout.InfiniteTimeSpan);
            }

            return true;
        }
        catch
        {
            Drop(of, ahead);
            throw;
        }
        finally
        {
            done.SetResult();
        }
    }

    /// <summary>The tables with which a subtask may read on; null when there are none. Waits for them while they are being read.</summary>
    public async ValueTask<SubtaskState?> TakeAsync(TablesOf of, Attempt attempt, IReadOnlyList<SegmentChain> chains)
    {
        Begun(of.Job, attempt);
        await AwaitReadAsync(of, attempt, chains);
        lock (_lock)
        {
            if (!_ahead.TryGetValue(of, out var ahead) || ahead.Reading is not null || ahead.Attempt.CompareTo(attempt) > 0) return null;
            _ahead.Remove(of);
            ahead.IsDropped = true;
            ahead.Timer.Dispose();
            if (!ahead.State!.IsAheadOf(chains)) return null;
            Taken++;
            return ahead.State;
        }
    }

    /// <summary>An attempt of a job begins: nothing more is read ahead for it than what is being read.</summary>
    public void Begun(string job, Attempt attempt)
    {
        lock (_lock)
        {
            if (!_begun.TryGetValue(job, out var begun) || attempt.CompareTo(begun) > 0) _begun[job] = attempt;
        }
    }

    /// <summary>Lets go of what is left of a job for an attempt and those before it.</summary>
    public void LetGo(string job, Attempt begun) => LetGo((of, ahead) => of.Job == job && ahead.Attempt.CompareTo(begun) <= 0);

    /// <summary>Lets go of what was read for attempts that do not come.</summary>
    public void LetGoOfGuesses() => LetGo(static (_, ahead) => ahead.IsGuess);

    private void LetGo(Func<TablesOf, Ahead, bool> which)
    {
        List<(TablesOf, Ahead)> left;
        lock (_lock) left = [.. _ahead.Where(one => which(one.Key, one.Value)).Select(static one => (one.Key, one.Value))];
        foreach (var (of, ahead) in left) Drop(of, ahead);
    }

    /// <summary>Waits until what is being read is read. What is of no use, or does not go on, is dropped.</summary>
    private async ValueTask AwaitReadAsync(TablesOf of, Attempt attempt, IReadOnlyList<SegmentChain> chains)
    {
        Ahead? ahead;
        Read reading;
        lock (_lock)
        {
            if (!_ahead.TryGetValue(of, out ahead) || ahead.Reading is null || ahead.Attempt.CompareTo(attempt) > 0) return;
            reading = ahead.Reading.Value;
        }

        if (chains.All(chain => !chain.FormerGroups.Overlaps(of.Groups) || reading.Chains.Any(chain.GoesOnFrom)))
        {
            for (int? before = null; !reading.Done.IsCompleted && ahead.BlocksRead != before;)
            {
                before = ahead.BlocksRead;
                await Task.WhenAny(reading.Done, Task.Delay(Stall, time));
            }

            if (reading.Done.IsCompleted) return;
        }

        Drop(of, ahead);
    }

    /// <summary>What is to be read now; null when somebody does, or it is too late.</summary>
    private Ahead? Begin(TablesOf of, Attempt attempt, Read reading, bool isGuess)
    {
        lock (_lock)
        {
            if (_begun.TryGetValue(of.Job, out var begun) && attempt.CompareTo(begun) <= 0) return null;
            if (_ahead.TryGetValue(of, out var ahead))
            {
                if (ahead.Reading is not null) return null;
                ahead.Timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                if (!ahead.State!.IsAheadOf(reading.Chains)) ahead.State = null;
                ahead.Reading = reading;
                return ahead;
            }

            _ahead[of] = ahead = new Ahead(attempt, isGuess) { Reading = reading };
            ahead.Timer = time.CreateTimer(_ => Drop(of, ahead), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return ahead;
        }
    }

    private void Drop(TablesOf of, Ahead ahead)
    {
        lock (_lock)
        {
            if (_ahead.GetValueOrDefault(of) != ahead) return;
            _ahead.Remove(of);
            ahead.IsDropped = true;
        }

        ahead.Timer.Dispose();
        // Outside of the lock: whoever reads may go on right here.
        ahead.Dropped.Cancel();
    }

    /// <summary>A read that is under way.</summary>
    private readonly record struct Read(IReadOnlyList<SegmentChain> Chains, Task Done);

    private sealed class Ahead(Attempt attempt, bool isGuess)
    {
        public Attempt Attempt => attempt;

        public bool IsGuess => isGuess;

        /// <summary>Null before the first read.</summary>
        public SubtaskState? State { get; set; }

        public ITimer Timer { get; set; } = null!;

        /// <summary>Null when nothing is being read.</summary>
        public Read? Reading { get; set; }

        /// <summary>Whether the tables are given away, or let go of.</summary>
        public bool IsDropped { get; set; }

        public int BlocksRead => State?.BlocksRead ?? 0;

        public CancellationTokenSource Dropped { get; } = new();
    }
}
