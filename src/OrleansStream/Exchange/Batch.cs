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

/// <summary>Keeps batches for reuse, by record type, kind and size; what is over the limit goes to the garbage collector.</summary>
internal static class BatchPool<T>
{
    private static readonly Shelf Plain = new(keyed: false, BatchSize.Full);
    private static readonly Shelf Keyed = new(keyed: true, BatchSize.Full);
    private static readonly Shelf SmallPlain = new(keyed: false, BatchSize.Small);
    private static readonly Shelf SmallKeyed = new(keyed: true, BatchSize.Small);

    /// <summary>An empty batch with room for at least <paramref name="records"/>, for one of the two usual sizes from the pool.</summary>
    public static Batch<T> Rent(int records, bool keyed) => records <= BatchSize.Full ? Of(records <= BatchSize.Small, keyed).Take() : new Batch<T>(records, keyed);

    public static void Return(Batch<T> batch)
    {
        if (batch.Capacity is BatchSize.Full or BatchSize.Small) Of(batch.Capacity == BatchSize.Small, batch.KeyHashes is not null).Put(batch);
    }

    private static Shelf Of(bool small, bool keyed) => small ? (keyed ? SmallKeyed : SmallPlain) : keyed ? Keyed : Plain;

    /// <summary>Batches of one kind and size, the last returned first: its columns may still be in a cache.</summary>
    private sealed class Shelf(bool keyed, int size)
    {
        /// <summary>The most batches that wait for reuse.</summary>
        private const int Limit = 128;

        private readonly Lock _lock = new();
        private readonly Batch<T>?[] _batches = new Batch<T>?[Limit];
        private int _count;

        public Batch<T> Take()
        {
            lock (_lock)
            {
                if (_count > 0)
                {
                    var batch = _batches[--_count]!;
                    _batches[_count] = null;
                    return batch;
                }
            }

            return new Batch<T>(size, keyed);
        }

        public void Put(Batch<T> batch)
        {
            lock (_lock)
            {
                if (_count < Limit) _batches[_count++] = batch;
            }
        }
    }
}

/// <summary>How large batches are, in records.</summary>
internal static class BatchSize
{
    /// <summary>What a quiet channel uses, so that many idle channels cost little.</summary>
    public const int Small = 128;

    /// <summary>What a channel uses whose last batch was more than a small one.</summary>
    public const int Full = 3072;
}
