namespace OrleansStream.State;

/// <summary>
/// How long a piece of state lives after it was last touched: a value, a reduction or an aggregate, each item of a list, each entry of a map. It is never
/// returned once <c>last touch + duration</c> has come, and is removed without being touched again, a few places at a time. It is a policy and no part of
/// the state's form: it may be added, changed and taken away between a checkpoint and the job that goes on from it. What was saved without it, or in the
/// other kind of time, counts as touched at the moment of the restore.
/// </summary>
/// <remarks>
/// In event time it is, for a record or timer, its own time or the watermark, whichever is later. So records that are on time see the same state whatever
/// the parallelism and however the watermark advances, and a late record sees what is left at the watermark. A touch happens at that time too, and never moves
/// the last one back. While no watermark is known nothing expires that was touched without a timestamp. The end of input is no time: it expires nothing, and what
/// is called at it still sees the state of the watermark before. What expires is removed from memory and snapshots somewhat later: where the policy is made longer or taken away,
/// what had expired and was still there is seen again.
/// </remarks>
public sealed class TimeToLive
{
    private TimeToLive(TimeSpan duration, bool isInEventTime, bool refreshOnRead)
    {
        Duration = duration;
        IsInEventTime = isInEventTime;
        RefreshOnRead = refreshOnRead;
    }

    /// <summary>How long state lives after its last touch; at least a millisecond, of which begun ones count as whole.</summary>
    public TimeSpan Duration { get; }

    /// <summary>Whether it is counted in event time, else by the clock.</summary>
    public bool IsInEventTime { get; }

    /// <summary>Whether reading touches too; writing always does. Counting does not.</summary>
    public bool RefreshOnRead { get; }

    /// <summary>In milliseconds, begun ones as whole.</summary>
    internal long Milliseconds => (Duration.Ticks / TimeSpan.TicksPerMillisecond) + (Duration.Ticks % TimeSpan.TicksPerMillisecond > 0 ? 1 : 0);

    /// <summary>Lives in event time: a rerun over the same records gives the same results.</summary>
    /// <param name="duration">At least a millisecond.</param>
    /// <param name="refreshOnRead">Whether reading touches too.</param>
    public static TimeToLive InEventTime(TimeSpan duration, bool refreshOnRead = false) => new(duration, isInEventTime: true, refreshOnRead);

    /// <summary>Lives by the clock: results that depend on it differ from run to run.</summary>
    /// <param name="duration">At least a millisecond.</param>
    /// <param name="refreshOnRead">Whether reading touches too.</param>
    public static TimeToLive InProcessingTime(TimeSpan duration, bool refreshOnRead = false) => new(duration, isInEventTime: false, refreshOnRead);

    /// <summary>In event time, touched by writing only.</summary>
    public static implicit operator TimeToLive(TimeSpan duration) => InEventTime(duration);
}
