namespace OrleansStream.State;

/// <summary>
/// A four-way heap of timers by time, then by the hash of the key. Four children share a cache line or two, and the heap is half as deep as a binary one.
/// </summary>
internal sealed class TimerHeap
{
    private const int Ways = 4;

    private Item[] _items = [];

    public int Count { get; private set; }

    /// <summary>The earliest item of a heap that is not empty.</summary>
    public Item First => _items[0];

    public void Add(Item item)
    {
        if (Count == _items.Length) Array.Resize(ref _items, Math.Max(16, _items.Length * 2));
        SiftUp(Count++, item);
    }

    /// <summary>All items, in no order but that of the heap.</summary>
    public ReadOnlySpan<Item> Items => _items.AsSpan(0, Count);

    /// <summary>Puts items into an empty heap, in one pass.</summary>
    public void Fill(ReadOnlySpan<Item> items)
    {
        if (items.Length > _items.Length) _items = new Item[items.Length];
        items.CopyTo(_items);
        Count = items.Length;
        Order();
    }

    public void Clear() => Count = 0;

    public Item TakeFirst()
    {
        var first = _items[0];
        var last = _items[--Count];
        if (Count > 0) SiftDown(0, last);
        return first;
    }

    /// <summary>Keeps only some items, in one pass.</summary>
    public void Rebuild(Predicate<Item> keep)
    {
        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            if (keep(_items[i])) _items[kept++] = _items[i];
        }

        Count = kept;
        Order();
    }

    private void Order()
    {
        for (var i = (Count - 2) / Ways; i >= 0 && Count > 1; i--) SiftDown(i, _items[i]);
    }

    private void SiftUp(int at, Item item)
    {
        var items = _items;
        while (at > 0)
        {
            var parent = (at - 1) / Ways;
            if (!item.IsBefore(items[parent])) break;
            items[at] = items[parent];
            at = parent;
        }

        items[at] = item;
    }

    private void SiftDown(int at, Item item)
    {
        var items = _items;
        while (true)
        {
            var child = (at * Ways) + 1;
            if (child >= Count) break;
            var best = child;
            var end = Math.Min(child + Ways, Count);
            for (var i = child + 1; i < end; i++)
            {
                if (items[i].IsBefore(items[best])) best = i;
            }

            if (!items[best].IsBefore(item)) break;
            items[at] = items[best];
            at = best;
        }

        items[at] = item;
    }

    /// <summary>Proposes an entry of the timer table for a time.</summary>
    public readonly record struct Item(long At, ulong Hash, int Entry)
    {
        public bool IsBefore(in Item other) => At < other.At || (At == other.At && Hash < other.Hash);
    }
}
