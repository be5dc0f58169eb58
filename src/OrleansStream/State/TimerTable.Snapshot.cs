using Orleans.Serialization.Session;

namespace OrleansStream.State;

internal sealed partial class TimerTable
{
    public override FrozenKeyedColumn Freeze(int slots, uint since) => new Frozen(_cells.Freeze(_pool.Limit, since), _tombstones.Freeze(since));

    public override void Forget(uint epoch) => _tombstones.Forget(epoch);

    public override void NextEpoch() => _cells.NextEpoch();

    public override void Restore(int slot, byte op, ref ReadOnlySpan<byte> source, SerializerSession session)
    {
        var at = SegmentBuffer.ReadInt64(ref source);
        if (op == RemoveOp) Delete(slot, at);
        else Register(slot, at);
    }

    public override void EndRestore(HashSet<int> leftSlots)
    {
        if (leftSlots.Count == 0) return;
        for (var entry = 0; entry < _pool.Limit; entry++)
        {
            var cell = _cells.Read(entry);
            if (cell.Born != 0 && leftSlots.Contains(cell.Owner)) Drop(entry, TagOf(cell.Owner, cell.At));
        }

        _heap.Rebuild(IsLive);
    }

    private sealed class Frozen(FrozenColumn<Cell> cells, ReadOnlyMemory<Tombstone<Removed>> tombstones) : FrozenKeyedColumn
    {
        public override void Encode(FrozenKeys keys, SegmentBlocks blocks, uint since)
        {
            foreach (var tombstone in tombstones.Span)
            {
                if (!keys.IsLive(tombstone.Removed.Owner)) continue;
                keys.Begin(blocks, tombstone.Removed.Owner, RemoveOp).WriteInt64(tombstone.Removed.At);
            }

            for (var p = 0; p < cells.PageCount; p++)
            {
                foreach (ref readonly var cell in cells.Page(p))
                {
                    if (cell.Born <= since) continue;
                    keys.Begin(blocks, cell.Owner, SetOp).WriteInt64(cell.At);
                }

                cells.Pass(p);
                blocks.ThrowIfReleased();
            }
        }

        public override void Release() => cells.Release();
    }
}
