using System.Runtime.InteropServices;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>
/// Which keys are to fire next. A key that has panes waits at the number of one window, the next that holds any of them, and moves on when it has fired: so a firing costs one step, however many windows are open.
/// Windows fire in time order. Keys that have fired last for a pane wait until it expires.
/// </summary>
internal sealed class SlidingSchedule<TKey, TAccumulator>
    where TKey : notnull
{
    private readonly Dictionary<HashedKey, PaneLine<TKey, TAccumulator>> _lines = [];
    private readonly Queue _due = new();
    private readonly Queue _kept = new();

    /// <summary>Adds a pane.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="hash">The key's hash.</param>
    /// <param name="pane">Where it lies.</param>
    /// <param name="slot">Where its accumulator is.</param>
    /// <param name="ended">Windows up to this number have fired.</param>
    public PaneLine<TKey, TAccumulator> Add(TKey key, ulong hash, in Pane pane, int slot, long ended)
    {
        ref var line = ref CollectionsMarshal.GetValueRefOrAddDefault(_lines, new HashedKey(hash, key), out _);
        line ??= new PaneLine<TKey, TAccumulator>(key, hash);
        line.Add(in pane, slot);
        if (pane.Period <= ended) _kept.Add(pane.Period, line);
        else Wait(line, Math.Max(pane.First, EventTime.Plus(ended, 1)));
        return line;
    }

    public PaneLine<TKey, TAccumulator> LineOf(TKey key, ulong hash) => _lines[new HashedKey(hash, key)];

    /// <summary>Takes back a pane that was just added; where its key waits for nothing, nothing comes of it.</summary>
    public void TakeBack(PaneLine<TKey, TAccumulator> line, int slot)
    {
        line.Remove(slot);
        if (line.Count == 0) Forget(line);
    }

    /// <summary>Takes the next key that is to fire a window that has ended.</summary>
    public bool TryTakeDue(long ended, out long number, out PaneLine<TKey, TAccumulator> line)
    {
        while (_due.TryTake(ended, out number, out line))
        {
            // It may have moved to an earlier window, or have gone.
            if (line.Next == number) return true;
        }

        return false;
    }

    /// <summary>Says that a key has fired a window: it moves on to the next, or waits for its panes to expire, or is forgotten.</summary>
    public void Fired(PaneLine<TKey, TAccumulator> line, long number)
    {
        line.Next = null;
        if (line.Count == 0)
        {
            Forget(line);
            return;
        }

        if (line.HasPaneOf(number)) _kept.Add(number, line);
        if (line.NextFrom(EventTime.Plus(number, 1)) is { } next) Wait(line, next);
    }

    /// <summary>Takes the next key that has panes whose last window has expired.</summary>
    public bool TryTakeExpired(long expired, out PaneLine<TKey, TAccumulator> line) => _kept.TryTake(expired, out _, out line);

    /// <summary>Lets go of a key without panes.</summary>
    public void Forget(PaneLine<TKey, TAccumulator> line)
    {
        line.Next = null;
        // The key may have begun anew since.
        var key = new HashedKey(line.Hash, line.Key);
        if (_lines.TryGetValue(key, out var now) && ReferenceEquals(now, line)) _lines.Remove(key);
    }

    private void Wait(PaneLine<TKey, TAccumulator> line, long number)
    {
        if (line.Next <= number) return;
        line.Next = number;
        _due.Add(number, line);
    }

    /// <summary>A key whose hash is known, and need not be made again.</summary>
    private readonly struct HashedKey(ulong hash, TKey key) : IEquatable<HashedKey>
    {
        private readonly ulong _hash = hash;
        private readonly TKey _key = key;

        // The lower half decides the key group and is alike within a subtask.
        public override int GetHashCode() => (int)(_hash >> 32);

        public bool Equals(HashedKey other) => _hash == other._hash && KeyCodec<TKey>.Same(_key, other._key);

        public override bool Equals(object? obj) => obj is HashedKey other && Equals(other);
    }

    /// <summary>Lines by the numbers that they wait for, those of one number in the order in which they were added.</summary>
    private sealed class Queue
    {
        private readonly SortedDictionary<long, List<PaneLine<TKey, TAccumulator>>> _waiting = [];
        private readonly Stack<List<PaneLine<TKey, TAccumulator>>> _free = new();
        private List<PaneLine<TKey, TAccumulator>>? _last;
        private long _lastNumber;
        private List<PaneLine<TKey, TAccumulator>>? _first;
        private long _firstNumber;
        private int _taken;

        public void Add(long number, PaneLine<TKey, TAccumulator> line)
        {
            if (_last is null || _lastNumber != number)
            {
                if (!_waiting.TryGetValue(number, out _last)) _waiting.Add(number, _last = _free.TryPop(out var free) ? free : []);
                _lastNumber = number;
            }

            _last.Add(line);
        }

        /// <summary>Takes the next line of a number up to one. Nothing is added for a number that is being taken.</summary>
        public bool TryTake(long upTo, out long number, out PaneLine<TKey, TAccumulator> line)
        {
            while (_first is not null || TryFirst(upTo))
            {
                number = _firstNumber;
                if (_taken < _first!.Count)
                {
                    line = _first[_taken++];
                    return true;
                }

                Recycle(_first);
                _first = null;
            }

            number = 0;
            line = null!;
            return false;
        }

        private bool TryFirst(long upTo)
        {
            foreach (var (number, lines) in _waiting)
            {
                if (number > upTo) return false;
                (_first, _firstNumber, _taken) = (lines, number, 0);
                return true;
            }

            return false;
        }

        private void Recycle(List<PaneLine<TKey, TAccumulator>> lines)
        {
            _waiting.Remove(_firstNumber);
            if (ReferenceEquals(lines, _last)) _last = null;
            lines.Clear();
            if (_free.Count < 16) _free.Push(lines);
        }
    }
}
