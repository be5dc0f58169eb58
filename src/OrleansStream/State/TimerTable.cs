namespace OrleansStream.State;

// Contract: a timer is a (key, time) pair; it is there once or not at all.
// - Timers come due in the order of time, those of one time in the order of their keys' hashes: the order does not depend on when they were registered, so
//   it is the same after a restore and at another parallelism. (Only two keys of one 64-bit hash and one time come in an order that is not kept.)
// - The queue is only a proposal: an item counts if its entry is still a live timer of that time and hash. Deleting a timer leaves its item behind; when
//   more than half of the items are leftovers the queue is rebuilt, so deleting costs amortized constant time and memory stays in proportion to live timers.
// - During a restore the queue is empty; it is filled when that ends.
// - A removal is logged by the owner's slot (see FrozenKeys.IsLive). An owner that is freed has no timers.

/// <summary>The timers of one time domain of all keys of an operator in a subtask.</summary>
internal sealed partial class TimerTable : KeyedColumn
{
    private readonly KeyedSlots _slots;
    private readonly PagedColumn<Cell> _cells = new();
    private readonly SlotIndex _index = new();
    private readonly SlotPool _pool = new();
    private readonly TombstoneLog<Removed> _tombstones = new();
    private readonly TimerQueue _queue = new();

    public TimerTable(StateKind kind, KeyedSlots slots)
        : base(new StateShape("", kind, "", "int64")) => _slots = slots;

    /// <summary>How many timers are pending.</summary>
    public int Count => _pool.InUse;

    /// <summary>Items in the queue, leftovers of deleted timers among them.</summary>
    internal int QueueCount => _queue.Count;

    /// <summary>The time of the earliest timer.</summary>
    public long? Next
    {
        get
        {
            SkipLeftovers();
            return _queue.Count > 0 ? _queue.First.At : null;
        }
    }

    /// <summary>The times of a key's timers, earliest first. It looks at every timer there is: for tests.</summary>
    public IReadOnlyList<long> TimesOf(int slot)
    {
        var times = new List<long>();
        for (var entry = 0; entry < _pool.Limit; entry++)
        {
            ref readonly var cell = ref _cells.Read(entry);
            if (cell.Born != 0 && cell.Owner == slot) times.Add(cell.At);
        }

        times.Sort();
        return times;
    }

    /// <summary>Adds a timer. False when the key has one for this time already.</summary>
    public bool Register(int slot, long at)
    {
        if (!TryAdd(slot, at, out var entry)) return false;
        _queue.Add(new TimerHeap.Item(at, _slots.HashOf(slot), entry));
        return true;
    }

    /// <summary>Takes a timer back. False when there is none.</summary>
    public bool Delete(int slot, long at)
    {
        var entry = Find(slot, at, out var tag);
        if (entry < 0) return false;
        Drop(entry, tag);
        if (_queue.Count > 64 && _queue.Count > 2 * Count) _queue.Rebuild(IsLive);
        return true;
    }

    /// <summary>Takes the earliest timer if its time is <paramref name="now"/> or before.</summary>
    public bool TryPopDue(long now, out int slot, out long at)
    {
        SkipLeftovers();
        if (_queue.Count == 0 || _queue.First.At > now)
        {
            slot = -1;
            at = 0;
            return false;
        }

        var item = _queue.TakeFirst();
        slot = _cells.Read(item.Entry).Owner;
        at = item.At;
        Drop(item.Entry, TagOf(slot, at));
        return true;
    }

    public override void Clear(int slot) => throw new NotSupportedException("Timers are deleted one by one: finding those of a key takes looking at all there are.");

    public override Action Saved(int slot) => throw new NotSupportedException("Timers are taken back one by one.");

    public override void Reserve(int slots)
    {
    }

    private static uint TagOf(int slot, long at) => SlotIndex.TagOf(SlotIndex.Mix((ulong)at, (uint)slot));

    private int Find(int slot, long at, out uint tag)
    {
        tag = TagOf(slot, at);
        var buckets = _index.Buckets;
        for (var i = _index.Home(tag); ; i = (i + 1) & (buckets.Length - 1))
        {
            ref var bucket = ref buckets[i];
            if (bucket.SlotPlusOne == 0) return -1;
            if (bucket.Tag != tag) continue;
            ref readonly var cell = ref _cells.Read(bucket.SlotPlusOne - 1);
            if (cell.Owner == slot && cell.At == at) return bucket.SlotPlusOne - 1;
        }
    }

    private bool TryAdd(int slot, long at, out int entry)
    {
        entry = Find(slot, at, out var tag);
        if (entry >= 0) return false;
        entry = _pool.Take();
        _cells.Reserve(entry + 1);
        _cells.Write(entry) = new Cell { At = at, Owner = slot, Born = _cells.Epoch };
        _index.Add(tag, entry);
        _slots.AddUse(slot);
        return true;
    }

    private void Drop(int entry, uint tag)
    {
        ref var cell = ref _cells.Write(entry);
        var owner = cell.Owner;
        if (cell.Born != _cells.Epoch) _tombstones.Add(_cells.Epoch, new Removed(owner, cell.At));
        cell = default;
        _index.Remove(tag, entry);
        _pool.Return(entry);
        _slots.DropUse(owner);
    }

    private bool IsLive(TimerHeap.Item item)
    {
        ref readonly var cell = ref _cells.Read(item.Entry);
        return cell.Born != 0 && cell.At == item.At && _slots.HashOf(cell.Owner) == item.Hash;
    }

    private void SkipLeftovers()
    {
        while (_queue.Count > 0 && !IsLive(_queue.First)) _queue.TakeFirst();
    }

    private readonly record struct Removed(int Owner, long At);

    private struct Cell
    {
        public long At;
        public int Owner;

        /// <summary>The epoch of registration; 0 in a free entry.</summary>
        public uint Born;
    }
}
