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
/// An operator that waits for the world outside, anywhere in a chain. What it waits for comes between two steps of the subtask, on the subtask's own scheduler, and calls
/// <see cref="SubtaskContext.Wake"/>; its effects come in <see cref="Collect"/>. The records that wait are in its snapshot, so that no barrier waits for them.
/// </summary>
internal interface IAsyncOperator
{
    /// <summary>As many records wait as may: the subtask takes no input.</summary>
    bool IsFull { get; }

    /// <summary>Nothing waits, neither for an answer nor to be handed on: the subtask may end or be idle.</summary>
    bool IsEmpty { get; }

    /// <summary>When a time-out or a new attempt is due, in wall-clock milliseconds.</summary>
    long? NextTime { get; }

    /// <summary>Takes what has come, hands on what may leave while there is room, asks for more. False when there was nothing to do.</summary>
    bool Collect();
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
