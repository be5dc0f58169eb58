using System.Runtime.CompilerServices;
using Orleans.Serialization.Session;

namespace OrleansStream.State;

/// <summary>
/// One declared list per key. Items are only ever appended to an array, behind every count that a frozen view or a reader has taken; emptying or replacing a
/// list takes a new array. So a frozen list is an array and a count, and a span that was handed out stays what it was.
/// </summary>
internal sealed class ListColumn<V> : KeyedColumn
{
    private readonly KeyedSlots _slots;
    private readonly StateCodec<V> _codec;
    private readonly PagedColumn<Cell> _cells = new();

    public ListColumn(ListState<V> state, KeyedSlots slots, StateSerializers serializers)
        : this(slots, serializers.For<V>(), new StateShape("", StateKind.List, state.Name, serializers.For<V>().Signature))
    {
    }

    /// <summary>A column that is saved as something else than a declared list.</summary>
    public ListColumn(KeyedSlots slots, StateCodec<V> codec, StateShape shape)
        : base(shape)
    {
        _slots = slots;
        _codec = codec;
    }

    public int Count(int slot) => _cells.Read(slot).Count;

    /// <summary>The items in the order of adding, as they are now: later changes do not show.</summary>
    public ReadOnlySpan<V> Items(int slot) => ItemsMemory(slot).Span;

    /// <summary>The same as <see cref="Items"/>, to be kept.</summary>
    public ReadOnlyMemory<V> ItemsMemory(int slot)
    {
        ref readonly var cell = ref _cells.Read(slot);
        return cell.Items.AsMemory(0, cell.Count);
    }

    public void Add(int slot, in V item)
    {
        ref var cell = ref _cells.Write(slot);
        if (cell.Count == 0) _slots.AddUse(slot);
        if (cell.Items is null || cell.Count == cell.Items.Length) Grow(ref cell);
        cell.Items![cell.Count++] = item;
        cell.Changed = _cells.Epoch;
    }

    /// <summary>Puts a copy of <paramref name="items"/> in place of what was there.</summary>
    public void Replace(int slot, ReadOnlySpan<V> items)
    {
        var copy = items.ToArray();
        Clear(slot);
        if (copy.Length > 0) Put(slot, copy);
    }

    public override void Clear(int slot)
    {
        if (_cells.Read(slot).Count == 0) return;
        _cells.Write(slot) = new Cell { Changed = _cells.Epoch };
        _slots.DropUse(slot);
    }

    public override Action Saved(int slot)
    {
        var items = ItemsMemory(slot);
        return () => Replace(slot, items.Span);
    }

    public override void Reserve(int slots) => _cells.Reserve(slots);

    public override FrozenKeyedColumn Freeze(int slots, uint since) => new Frozen(_cells.Freeze(slots, since), _codec);

    public override void Forget(uint epoch)
    {
        // What was cleared is marked in its cell, or went with the key.
    }

    public override void NextEpoch() => _cells.NextEpoch();

    public override void EndRestore(HashSet<int> leftSlots)
    {
        foreach (var slot in leftSlots) Clear(slot);
    }

    [MethodImpl(Compilation.AtOnce)]
    public override void Restore(int slot, byte op, ref ReadOnlySpan<byte> source, SerializerSession session)
    {
        Clear(slot);
        if (op == RemoveOp) return;
        var items = new V[SegmentBuffer.ReadInt32(ref source)];
        for (var i = 0; i < items.Length; i++) items[i] = _codec.Read(ref source, session);
        Put(slot, items);
    }

    private void Put(int emptySlot, V[] items)
    {
        _cells.Write(emptySlot) = new Cell { Items = items, Count = items.Length, Changed = _cells.Epoch };
        _slots.AddUse(emptySlot);
    }

    private static void Grow(ref Cell cell)
    {
        var grown = new V[Math.Max(4, cell.Count * 2)];
        cell.Items.AsSpan(0, cell.Count).CopyTo(grown);
        cell.Items = grown;
    }

    private struct Cell
    {
        public V[]? Items;
        public int Count;

        /// <summary>The epoch of the last change.</summary>
        public uint Changed;
    }

    private sealed class Frozen(FrozenColumn<Cell> cells, StateCodec<V> codec) : FrozenKeyedColumn
    {
        public override IEnumerable<SegmentBlocks> Encode(FrozenKeys keys, SegmentBlocks blocks, uint since) =>
            cells.EncodePages(blocks, (page, firstSlot, next) => EncodePage(page, firstSlot, next, keys, blocks, since));

        private int EncodePage(ReadOnlySpan<Cell> page, int firstSlot, int next, FrozenKeys keys, SegmentBlocks blocks, uint since)
        {
            while (next < page.Length)
            {
                var cell = page[next];
                var slot = firstSlot + next++;
                if (cell.Changed <= since || (cell.Count == 0 && since == 0) || !keys.IsLive(slot)) continue;
                var target = keys.Begin(blocks, slot, cell.Count > 0 ? SetOp : RemoveOp);
                if (cell.Count > 0) target.WriteInt32(cell.Count);
                foreach (ref readonly var item in cell.Items.AsSpan(0, cell.Count)) codec.Write(target, in item, blocks.Session);
                if (blocks.IsFull) break;
            }

            return next;
        }

        public override void Release() => cells.Release();
    }
}
