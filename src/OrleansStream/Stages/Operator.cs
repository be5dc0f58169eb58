namespace OrleansStream.Stages;

/// <summary>Records as an operator sees them: columns that are valid during the call only.</summary>
internal readonly ref struct Records<T>(ReadOnlySpan<T> values, ReadOnlySpan<long> timestamps, ReadOnlySpan<ulong> keyHashes = default)
{
    public readonly ReadOnlySpan<T> Values = values;
    public readonly ReadOnlySpan<long> Timestamps = timestamps;

    /// <summary>The hash of each record's key behind a keyed exchange; empty elsewhere.</summary>
    public readonly ReadOnlySpan<ulong> KeyHashes = keyHashes;

    public int Count => Values.Length;
}

/// <summary>
/// One step of a stage's chain. Calls come one at a time. Whatever an operator makes of its input it hands on before it returns: nothing is
/// kept back between calls but declared state, so a barrier between two calls divides cleanly.
/// </summary>
internal abstract class Operator
{
    /// <summary>The written name, or a made-up one for operators without state.</summary>
    public required string Name { get; init; }

    /// <summary>Opens what is outside and restores what was saved, before the first record.</summary>
    public virtual ValueTask OpenAsync(CancellationToken cancellation) => ValueTask.CompletedTask;

    /// <summary>Takes a watermark and hands it on. A <see cref="IResumable"/> operator may do so later.</summary>
    public abstract void OnWatermark(long watermark);

    /// <summary>Adds the operator's part to a snapshot, in one synchronous step.</summary>
    public virtual void Snapshot(SnapshotParts parts)
    {
    }

    /// <summary>Lets time pass: processing-time timers, idleness.</summary>
    public virtual void OnTime()
    {
    }

    /// <summary>When <see cref="OnTime"/> has something to do next, in wall-clock milliseconds; null when nothing is due by itself.</summary>
    public virtual long? NextTime => null;

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <inheritdoc/>
internal abstract class Operator<T> : Operator
{
    public abstract void OnRecords(Records<T> records);
}

/// <summary>
/// An operator at the head of a stage that may have more to emit at one watermark than the channels have room for. While it has pending work
/// the subtask takes no input and no barrier.
/// </summary>
internal interface IResumable
{
    bool HasPending { get; }

    /// <summary>Goes on until all is done or the channels have no room.</summary>
    void Resume();
}
