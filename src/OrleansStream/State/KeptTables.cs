using System.Collections.Concurrent;
using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.State;

/// <summary>
/// The tables of subtasks that were ended right behind a snapshot, on this silo, until the next attempt opens the same key groups here. Invariants: tables are given away once, and only for the very
/// segment that they were frozen into, so that they are what reading the segment would give; what the next attempt does not ask for is let go of when it starts, or after a while.
/// </summary>
internal sealed class KeptTables(TimeProvider time)
{
    /// <summary>For how long the next attempt is waited for: they take memory.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<SegmentRef, Kept> _kept = new();
    private int _taken;

    /// <summary>How many subtasks have begun with kept tables.</summary>
    public int Taken => _taken;

    /// <summary>Keeps the state of a subtask that has ended.</summary>
    /// <param name="job">The job.</param>
    /// <param name="segment">The segment that the state was frozen into last; nothing has changed since.</param>
    /// <param name="state">The state. Nobody uses it any more.</param>
    public void Keep(string job, SegmentRef segment, SubtaskState state) =>
        _kept[segment] = new Kept(job, state, time.CreateTimer(_ => Remove(segment), null, Patience, Timeout.InfiniteTimeSpan));

    /// <summary>The state that a subtask would read from the segments of its stage; null when it is not here.</summary>
    public SubtaskState? Take(KeyGroupRange groups, IReadOnlyList<SegmentChain> chains)
    {
        if (chains.FirstOrDefault(chain => chain.FormerGroups == groups) is not { } chain || Remove(chain.Segments[^1]) is not { } state) return null;
        Interlocked.Increment(ref _taken);
        return state;
    }

    /// <summary>Lets go of what is left of a job's attempts before one.</summary>
    public void LetGo(string job, Attempt before)
    {
        foreach (var (segment, kept) in _kept)
        {
            if (kept.Job == job && segment.Checkpoint.Attempt.CompareTo(before) < 0) Remove(segment);
        }
    }

    private SubtaskState? Remove(SegmentRef segment)
    {
        if (!_kept.TryRemove(segment, out var kept)) return null;
        kept.Timer.Dispose();
        return kept.State;
    }

    private sealed record Kept(string Job, SubtaskState State, ITimer Timer);
}
