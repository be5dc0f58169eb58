using Orleans.Serialization.Session;

namespace OrleansStream.State;

/// <summary>The slots of one operator's keys, as its columns see them.</summary>
internal abstract class KeyedSlots
{
    private int[] _uses = [];

    /// <summary>How many slots have no use: so that asking after each record touches the counts of uses only when there is something to find.</summary>
    private int _unusedSlots;

    /// <summary>The hash of the key that lives in a slot.</summary>
    public abstract ulong HashOf(int slot);

    /// <summary>All slot numbers are below it.</summary>
    public abstract int SlotLimit { get; }

    /// <summary>Lets the key in a slot leave if it has nothing left.</summary>
    public abstract void Free(int slot);

    /// <summary>Counts a value, a list, a map or a timer that the key now has.</summary>
    public void AddUse(int slot)
    {
        if (_uses[slot]++ == 0) _unusedSlots--;
    }

    /// <summary>Counts one less; at 0 the key may leave.</summary>
    public void DropUse(int slot)
    {
        var left = --_uses[slot];
        if (left < 0) throw new InvalidOperationException($"Slot {slot} has less state than none: something was cleared twice.");
        if (left == 0) _unusedSlots++;
    }

    /// <summary>Whether the key in a taken slot has nothing.</summary>
    public bool IsUnused(int slot) => _unusedSlots > 0 && _uses[slot] == 0;

    /// <summary>Whether any key has nothing.</summary>
    protected bool HasUnused => _unusedSlots > 0;

    /// <summary>Counts a slot that a key has just taken.</summary>
    protected void TakeUnused() => _unusedSlots++;

    /// <summary>Counts a slot that a key without uses has just left.</summary>
    protected void LeaveUnused() => _unusedSlots--;

    protected void ReserveUses(int slots)
    {
        if (slots > _uses.Length) Array.Resize(ref _uses, Math.Max(slots, _uses.Length * 2));
    }
}

/// <summary>One declared state, or the timers, of all keys of an operator in a subtask.</summary>
internal abstract class KeyedColumn(StateShape shape)
{
    /// <summary>The entry takes something back.</summary>
    public const byte RemoveOp = 0;

    /// <summary>The entry sets or adds something.</summary>
    public const byte SetOp = 1;

    /// <summary>What the column keeps, as segments name it.</summary>
    public StateShape Shape => shape;

    /// <summary>Removes everything that a key has here.</summary>
    public abstract void Clear(int slot);

    /// <summary>What puts back everything that a key has here now.</summary>
    public abstract Action Saved(int slot);

    /// <summary>Makes room for key slots below <paramref name="slots"/>.</summary>
    public abstract void Reserve(int slots);

    /// <summary>Makes room for so many more entries of its own, if it has some beside those of the slots.</summary>
    public virtual void MakeRoom(int more)
    {
    }

    /// <summary>Freezes the column; see <see cref="ISnapshotPart.Freeze"/>.</summary>
    public abstract FrozenKeyedColumn Freeze(int slots, uint since);

    public abstract void Forget(uint epoch);

    public abstract void NextEpoch();

    /// <summary>Applies one entry of a segment to a key.</summary>
    public abstract void Restore(int slot, byte op, ref ReadOnlySpan<byte> source, SerializerSession session);

    /// <summary>Called once when all entries were applied: clears what keys have that left during the restore.</summary>
    public abstract void EndRestore(HashSet<int> leftSlots);
}

/// <summary>A column as of a freeze.</summary>
internal abstract class FrozenKeyedColumn
{
    /// <summary>See <see cref="IFrozenPart.RoomOf"/>.</summary>
    public virtual long Room => 0;

    /// <summary>
    /// Writes what changed after <paramref name="since"/>, or everything for 0. Each key's entries take effect in the order written. Gives way as
    /// <see cref="IFrozenPart.Encode"/> does.
    /// </summary>
    public abstract IEnumerable<SegmentBlocks> Encode(FrozenKeys keys, SegmentBlocks blocks, uint since);

    public abstract void Release();
}

/// <summary>The keys of an operator as of a freeze.</summary>
internal abstract class FrozenKeys
{
    /// <summary>Whether a key lives in the slot.</summary>
    /// <remarks>
    /// Enough to know whether a removal that was logged by its owner's slot is to be written. If the slot is free, the key that lived there has left, and
    /// its own tombstone takes back all it had. If another key has come since, writing the removal for that key does no harm: it came after the base, so
    /// everything it has is in the same delta, behind the removals.
    /// </remarks>
    public abstract bool IsLive(int slot);

    /// <summary>Begins an entry in the block of the key's group: the operation and the key are written, the caller writes the rest.</summary>
    public abstract SegmentBuffer Begin(SegmentBlocks blocks, int slot, byte op);
}
