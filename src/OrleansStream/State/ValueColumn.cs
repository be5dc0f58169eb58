using System.Runtime.CompilerServices;
using Orleans.Serialization.Session;

namespace OrleansStream.State;

/// <summary>One declared value per key. Slots are those of the table that opened the column.</summary>
internal sealed class ValueColumn<V> : KeyedColumn
{
    private const uint Present = 0x8000_0000;

    private readonly ValueState<V> _state;
    private readonly KeyedSlots _slots;
    private readonly StateCodec<V> _codec;
    private readonly PagedColumn<Cell> _cells = new();

    public ValueColumn(ValueState<V> state, KeyedSlots slots, StateSerializers serializers)
        : this(state, slots, serializers.For<V>())
    {
    }

    /// <summary>A column that is saved as something else than a declared value.</summary>
    public ValueColumn(ValueState<V> state, KeyedSlots slots, StateCodec<V> codec, StateShape shape)
        : base(shape)
    {
        _state = state;
        _slots = slots;
        _codec = codec;
    }

    private ValueColumn(ValueState<V> state, KeyedSlots slots, StateCodec<V> codec)
        : this(state, slots, codec, new StateShape("", StateKind.Value, state.Name, codec.Signature))
    {
    }

    /// <summary>How many pages were copied for frozen views so far.</summary>
    internal long CopiedPages => _cells.CopiedPages;

    public bool Has(int slot) => (_cells.Read(slot).Mark & Present) != 0;

    /// <summary>The value, or the declared default of a key that has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Get(int slot)
    {
        ref readonly var cell = ref _cells.Read(slot);
        return (cell.Mark & Present) != 0 ? cell.Value : _state.Default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Set(int slot, in V value) => GetRefForWrite(slot) = value;

    /// <summary>
    /// The value in place, to be changed before anything else is asked of the table; the declared default where there was none. It counts as set.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref V GetRefForWrite(int slot)
    {
        ref var cell = ref _cells.Write(slot);
        if ((cell.Mark & Present) == 0) Appear(ref cell, slot);
        cell.Mark = _cells.Epoch | Present;
        return ref cell.Value;
    }

    public override void Clear(int slot)
    {
        if (!Has(slot)) return;
        ref var cell = ref _cells.Write(slot);
        cell.Value = default!;
        cell.Mark = _cells.Epoch;
        _slots.DropUse(slot);
    }

    public override Action Saved(int slot)
    {
        if (!Has(slot)) return () => Clear(slot);
        var value = Get(slot);
        return () => Set(slot, value);
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
        if (op == RemoveOp) Clear(slot);
        else Set(slot, _codec.Read(ref source, session));
    }

    private void Appear(ref Cell cell, int slot)
    {
        cell.Value = _state.Default;
        _slots.AddUse(slot);
    }

    private struct Cell
    {
        public V Value;

        /// <summary>The epoch of the last change, and whether there is a value.</summary>
        public uint Mark;
    }

    private sealed class Frozen(FrozenColumn<Cell> cells, StateCodec<V> codec) : FrozenKeyedColumn
    {
        public override IEnumerable<SegmentBlocks> Encode(FrozenKeys keys, SegmentBlocks blocks, uint since) =>
            cells.EncodePages(blocks, (page, firstSlot, next) => EncodePage(page, firstSlot, next, keys, blocks, since));

        private int EncodePage(ReadOnlySpan<Cell> page, int firstSlot, int next, FrozenKeys keys, SegmentBlocks blocks, uint since)
        {
            while (next < page.Length)
            {
                ref readonly var cell = ref page[next];
                var slot = firstSlot + next++;
                if ((cell.Mark & ~Present) <= since) continue;
                var isSet = (cell.Mark & Present) != 0;
                if ((!isSet && since == 0) || !keys.IsLive(slot)) continue;
                var target = keys.Begin(blocks, slot, isSet ? SetOp : RemoveOp);
                if (isSet) codec.Write(target, in cell.Value, blocks.Session);
                if (blocks.IsFull) break;
            }

            return next;
        }

        public override void Release() => cells.Release();
    }
}
