using System.Runtime.CompilerServices;
using Orleans.Serialization.Session;

namespace OrleansStream.State;

internal sealed partial class TimerTable
{
    public override FrozenKeyedColumn Freeze(int slots, uint since) => new Frozen(_cells.Freeze(_pool.Limit, since), _tombstones.Freeze(since), Count);

    public override void Forget(uint epoch) => _tombstones.Forget(epoch);

    public override void NextEpoch() => _cells.NextEpoch();

    public override void MakeRoom(int more)
    {
        _index.MakeRoom(more);
        _cells.Reserve(_pool.Limit + more);
    }

    [MethodImpl(Compilation.AtOnce)]
    public override void Restore(int slot, byte op, ref ReadOnlySpan<byte> source, SerializerSession session)
    {
        var at = SegmentBuffer.ReadInt64(ref source);
        if (op == RemoveOp) Delete(slot, at);
        else TryAdd(slot, at, out _);
    }

    [MethodImpl(Compilation.AtOnce)]
    public override void EndRestore(HashSet<int> leftSlots)
    {
        for (var entry = 0; leftSlots.Count > 0 && entry < _pool.Limit; entry++)
        {
            var cell = _cells.Read(entry);
            if (cell.Born != 0 && leftSlots.Contains(cell.Owner)) Drop(entry, TagOf(cell.Owner, cell.At));
        }

        var items = new TimerHeap.Item[Count];
        var next = 0;
        for (var entry = 0; entry < _pool.Limit; entry++)
        {
            ref readonly var cell = ref _cells.Read(entry);
            if (cell.Born != 0) items[next++] = new TimerHeap.Item(cell.At, _slots.HashOf(cell.Owner), entry);
        }

        _queue.Load(items);
    }

    private sealed class Frozen(FrozenColumn<Cell> cells, ReadOnlyMemory<Tombstone<Removed>> tombstones, int count) : FrozenKeyedColumn
    {
        public override long Room => count;

        public override IEnumerable<SegmentBlocks> Encode(FrozenKeys keys, SegmentBlocks blocks, uint since)
        {
            for (var i = 0; i < tombstones.Length; i++)
            {
                var removed = tombstones.Span[i].Removed;
                if (!keys.IsLive(removed.Owner)) continue;
                keys.Begin(blocks, removed.Owner, RemoveOp).WriteInt64(removed.At);
                if (blocks.IsFull) yield return blocks;
            }

            foreach (var full in cells.EncodePages(blocks, (page, _, next) => EncodePage(page, next, keys, blocks, since))) yield return full;
        }

        private static int EncodePage(ReadOnlySpan<Cell> page, int next, FrozenKeys keys, SegmentBlocks blocks, uint since)
        {
            while (next < page.Length)
            {
                ref readonly var cell = ref page[next++];
                if (cell.Born <= since) continue;
                keys.Begin(blocks, cell.Owner, SetOp).WriteInt64(cell.At);
                if (blocks.IsFull) break;
            }

            return next;
        }

        public override void Release() => cells.Release();
    }
}
