using Orleans.Serialization.Session;

namespace OrleansStream.State;

/// <summary>The slots of one operator's keys, as its columns see them.</summary>
internal abstract class KeyedSlots
{
    private int[] _uses = [];

    /// <summary>The hash of the key that lives in a slot.</summary>
    public abstract ulong HashOf(int slot);

    /// <summary>Counts a value, a list, a map or a timer that the key now has.</summary>
    public void AddUse(int slot) => _uses[slot]++;

    /// <summary>Counts one less; at 0 the key may leave.</summary>
    public void DropUse(int slot)
    {
        if (--_uses[slot] < 0) throw new InvalidOperationException($"Slot {slot} has less state than none: something was cleared twice.");
    }

    public bool IsUsed(int slot) => _uses[slot] != 0;

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

    /// <summary>Makes room for key slots below <paramref name="slots"/>.</summary>
    public abstract void Reserve(int slots);

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
    /// <summary>Writes what changed after <paramref name="since"/>, or everything for 0. Each key's entries take effect in the order written.</summary>
    public abstract void Encode(FrozenKeys keys, SegmentBlocks blocks, uint since);

    public abstract void Release();
}

/// <summary>The keys of an operator as of a freeze.</summary>
internal abstract class FrozenKeys
{
    /// <summary>The epoch in which the key came into the slot; 0 when the slot is free.</summary>
    public abstract uint BornOf(int slot);

    /// <summary>Begins an entry in the block of the key's group: the operation and the key are written, the caller writes the rest.</summary>
    public abstract SegmentBuffer Begin(SegmentBlocks blocks, int slot, byte op);

    /// <summary>
    /// Whether a removal logged in <paramref name="epoch"/> by the slot's number still concerns the key that lives there. When the former key has left since,
    /// its own tombstone covers it; when slot and key changed within that one epoch, the answer is a harmless yes: all that the new key has is newer and is written after.
    /// </summary>
    public bool Concerns(int slot, uint epoch) => BornOf(slot) is var born && born != 0 && born <= epoch;
}
