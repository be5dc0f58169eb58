namespace OrleansStream.Time;

/// <summary>
/// Bounded out-of-orderness, for each split of a source apart: a split's watermark trails the highest timestamp that any of its records had by the
/// bound; the subtask's is the minimum over splits that are active. A split that brought nothing for the idle time-out stops counting until its next record.
/// Source: Flink's BoundedOutOfOrdernessWatermarks and WatermarksWithIdleness.
/// </summary>
internal sealed class SplitWatermarks(long boundMilliseconds, long? idleAfterMilliseconds)
{
    private readonly List<Split> _splits = [];

    /// <summary>The minimum over active splits as last computed; never goes back.</summary>
    public long Current { get; private set; } = EventTime.Beginning;

    public int Count => _splits.Count;

    /// <summary>Whether every split that has not ended is idle, and there is one.</summary>
    public bool IsIdle { get; private set; }

    /// <summary>Adds a split with the highest timestamp it had before a restart; returns its number.</summary>
    public int Add(string name, long highest, bool ended, long now)
    {
        _splits.Add(new Split { Name = name, Highest = highest, Ended = ended, ActiveAt = now });
        return _splits.Count - 1;
    }

    public (string Name, long Highest, bool Ended) this[int split] => (_splits[split].Name, _splits[split].Highest, _splits[split].Ended);

    /// <summary>Notes the records of one split.</summary>
    public void OnRecords(int split, ReadOnlySpan<long> timestamps, long now)
    {
        if (timestamps.IsEmpty) return;
        var state = _splits[split];
        var highest = state.Highest;
        foreach (var timestamp in timestamps)
        {
            if (timestamp > highest) highest = timestamp;
        }

        state.Highest = highest;
        state.ActiveAt = now;
        state.Idle = false;
    }

    public void End(int split) => _splits[split].Ended = true;

    /// <summary>Merges; true when <see cref="Current"/> or <see cref="IsIdle"/> changed. When all splits have ended the watermark stays: the end of time is the caller's to announce.</summary>
    public bool Merge(long now)
    {
        var minimum = long.MaxValue;
        var open = 0;
        var active = 0;
        foreach (var split in _splits)
        {
            if (split.Ended) continue;
            open++;
            if (idleAfterMilliseconds is { } idleAfter && now - split.ActiveAt >= idleAfter) split.Idle = true;
            if (split.Idle) continue;
            active++;
            var watermark = split.Highest == EventTime.Beginning ? EventTime.Beginning : EventTime.Minus(split.Highest, boundMilliseconds + 1);
            minimum = Math.Min(minimum, watermark);
        }

        var wasIdle = IsIdle;
        IsIdle = open > 0 && active == 0;
        var advanced = active > 0 && minimum > Current;
        if (advanced) Current = minimum;
        return advanced || wasIdle != IsIdle;
    }

    /// <summary>When the next active split becomes idle if nothing comes; null when none will.</summary>
    public long? NextIdleAt()
    {
        if (idleAfterMilliseconds is not { } idleAfter) return null;
        long? next = null;
        foreach (var split in _splits)
        {
            if (split.Ended || split.Idle) continue;
            var at = split.ActiveAt + idleAfter;
            if (next is null || at < next) next = at;
        }

        return next;
    }

    private sealed class Split
    {
        public required string Name { get; init; }

        public long Highest { get; set; }

        public long ActiveAt { get; set; }

        public bool Idle { get; set; }

        public bool Ended { get; set; }
    }
}
