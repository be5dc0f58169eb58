using OrleansStream.Time;

namespace OrleansStream.Joins;

/// <summary>How far a row of the right side may be from one of the left: from the lower bound to the upper, both included, in milliseconds behind the left row.</summary>
internal readonly record struct IntervalBounds(long Lower, long Upper)
{
    /// <summary>Whether two rows are partners; exact for any two times.</summary>
    public bool Contains(long left, long right)
    {
        var behind = unchecked(right - left);

        // Further apart than a number can say is further than any bound: TimeSpan ends long before.
        if (((right ^ left) & (right ^ behind)) < 0) return false;
        return behind >= Lower && behind <= Upper;
    }

    /// <summary>The time of the last possible partner of a left row: when the watermark is there, none can come any more.</summary>
    public long LastOfLeft(long left) => EventTime.Shift(left, Upper);

    /// <summary>The time of the last possible partner of a right row.</summary>
    public long LastOfRight(long right) => EventTime.Shift(right, -Lower);
}
