using OrleansStream.Stages;

namespace OrleansStream.Exchange;

/// <summary>Hands the batches of one input edge to the head of a stage.</summary>
internal abstract class EdgeReceiver
{
    /// <summary>Hands over a slice of a batch.</summary>
    public abstract void Deliver(Batch batch, int from, int count);
}

/// <inheritdoc/>
internal sealed class EdgeReceiver<T>(Operator<T> head) : EdgeReceiver
{
    public override void Deliver(Batch batch, int from, int count)
    {
        var typed = (Batch<T>)batch;
        head.OnRecords(new Records<T>(
            typed.Values.AsSpan(from, count),
            typed.Timestamps.AsSpan(from, count),
            typed.KeyHashes is { } hashes ? hashes.AsSpan(from, count) : default));
    }
}
