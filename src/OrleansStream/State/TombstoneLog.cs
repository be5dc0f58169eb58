namespace OrleansStream.State;

/// <summary>
/// What was removed, by the epoch of removal, until a published checkpoint no longer holds it. Append-only up to a count, so that a frozen view is
/// an array and two numbers and stays valid whatever follows.
/// </summary>
internal sealed class TombstoneLog<T>
{
    private Tombstone<T>[] _items = [];
    private int _count;

    public int Count => _count;

    public void Add(uint epoch, T removed)
    {
        if (_count == _items.Length) Array.Resize(ref _items, Math.Max(16, _items.Length * 2));
        _items[_count++] = new Tombstone<T>(epoch, removed);
    }

    /// <summary>What was removed after the epoch. Nothing for <paramref name="since"/> 0: a full snapshot has nothing to take back.</summary>
    public ReadOnlyMemory<Tombstone<T>> Freeze(uint since) => since == 0 ? default : _items.AsMemory(0, _count)[FirstAfter(since)..];

    /// <summary>Forgets what was removed in the epoch or before. Frozen views keep the old array.</summary>
    public void Forget(uint epoch)
    {
        var first = FirstAfter(epoch);
        if (first == 0) return;
        _items = _items.AsSpan(first, _count - first).ToArray();
        _count = _items.Length;
    }

    private int FirstAfter(uint epoch)
    {
        var low = 0;
        var high = _count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_items[middle].Epoch <= epoch) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}

/// <summary>Something that was removed in an epoch.</summary>
internal readonly record struct Tombstone<T>(uint Epoch, T Removed);
