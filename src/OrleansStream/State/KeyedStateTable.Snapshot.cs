using System.Runtime.CompilerServices;

namespace OrleansStream.State;

internal sealed partial class KeyedStateTable<TKey>
{
    private readonly HashSet<int> _leftSlots = [];

    public IFrozenPart Freeze(uint since)
    {
        var slots = _pool.Limit;
        var keys = new FrozenCells(_cells.Freeze(slots, since: 0), _codec);
        return new Frozen(keys, [.. _columns.Select(c => c.Freeze(slots, since))], _tombstones.Freeze(since), KeyCount, since);
    }

    public void Forget(uint epoch)
    {
        _tombstones.Forget(epoch);
        foreach (var column in _columns) column.Forget(epoch);
    }

    [MethodImpl(Compilation.AtOnce)]
    public void Restore(int shape, RestoredSection section)
    {
        var source = section.Entries.Span;
        var next = -1;
        for (var i = 0; i < section.Count; i++)
        {
            var op = SegmentBuffer.ReadByte(ref source);
            var key = _codec.Read(ref source);

            // The keys of a group come in one order in each state, so that as a rule this is the one behind the last.
            var slot = IsAt(next, key) ? next : -1;
            var hash = slot >= 0 ? GroupHashOf(slot) : _codec.Hash(key);
            var group = KeyGroups.Of(hash, _maxParallelism);
            if (group != section.Group) throw StrayKey.Restored(key, section.Group, group);
            if (shape == 0)
            {
                Leave(key, hash);
                continue;
            }

            if (slot < 0) slot = GetOrAddSlot(key, hash);
            _columns[shape - 1].Restore(slot, op, ref source, section.Session);
            next = slot + 1;
        }

        if (source.Length > 0) throw new InvalidOperationException($"{source.Length} bytes are left over behind {section.Count} entries");
    }

    public void RestoreLine(int shape, long line, KeyGroupRange groups)
    {
        // Keyed state keeps none.
    }

    public void MakeRoom(int shape, int more)
    {
        if (shape > 0)
        {
            _columns[shape - 1].MakeRoom(more);
            return;
        }

        _index.MakeRoom(more);
        Reserve(_pool.Limit + more);
    }

    public void EndRestore()
    {
        foreach (var column in _columns) column.EndRestore(_leftSlots);
        foreach (var slot in _leftSlots)
        {
            _cells.Write(slot) = default;
            LeaveUnused();
            _pool.Return(slot);
        }

        _leftSlots.Clear();
        foreach (var expiry in _expiries) expiry.DropStrays();
        for (var slot = 0; HasUnused && slot < _pool.Limit; slot++)
        {
            if (IsLive(slot)) ReleaseIfEmpty(slot);
        }

        _cells.NextEpoch();
        foreach (var column in _columns) column.NextEpoch();
        foreach (var expiry in _expiries) expiry.AddMissing();
    }

    private bool IsAt(int slot, TKey key)
    {
        if ((uint)slot >= (uint)_pool.Limit) return false;
        ref readonly var cell = ref _cells.Read(slot);
        return cell.Born != 0 && KeyCodec<TKey>.Same(cell.Key, key) && !_leftSlots.Contains(slot);
    }

    // The key left before the delta's end. What it had stays in the old slot until the restore ends, and a key that comes back gets another slot:
    // so no column has to find a key's entries in the middle of a restore.
    private void Leave(TKey key, ulong hash)
    {
        var slot = Find(key, hash);
        if (slot < 0) return;
        _index.Remove(SlotIndex.TagOf(Spread(key, hash)), slot);
        _leftSlots.Add(slot);
    }

    private sealed class FrozenCells(FrozenColumn<Cell> cells, KeyCodec<TKey> codec) : FrozenKeys
    {
        public override bool IsLive(int slot) => cells.Cell(slot).Born != 0;

        public override SegmentBuffer Begin(SegmentBlocks blocks, int slot, byte op)
        {
            var cell = cells.Cell(slot);
            if (cell.Born == 0) throw new InvalidOperationException($"Slot {slot} has state but no key.");
            return Begin(blocks, cell.Hash, cell.Key, op);
        }

        public SegmentBuffer Begin(SegmentBlocks blocks, ulong hash, TKey key, byte op)
        {
            var target = blocks.Begin(hash);
            target.WriteByte(op);
            codec.Write(target, key);
            return target;
        }

        public void Release() => cells.Release();
    }

    private sealed class Frozen(FrozenCells keys, FrozenKeyedColumn[] columns, ReadOnlyMemory<Tombstone<Removed>> tombstones, int count, uint since) : IFrozenPart
    {
        public long LineOf(int shape) => 0;

        public long RoomOf(int shape) => shape == 0 ? count : columns[shape - 1].Room;

        public IEnumerable<SegmentBlocks> Encode(SegmentBlocks blocks, int firstDeclaration)
        {
            blocks.Open(firstDeclaration);
            for (var i = 0; i < tombstones.Length; i++)
            {
                var removed = tombstones.Span[i].Removed;
                keys.Begin(blocks, removed.Hash, removed.Key, KeyedColumn.RemoveOp);
                if (blocks.IsFull) yield return blocks;
            }

            blocks.Close();
            for (var i = 0; i < columns.Length; i++)
            {
                blocks.Open(firstDeclaration + 1 + i);
                foreach (var full in columns[i].Encode(keys, blocks, since)) yield return full;
                blocks.Close();
            }

            Release();
        }

        public void Release()
        {
            foreach (var column in columns) column.Release();
            keys.Release();
        }
    }
}
