namespace OrleansStream.Time;

/// <summary>
/// Says how far event time has come in one split of a source; made anew for each split by <see cref="WatermarkStrategy.Custom{T}"/>. Calls come one at a time, and it must not wait.
/// </summary>
/// <remarks>
/// A watermark of <c>w</c> says that no record at or before <c>w</c> follows; one that follows all the same is late. A watermark at or below an earlier one says nothing new.
/// What a generator keeps in fields is not saved: after a restart it begins anew, and is told the last watermark that it had given by <see cref="OnRestored"/>.
/// Source: Flink's WatermarkGenerator, with the watermark as a result in place of an output.
/// </remarks>
/// <typeparam name="T">The type of a record.</typeparam>
public abstract class WatermarkGenerator<T>
{
    /// <summary>Takes the next record of the split.</summary>
    /// <param name="record">The record.</param>
    /// <param name="timestamp">Its event time, in milliseconds since 1970-01-01T00:00:00Z.</param>
    /// <returns>The split's watermark from now on, in the same milliseconds; null when it stays. <see cref="long.MaxValue"/> is reserved for the end of input.</returns>
    public abstract long? OnRecord(in T record, long timestamp);

    /// <summary>Called again and again as time passes, records or not; not while the split is idle, and not after its end. Says nothing new unless overridden.</summary>
    /// <param name="processingTime">The time of the silo's clock, in milliseconds since 1970-01-01T00:00:00Z.</param>
    /// <inheritdoc cref="OnRecord" path="/returns"/>
    public virtual long? OnPeriodic(long processingTime) => null;

    /// <summary>Called once before anything else when the split goes on from a checkpoint in which it had a watermark. Does nothing unless overridden.</summary>
    /// <param name="watermark">The last watermark that the split's generator had given.</param>
    public virtual void OnRestored(long watermark)
    {
    }
}

/// <summary>A watermark where a record says so. Source: Flink's punctuated WatermarkGenerator.</summary>
internal sealed class PunctuatedWatermarks<T>(Func<T, long, long?> watermark) : WatermarkGenerator<T>
{
    public override long? OnRecord(in T record, long timestamp) => watermark(record, timestamp);
}
