using Orleans.Serialization.Session;

namespace OrleansStream.State;

internal sealed partial class MapColumn<MK, MV>
{
    public override FrozenKeyedColumn Freeze(int slots, uint since) =>
        new Frozen(_cells.Freeze(_pool.Limit, since), _tombstones.Freeze(since), _keys, _values);

    public override void Forget(uint epoch) => _tombstones.Forget(epoch);

    public override void NextEpoch() => _cells.NextEpoch();

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

    private sealed class Frozen(FrozenColumn<Cell> cells, ReadOnlyMemory<Tombstone<Removed>> tombstones, KeyCodec<MK> mapKeys, StateCodec<MV> values)
        : FrozenKeyedColumn
    {
        public override void Encode(FrozenKeys keys, SegmentBlocks blocks, uint since)
        {
            foreach (var tombstone in tombstones.Span)
            {
                if (!keys.IsLive(tombstone.Removed.Owner)) continue;
                mapKeys.Write(keys.Begin(blocks, tombstone.Removed.Owner, RemoveOp), tombstone.Removed.Key);
            }

            for (var p = 0; p < cells.PageCount; p++)
            {
                foreach (ref readonly var cell in cells.Page(p))
                {
                    if (cell.Changed <= since) continue;
                    var target = keys.Begin(blocks, cell.Owner, SetOp);
                    mapKeys.Write(target, cell.Key);
                    target.WriteInt64(cell.Order);
                    values.Write(target, in cell.Value, blocks.Session);
                }

                cells.Pass(p);
                blocks.ThrowIfReleased();
            }
        }

        public override void Release() => cells.Release();
    }
}
