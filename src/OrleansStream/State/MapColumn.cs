namespace OrleansStream.State;

// Contract: one map per key, its entries stored apart.
// - An entry is a slot of a second table, found by (owner slot, map key); a change costs that entry, in memory and in a delta.
// - Entries are enumerated in the order in which their keys came into the map, over restores too: every entry keeps an order number, and a restore
//   sorts by it. Setting a key that is there keeps its place.
// - A removal is logged by the owner's slot. When the owner leaves, its own tombstone takes the whole map (see FrozenKeys.IsLive).
// - An owner that is freed has no entries, so an entry's owner slot never changes hands under it.

/// <summary>One declared map per key. Slots are those of the table that opened the column.</summary>
internal sealed partial class MapColumn<MK, MV> : KeyedColumn
    where MK : notnull
{
    private readonly KeyedSlots _slots;
    private readonly KeyCodec<MK> _keys;
    private readonly StateCodec<MV> _values;
    private readonly PagedColumn<Cell> _cells = new();
    private readonly SlotIndex _index = new();
    private readonly SlotPool _pool = new();
    private readonly TombstoneLog<Removed> _tombstones = new();

    // Bookkeeping of the owner's thread, never frozen: the entries of each key in a chain. All numbers are one more than the entry's; 0 is none.
    private Link[] _links = [];
    private Chain[] _chains = [];
    private long _nextOrder = 1;

    public MapColumn(MapState<MK, MV> state, KeyedSlots slots, StateSerializers serializers)
        : this(state, slots, KeyCodec<MK>.Default, serializers.For<MV>())
    {
    }

    /// <summary>A column that is saved as something else than a declared map.</summary>
    public MapColumn(KeyedSlots slots, KeyCodec<MK> keys, StateCodec<MV> values, StateShape shape)
        : base(shape)
    {
        _slots = slots;
        _keys = keys;
        _values = values;
    }

    private MapColumn(MapState<MK, MV> state, KeyedSlots slots, KeyCodec<MK> keys, StateCodec<MV> values)
        : this(slots, keys, values, new StateShape("", StateKind.Map, state.Name, $"{keys.Signature}->{values.Signature}"))
    {
    }

    /// <summary>All entries of all keys have numbers below it.</summary>
    internal int EntryLimit => _pool.Limit;

    /// <summary>Moves on when an entry of any key comes or goes; enumerations compare it.</summary>
    internal int Version { get; private set; }

    public int Count(int slot) => _chains[slot].Count;

    public bool TryGet(int slot, MK key, out MV value)
    {
        var entry = Find(slot, key, out _);
        value = entry < 0 ? default! : _cells.Read(entry).Value;
        return entry >= 0;
    }

    public void Set(int slot, MK key, in MV value)
    {
        var entry = Find(slot, key, out var tag);
        if (entry < 0) Add(slot, key, tag, _nextOrder++, in value);
        else Overwrite(entry, in value);
    }

    public bool Remove(int slot, MK key)
    {
        var entry = Find(slot, key, out _);
        if (entry < 0) return false;
        Drop(entry);
        return true;
    }

    public override void Clear(int slot)
    {
        while (_chains[slot].First != 0) Drop(_chains[slot].First - 1);
    }

    /// <summary>
    /// The entries in the order in which their keys came into the map. Values may be set on the way; adding or removing entries ends the enumeration with an
    /// <see cref="InvalidOperationException"/> at its next step.
    /// </summary>
    public MapEntries<MK, MV> Entries(int slot) => new(this, slot);

    public override Action Saved(int slot)
    {
        var entries = Entries(slot).ToArray();
        return () =>
        {
            Clear(slot);
            foreach (var (key, value) in entries) Set(slot, key, value);
        };
    }

    public override void Reserve(int slots)
    {
        if (slots > _chains.Length) Array.Resize(ref _chains, Math.Max(slots, _chains.Length * 2));
    }

    internal int FirstOf(int slot) => _chains[slot].First - 1;

    internal int NextOf(int entry) => _links[entry].Next - 1;

    internal KeyValuePair<MK, MV> EntryAt(int entry)
    {
        ref readonly var cell = ref _cells.Read(entry);
        return new(cell.Key, cell.Value);
    }

    /// <summary>The key's slot and the map key of an entry, if there is an entry of that number.</summary>
    internal bool TryEntry(int entry, out int owner, out MK key)
    {
        ref readonly var cell = ref _cells.Read(entry);
        (owner, key) = (cell.Owner, cell.Key);
        return cell.Changed != 0;
    }

    private int Find(int owner, MK key, out uint tag)
    {
        tag = SlotIndex.TagOf(SlotIndex.Mix(_keys.Hash(key), (uint)owner));
        var buckets = _index.Buckets;
        for (var i = _index.Home(tag); ; i = (i + 1) & (buckets.Length - 1))
        {
            ref var bucket = ref buckets[i];
            if (bucket.SlotPlusOne == 0) return -1;
            if (bucket.Tag != tag) continue;
            ref readonly var cell = ref _cells.Read(bucket.SlotPlusOne - 1);
            if (cell.Owner == owner && KeyCodec<MK>.Same(cell.Key, key)) return bucket.SlotPlusOne - 1;
        }
    }

    private void Overwrite(int entry, in MV value)
    {
        ref var cell = ref _cells.Write(entry);
        cell.Value = value;
        cell.Changed = _cells.Epoch;
    }

    private void Add(int owner, MK key, uint tag, long order, in MV value)
    {
        var entry = _pool.Take();
        ReserveEntries(entry + 1);
        _cells.Write(entry) = new Cell { Key = key, Value = value, Order = order, Owner = owner, Tag = tag, Changed = _cells.Epoch, Born = _cells.Epoch };
        _index.Add(tag, entry);

        ref var chain = ref _chains[owner];
        _links[entry] = new Link { Previous = chain.Last };
        if (chain.Last != 0) _links[chain.Last - 1].Next = entry + 1;
        else chain.First = entry + 1;
        chain.Last = entry + 1;
        if (++chain.Count == 1) _slots.AddUse(owner);
        Version++;
    }

    private void ReserveEntries(int entries)
    {
        _cells.Reserve(entries);
        if (entries > _links.Length) Array.Resize(ref _links, Math.Max(entries, Math.Max(16, _links.Length * 2)));
    }

    private void Drop(int entry)
    {
        ref var cell = ref _cells.Write(entry);
        var owner = cell.Owner;
        if (cell.Born != _cells.Epoch) _tombstones.Add(_cells.Epoch, new Removed(owner, cell.Key));
        _index.Remove(cell.Tag, entry);
        cell = default;
        _pool.Return(entry);

        ref var chain = ref _chains[owner];
        var link = _links[entry];
        if (link.Previous != 0) _links[link.Previous - 1].Next = link.Next;
        else chain.First = link.Next;
        if (link.Next != 0) _links[link.Next - 1].Previous = link.Previous;
        else chain.Last = link.Previous;
        _links[entry] = default;
        if (--chain.Count == 0) _slots.DropUse(owner);
        Version++;
    }

    private readonly record struct Removed(int Owner, MK Key);

    private struct Cell
    {
        public MK Key;
        public MV Value;

        /// <summary>Grows in the order in which keys came into a map.</summary>
        public long Order;

        public int Owner;
        public uint Tag;

        /// <summary>The epoch of the last change; 0 in a free entry.</summary>
        public uint Changed;

        /// <summary>The epoch in which the key came into the map.</summary>
        public uint Born;
    }

    private struct Link
    {
        public int Previous;
        public int Next;
    }

    private struct Chain
    {
        public int First;
        public int Last;
        public int Count;
    }
}
