using System.Runtime.CompilerServices;
using Orleans.Serialization.Session;

namespace OrleansStream.State;

internal sealed partial class MapColumn<MK, MV>
{
    public override FrozenKeyedColumn Freeze(int slots, uint since) =>
        new Frozen(_cells.Freeze(_pool.Limit, since), _tombstones.Freeze(since), _keys, _values, _pool.InUse);

    public override void Forget(uint epoch) => _tombstones.Forget(epoch);

    public override void NextEpoch() => _cells.NextEpoch();

    public override void MakeRoom(int more)
    {
        _index.MakeRoom(more);
        ReserveEntries(_pool.Limit + more);
    }

    [MethodImpl(Compilation.AtOnce)]
    public override void Restore(int slot, byte op, ref ReadOnlySpan<byte> source, SerializerSession session)
    {
        var key = _keys.Read(ref source);
        if (op == RemoveOp)
        {
            Remove(slot, key);
            return;
        }

        var order = SegmentBuffer.ReadInt64(ref source);
        var value = _values.Read(ref source, session);
        var entry = Find(slot, key, out var tag);
        if (entry < 0)
        {
            Add(slot, key, tag, order, in value);
        }
        else
        {
            Overwrite(entry, in value);
            _cells.Write(entry).Order = order;
        }

        _nextOrder = Math.Max(_nextOrder, order + 1);
    }

    [MethodImpl(Compilation.AtOnce)]
    public override void EndRestore(HashSet<int> leftSlots)
    {
        foreach (var slot in leftSlots) Clear(slot);
        var entries = new List<int>();
        for (var slot = 0; slot < _chains.Length; slot++)
        {
            if (_chains[slot].Count < 2) continue;
            entries.Clear();
            for (var entry = FirstOf(slot); entry >= 0; entry = NextOf(entry)) entries.Add(entry);
            entries.Sort((left, right) => _cells.Read(left).Order.CompareTo(_cells.Read(right).Order));
            Relink(slot, entries);
        }
    }

    private void Relink(int slot, List<int> entries)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            _links[entries[i]] = new Link
            {
                Previous = i > 0 ? entries[i - 1] + 1 : 0,
                Next = i + 1 < entries.Count ? entries[i + 1] + 1 : 0,
            };
        }

        _chains[slot].First = entries[0] + 1;
        _chains[slot].Last = entries[^1] + 1;
    }

    private sealed class Frozen(
        FrozenColumn<Cell> cells, ReadOnlyMemory<Tombstone<Removed>> tombstones, KeyCodec<MK> mapKeys, StateCodec<MV> values, int count)
        : FrozenKeyedColumn
    {
        public override long Room => count;

        public override IEnumerable<SegmentBlocks> Encode(FrozenKeys keys, SegmentBlocks blocks, uint since)
        {
            for (var i = 0; i < tombstones.Length; i++)
            {
                var removed = tombstones.Span[i].Removed;
                if (!keys.IsLive(removed.Owner)) continue;
                mapKeys.Write(keys.Begin(blocks, removed.Owner, RemoveOp), removed.Key);
                if (blocks.IsFull) yield return blocks;
            }

            foreach (var full in cells.EncodePages(blocks, (page, _, next) => EncodePage(page, next, keys, blocks, since))) yield return full;
        }

        private int EncodePage(ReadOnlySpan<Cell> page, int next, FrozenKeys keys, SegmentBlocks blocks, uint since)
        {
            while (next < page.Length)
            {
                ref readonly var cell = ref page[next++];
                if (cell.Changed <= since) continue;
                var target = keys.Begin(blocks, cell.Owner, SetOp);
                mapKeys.Write(target, cell.Key);
                target.WriteInt64(cell.Order);
                values.Write(target, in cell.Value, blocks.Session);
                if (blocks.IsFull) break;
            }

            return next;
        }

        public override void Release() => cells.Release();
    }
}
