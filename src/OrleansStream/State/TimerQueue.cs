namespace OrleansStream.State;

// Contract: what comes next is the earliest item, by time and then by the hash of the key.
// - What is near is a small heap; what is far lies in blocks. A block's items are in no order among themselves; none is before the block's bound, and all are before the bound of
//   the next block. Every item in the heap is before the first bound.
// - The heap is empty only if all is. When it runs out, the first block becomes the heap; when it grows too large, its later half becomes the first block.
// - So registering a timer far ahead is a search among the bounds and an append, and firing one is an operation on a heap of a few thousand items that stay in the cache, however
//   many timers are pending. No room is wasted on what has fired: blocks go one by one.

/// <summary>Pending timers by time: the part of a queue that is far away is sorted into blocks only.</summary>
/// <param name="blockItems">How many items a block has at most, unless they are all alike.</param>
internal sealed class TimerQueue(int blockItems = TimerQueue.DefaultBlockItems)
{
    public const int DefaultBlockItems = 1024;

    /// <summary>How many times larger the blocks of a queue that was filled at once may be: they are divided when their time comes nearer, in a few hundred microseconds each.</summary>
    private const int LoadedBlocks = 32;

    /// <summary>Empty blocks that are kept for the next ones.</summary>
    private const int SpareBlocks = 16;

    private readonly TimerHeap _near = new();
    private readonly List<TimerHeap.Item> _bounds = [];
    private readonly List<Block> _blocks = [];
    private readonly Stack<Block> _spare = [];

    /// <summary>How large the heap may be; more only when all in it was alike.</summary>
    private int _spillAbove = 2 * blockItems;

    public int Count { get; private set; }

    /// <summary>The earliest item of a queue that is not empty.</summary>
    public TimerHeap.Item First => _near.First;

    public void Add(TimerHeap.Item item)
    {
        Count++;
        if (_blocks.Count > 0 && !item.IsBefore(_bounds[0]))
        {
            AddFar(item);
            return;
        }

        _near.Add(item);
        if (_near.Count > _spillAbove) Spill();
    }

    /// <summary>Fills an empty queue at once: what is far is divided no further than needed until its time comes nearer.</summary>
    /// <param name="items">The items in any order; the array is the queue's from now on.</param>
    public void Load(TimerHeap.Item[] items)
    {
        if (Count > 0) throw new InvalidOperationException($"{items.Length} timers were to fill a queue that has {Count}.");
        if (items.Length == 0) return;
        Count = items.Length;
        _blocks.Add(new Block(blockItems, items));
        // Nobody asks for the first bound: its block becomes the heap below.
        _bounds.Add(items[0]);
        for (var i = 0; i < _blocks.Count;)
        {
            if (_blocks[i].Count <= LoadedBlocks * blockItems || Divide(i) is null) i++;
        }

        Refill();
    }

    public TimerHeap.Item TakeFirst()
    {
        Count--;
        var first = _near.TakeFirst();
        Refill();
        return first;
    }

    /// <summary>Keeps only some items, in one pass.</summary>
    public void Rebuild(Predicate<TimerHeap.Item> keep)
    {
        _near.Rebuild(keep);
        Count = _near.Count;
        var kept = 0;
        for (var i = 0; i < _blocks.Count; i++)
        {
            var block = _blocks[i];
            block.Keep(keep);
            Count += block.Count;
            if (block.Count == 0)
            {
                Free(block);
            }
            else if (kept > 0 && _blocks[kept - 1].Count + block.Count <= blockItems / 2)
            {
                _blocks[kept - 1].Append(block.Items);
                Free(block);
            }
            else
            {
                (_blocks[kept], _bounds[kept]) = (block, _bounds[i]);
                kept++;
            }
        }

        _blocks.RemoveRange(kept, _blocks.Count - kept);
        _bounds.RemoveRange(kept, _bounds.Count - kept);
        Refill();
    }

    private void AddFar(TimerHeap.Item item)
    {
        var (low, high) = (0, _bounds.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) >>> 1;
            if (item.IsBefore(_bounds[middle])) high = middle - 1;
            else low = middle;
        }

        var block = _blocks[low];
        if (block.IsFull)
        {
            // Timers that are registered in the order of their times fill one block after another; others divide those that are full.
            if (low == _blocks.Count - 1 && block.Last.IsBefore(item)) block = Insert(low + 1, item);
            else if (Divide(low) is { } later && !item.IsBefore(_bounds[low + 1])) block = later;
        }

        block.Add(item);
    }

    /// <summary>Moves the later items of a block, about half, into a new one behind it; null when all are alike.</summary>
    private Block? Divide(int index)
    {
        var block = _blocks[index];
        var (earlier, bound) = block.Part();
        if (earlier == 0) return null;
        var later = Insert(index + 1, bound);
        later.Append(block.Items[earlier..]);
        block.CutTo(earlier);
        return later;
    }

    /// <summary>Makes the later half of the heap the first block: what is alike stays together.</summary>
    private void Spill()
    {
        var all = Insert(0, _near.First);
        all.Append(_near.Items);
        if (Divide(0) is not null)
        {
            _near.Clear();
            Refill();
            return;
        }

        _blocks.RemoveAt(0);
        _bounds.RemoveAt(0);
        _spillAbove = 2 * _near.Count;
    }

    private void Refill()
    {
        if (_near.Count > 0 || _blocks.Count == 0) return;
        _spillAbove = 2 * blockItems;
        while (_blocks[0].Count > blockItems && _blocks[0].IsFull && Divide(0) is not null)
        {
        }

        var block = _blocks[0];
        _blocks.RemoveAt(0);
        _bounds.RemoveAt(0);
        _near.Fill(block.Items);
        Free(block);
    }

    private Block Insert(int index, TimerHeap.Item bound)
    {
        var block = Take();
        _blocks.Insert(index, block);
        _bounds.Insert(index, bound);
        return block;
    }

    private Block Take() => _spare.TryPop(out var block) ? block : new Block(blockItems);

    private void Free(Block block)
    {
        block.CutTo(0);
        if (_spare.Count < SpareBlocks && block.Room <= 4 * blockItems) _spare.Push(block);
    }

    private sealed class Block
    {
        private const int Samples = 9;

        private readonly int _limit;
        private TimerHeap.Item[] _items;

        /// <summary>How many items are enough; more than the limit only when all were alike.</summary>
        private int _enough;

        public Block(int limit)
            : this(limit, new TimerHeap.Item[limit]) => Count = 0;

        /// <summary>A block of items, however many; the array is the block's.</summary>
        public Block(int limit, TimerHeap.Item[] items)
        {
            _limit = _enough = limit;
            _items = items;
            Count = items.Length;
            foreach (ref readonly var item in Items)
            {
                if (Last.IsBefore(item)) Last = item;
            }
        }

        public int Count { get; private set; }

        public int Room => _items.Length;

        public bool IsFull => Count >= _enough;

        /// <summary>No item is after it.</summary>
        public TimerHeap.Item Last { get; private set; } = new(long.MinValue, 0, 0);

        public ReadOnlySpan<TimerHeap.Item> Items => _items.AsSpan(0, Count);

        public void Add(in TimerHeap.Item item)
        {
            if (Count == _items.Length) Array.Resize(ref _items, _items.Length * 2);
            _items[Count++] = item;
            if (Last.IsBefore(item)) Last = item;
        }

        public void Append(ReadOnlySpan<TimerHeap.Item> items)
        {
            if (Count + items.Length > _items.Length) Array.Resize(ref _items, Math.Max(Count + items.Length, _items.Length * 2));
            foreach (ref readonly var item in items) Add(item);
        }

        public void Keep(Predicate<TimerHeap.Item> keep)
        {
            var kept = 0;
            for (var i = 0; i < Count; i++)
            {
                if (keep(_items[i])) _items[kept++] = _items[i];
            }

            Count = kept;
        }

        /// <summary>Keeps the first items.</summary>
        public void CutTo(int count)
        {
            Count = count;
            _enough = _limit;
            if (count == 0) Last = new TimerHeap.Item(long.MinValue, 0, 0);
        }

        /// <summary>Puts earlier items before later ones, about half and half; says how many are earlier, and the first of the others. Nothing is earlier when all are alike.</summary>
        public (int Earlier, TimerHeap.Item Bound) Part()
        {
            var items = _items.AsSpan(0, Count);
            Span<TimerHeap.Item> samples = stackalloc TimerHeap.Item[Samples];
            for (var i = 0; i < Samples; i++) samples[i] = items[(int)((long)i * Count / Samples)];
            samples.Sort(Compare);
            var bound = samples[Samples / 2];
            var earlier = 0;
            for (var i = 0; i < items.Length; i++)
            {
                if (!items[i].IsBefore(bound)) continue;
                (items[i], items[earlier]) = (items[earlier], items[i]);
                earlier++;
            }

            if (earlier > Count / 8 && earlier < Count - (Count / 8)) return (earlier, bound);
            return PartSorted(items);
        }

        private (int Earlier, TimerHeap.Item Bound) PartSorted(Span<TimerHeap.Item> items)
        {
            items.Sort(Compare);
            var at = items.Length / 2;
            while (at < items.Length && !items[at - 1].IsBefore(items[at])) at++;
            if (at == items.Length)
            {
                for (at = items.Length / 2; at > 0 && !items[at - 1].IsBefore(items[at]);) at--;
            }

            if (at == 0) _enough = 2 * Count;
            return (at, items[at]);
        }

        private static int Compare(TimerHeap.Item left, TimerHeap.Item right) => left.IsBefore(right) ? -1 : right.IsBefore(left) ? 1 : 0;
    }
}
