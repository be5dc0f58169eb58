using System.Numerics;

namespace OrleansStream.State;

/// <summary>
/// From hashes to slots: open addressing, linear probing. A bucket keeps the upper half of the hash as its tag, from which its home place follows,
/// so that growing and removing touch nothing but the index. (The lower half decides the key group and is alike within a subtask.)
/// </summary>
/// <remarks>
/// To look up, walk from <see cref="Home"/> while <see cref="Bucket.SlotPlusOne"/> is not 0, compare the tag, then the key. At least half of the buckets are
/// empty, so every walk ends, and most end at once: with random keys a second step is a mispredicted branch, which costs more than the room.
/// </remarks>
internal sealed class SlotIndex
{
    private const int FirstBits = 4;
    private const int MostBits = 30;

    private int _shift;

    public SlotIndex()
    {
        Buckets = new Bucket[1 << FirstBits];
        _shift = 32 - FirstBits;
    }

    public Bucket[] Buckets { get; private set; }

    public int Count { get; private set; }

    public static uint TagOf(ulong hash) => (uint)(hash >> 32);

    /// <summary>Spreads the hash of one part over another, for keys of two parts.</summary>
    public static ulong Mix(ulong hash, ulong other)
    {
        var h = hash ^ (other * 0x9E3779B97F4A7C15UL);
        h ^= h >> 32;
        h *= 0xD6E8FEB86659FD93UL;
        h ^= h >> 32;
        return h * 0xD6E8FEB86659FD93UL;
    }

    public int Home(uint tag) => (int)(tag >> _shift);

    /// <summary>Adds a slot that is not in the index.</summary>
    public void Add(uint tag, int slot)
    {
        if (Count >= Buckets.Length / 2) GrowTo(BitOperations.Log2((uint)Buckets.Length) + 1);
        Put(tag, slot + 1);
        Count++;
    }

    /// <summary>Makes room for so many more slots at once.</summary>
    public void MakeRoom(int more)
    {
        var bits = 64 - BitOperations.LeadingZeroCount((ulong)Math.Max(0, (2L * (Count + (long)more)) - 1));
        if (bits > BitOperations.Log2((uint)Buckets.Length)) GrowTo(bits);
    }

    /// <summary>Removes a slot that is in the index.</summary>
    public void Remove(uint tag, int slot)
    {
        var buckets = Buckets;
        var mask = buckets.Length - 1;
        var hole = Home(tag);
        while (buckets[hole].SlotPlusOne != slot + 1)
        {
            if (buckets[hole].SlotPlusOne == 0) throw new InvalidOperationException($"Slot {slot} is not in the index: its key was changed or removed twice.");
            hole = (hole + 1) & mask;
        }

        // Backward shift: whatever may move nearer to its home moves into the hole, so that no walk is cut short.
        for (var next = (hole + 1) & mask; buckets[next].SlotPlusOne != 0; next = (next + 1) & mask)
        {
            var home = Home(buckets[next].Tag);
            if (((next - home) & mask) < ((next - hole) & mask)) continue;
            buckets[hole] = buckets[next];
            hole = next;
        }

        buckets[hole] = default;
        Count--;
    }

    /// <summary>Removes all, and keeps the room.</summary>
    public void Clear()
    {
        Array.Clear(Buckets);
        Count = 0;
    }

    private void Put(uint tag, int slotPlusOne)
    {
        var buckets = Buckets;
        var i = Home(tag);
        while (buckets[i].SlotPlusOne != 0) i = (i + 1) & (buckets.Length - 1);
        buckets[i] = new Bucket { Tag = tag, SlotPlusOne = slotPlusOne };
    }

    private void GrowTo(int bits)
    {
        var old = Buckets;
        if (bits > MostBits)
        {
            throw new InvalidOperationException("A subtask keeps more entries than the index can hold; run the stage at a larger parallelism.");
        }

        Buckets = new Bucket[1 << bits];
        _shift = 32 - bits;
        foreach (var bucket in old)
        {
            if (bucket.SlotPlusOne != 0) Put(bucket.Tag, bucket.SlotPlusOne);
        }
    }

    public struct Bucket
    {
        public uint Tag;

        /// <summary>0 in an empty bucket.</summary>
        public int SlotPlusOne;
    }
}

/// <summary>Hands out slot numbers, freed ones first, so that slots stay dense.</summary>
internal sealed class SlotPool
{
    private int[] _free = [];
    private int _freeCount;

    /// <summary>Slots ever handed out: all slot numbers are below it.</summary>
    public int Limit { get; private set; }

    /// <summary>Slots in use.</summary>
    public int InUse => Limit - _freeCount;

    public int Take() => _freeCount > 0 ? _free[--_freeCount] : Limit++;

    public void Return(int slot)
    {
        if (_freeCount == _free.Length) Array.Resize(ref _free, Math.Max(16, _free.Length * 2));
        _free[_freeCount++] = slot;
    }
}
