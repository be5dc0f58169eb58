namespace OrleansStream.Time;

/// <summary>
/// How far event time has come, judged from the records: where watermarks come from. Followed apart for each split of a source; the lowest of the splits that are neither idle nor at
/// their end is the watermark, and it never goes back, over a restart either.
/// </summary>
/// <remarks>Strategies do not change: <see cref="WatermarkStrategy{T}.WithIdleness"/> and <see cref="WatermarkStrategy{T}.WithAlignment"/> make another. What is wrong with one is refused when the graph is built.</remarks>
public static class WatermarkStrategy
{
    /// <summary>The times of a split's records never go back. A record earlier than the latest of its split is late.</summary>
    /// <typeparam name="T">The type of a record.</typeparam>
    public static WatermarkStrategy<T> Monotonous<T>() => BoundedOutOfOrderness<T>(TimeSpan.Zero);

    /// <summary>A record may be earlier than the latest of its split by so much, to the millisecond, and still be on time.</summary>
    /// <typeparam name="T">The type of a record.</typeparam>
    /// <param name="maxOutOfOrderness">From 0 to 100 years; parts of a millisecond do not count.</param>
    public static WatermarkStrategy<T> BoundedOutOfOrderness<T>(TimeSpan maxOutOfOrderness) => new() { MaxOutOfOrderness = maxOutOfOrderness };

    /// <summary>Some records say how far event time has come: marks between the others, for example.</summary>
    /// <typeparam name="T">The type of a record.</typeparam>
    /// <param name="watermark">
    /// Reads the watermark from a record and its time, in milliseconds since 1970: no record at or before it follows in the split. Null where the record says nothing of the kind.
    /// A static lambda. The watermark goes out behind the records that were read together with it.
    /// </param>
    public static WatermarkStrategy<T> Punctuated<T>(Func<T, long, long?> watermark)
    {
        ArgumentNullException.ThrowIfNull(watermark);
        return new() { Generator = () => new PunctuatedWatermarks<T>(watermark) };
    }

    /// <summary>Watermarks of one's own making.</summary>
    /// <typeparam name="T">The type of a record.</typeparam>
    /// <param name="generator">Makes a generator, one for each split.</param>
    /// <param name="period">How often <see cref="WatermarkGenerator{T}.OnPeriodic"/> is called, 1 millisecond or more; 200 ms when null.</param>
    public static WatermarkStrategy<T> Custom<T>(Func<WatermarkGenerator<T>> generator, TimeSpan? period = null)
    {
        ArgumentNullException.ThrowIfNull(generator);
        return new() { Generator = generator, Period = period ?? TimeSpan.FromMilliseconds(200), IsCustom = true };
    }
}

/// <inheritdoc cref="WatermarkStrategy"/>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed class WatermarkStrategy<T>
{
    internal WatermarkStrategy()
    {
    }

    /// <summary>Null where a generator gives the watermarks.</summary>
    internal TimeSpan? MaxOutOfOrderness { get; init; }

    internal Func<WatermarkGenerator<T>>? Generator { get; init; }

    internal TimeSpan? Period { get; init; }

    internal bool IsCustom { get; init; }

    internal TimeSpan? IdleAfter { get; init; }

    internal string? AlignmentGroup { get; init; }

    internal TimeSpan MaxDrift { get; init; }

    /// <summary>
    /// A split that brings no records for a while stops holding back the others, until its next record; without this it holds them back for ever. Its records are then late as those of any other
    /// split are: when they are not above the watermark, which has gone on without them. Time in which the split is not read, because there is no room below or it is ahead of its
    /// group, does not count, and after a restart the time begins anew.
    /// </summary>
    /// <param name="after">After how long without records, 1 millisecond or more.</param>
    public WatermarkStrategy<T> WithIdleness(TimeSpan after) => new()
    {
        MaxOutOfOrderness = MaxOutOfOrderness,
        Generator = Generator,
        Period = Period,
        IsCustom = IsCustom,
        AlignmentGroup = AlignmentGroup,
        MaxDrift = MaxDrift,
        IdleAfter = after,
    };

    /// <summary>
    /// A split whose watermark is ahead of the lowest in its group by more than a bound is not read until the others have come closer, so that what waits for them below, in windows and
    /// joins, stays small. The group has all splits of all sources of the job whose strategies name it; those that are idle or at their end are not waited for. One that has not
    /// had a record yet is: give it <see cref="WithIdleness"/> where it may stay so.
    /// </summary>
    /// <remarks>
    /// <para>What a split is ahead is at most the bound and the span of one read, 1,024 records at most. Results do not depend on it.</para>
    /// <para>Between subtasks the lowest watermark is passed on by the job's coordinator, and takes up to half a second: the bound should be more event time than is processed in that time, or it
    /// slows the job down. News that is lost comes again, and a subtask that has had none for 5 seconds reads on.</para>
    /// </remarks>
    /// <param name="group">The group's name in the job: <c>^[a-z0-9-]{1,64}$</c>.</param>
    /// <param name="maxDrift">How far a split may be ahead, in event time: 1 millisecond or more, 100 years at most.</param>
    public WatermarkStrategy<T> WithAlignment(string group, TimeSpan maxDrift)
    {
        ArgumentNullException.ThrowIfNull(group);
        return new()
        {
            MaxOutOfOrderness = MaxOutOfOrderness,
            Generator = Generator,
            Period = Period,
            IsCustom = IsCustom,
            IdleAfter = IdleAfter,
            AlignmentGroup = group,
            MaxDrift = maxDrift,
        };
    }
}
