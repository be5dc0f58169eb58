using System.Runtime.CompilerServices;

namespace OrleansStream.Exchange;

/// <summary>
/// Records on their way between two subtasks, as columns. Ownership goes with the send: inside one silo the receiver gets the very arrays,
/// returns them to the pool when it has processed them, and the sender never touches them again. Between silos the receiver owns a batch that
/// was read for it, and the sender keeps its own until the call is answered.
/// </summary>
[Immutable]
internal abstract class Batch
{
    /// <summary>How many records the batch holds; the columns may be longer.</summary>
    public int Count { get; set; }

    /// <summary>Gives the columns back to the pool. The caller owns the batch and has processed it.</summary>
    public abstract void Recycle();
}

/// <inheritdoc/>
[Immutable]
internal sealed class Batch<T> : Batch
{
    public readonly T[] Values;
    public readonly long[] Timestamps;

    /// <summary>The hash of each record's key, computed once by the sender; null on channels that are not keyed.</summary>
    public readonly ulong[]? KeyHashes;

    public Batch(int capacity, bool keyed)
    {
        Values = new T[capacity];
        Timestamps = new long[capacity];
        KeyHashes = keyed ? new ulong[capacity] : null;
    }

    /// <summary>Makes a full batch of columns of the same length.</summary>
    public Batch(T[] values, long[] timestamps, ulong[]? keyHashes)
    {
        Values = values;
        Timestamps = timestamps;
        KeyHashes = keyHashes;
        Count = values.Length;
    }

    public int Capacity => Values.Length;

    public override void Recycle()
    {
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>()) Values.AsSpan(0, Count).Clear();
        Count = 0;
        BatchPool<T>.Return(this);
    }
}

/// <summary>Keeps batches of full capacity for reuse; what is over the limit goes to the garbage collector.</summary>
internal static class BatchPool<T>
{
    /// <summary>The most batches that wait for reuse, of one record type and kind.</summary>
    private const int Limit = 64;

    private static readonly System.Collections.Concurrent.ConcurrentQueue<Batch<T>> Plain = new();
    private static readonly System.Collections.Concurrent.ConcurrentQueue<Batch<T>> Keyed = new();

    public static Batch<T> Rent(int capacity, bool keyed)
    {
        var pool = keyed ? Keyed : Plain;
        while (pool.TryDequeue(out var batch))
        {
            if (batch.Capacity >= capacity) return batch;
        }

        return new Batch<T>(capacity, keyed);
    }

    public static void Return(Batch<T> batch)
    {
        if (batch.Capacity < Exchange.BatchSize.Pooled) return;
        var pool = batch.KeyHashes is null ? Plain : Keyed;
        if (pool.Count < Limit) pool.Enqueue(batch);
    }
}

/// <summary>How large batches are, in records.</summary>
internal static class BatchSize
{
    /// <summary>What a quiet channel begins with, so that many idle channels cost little.</summary>
    public const int Small = 128;

    /// <summary>What a channel uses once it has filled a batch.</summary>
    public const int Full = 2048;

    /// <summary>The smallest batch that is worth keeping for reuse.</summary>
    public const int Pooled = Full;
}
