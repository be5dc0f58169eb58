using OrleansStream.Stages;

namespace OrleansStream.Time;

/// <summary>
/// The watermarks of a source's splits, each apart, and their merge. With a bound, a split's watermark trails the highest timestamp that any of its records had by the
/// bound and one; without, it is what a generator says. The subtask's is the minimum over splits that are active. A split that brought nothing for the idle time-out stops counting until its
/// next record; while it is paused its time does not run.
/// Source: Flink's BoundedOutOfOrdernessWatermarks, WatermarksWithIdleness and WatermarkOutputMultiplexer.
/// </summary>
internal sealed class SplitWatermarks(long boundMilliseconds, long? idleAfterMilliseconds)
{
    /// <summary>In place of a bound: what is noted is the watermark itself.</summary>
    public const long NoBound = -1;

    private readonly List<Split> _splits = [];

    /// <summary>The minimum over active splits as last computed; never goes back.</summary>
    public long Current { get; private set; } = EventTime.Beginning;

    public int Count => _splits.Count;

    /// <summary>Whether splits may become idle, so that the merged watermark is not known from those of the splits.</summary>
    public bool MayBeIdle => idleAfterMilliseconds is not null;

    /// <summary>Whether every split that has not ended is idle, and there is one.</summary>
    public bool IsIdle { get; private set; }

    /// <summary>The lowest watermark of the active splits, wherever <see cref="Current"/> is; the end of time when there is none.</summary>
    public long Lowest
    {
        get
        {
            var lowest = EventTime.End;
            foreach (var split in _splits)
            {
                if (!split.Ended && !split.Idle) lowest = Math.Min(lowest, Of(split));
            }

            return lowest;
        }
    }

    public IEnumerable<SplitProgress> Splits => _splits.Select(split => new SplitProgress(split.Name, Of(split), split.Ended, split.Idle, split.Paused));

    /// <summary>Adds a split with the highest timestamp it had before a restart; returns its number.</summary>
    public int Add(string name, long highest, bool ended, long now)
    {
        _splits.Add(new Split { Name = name, Highest = highest, Ended = ended, ActiveAt = now });
        return _splits.Count - 1;
    }

    /// <summary>Goes on from what was merged before a restart.</summary>
    public void Restore(long current) => Current = Math.Max(Current, current);

    public (string Name, long Highest, bool Ended) this[int split] => (_splits[split].Name, _splits[split].Highest, _splits[split].Ended);

    /// <summary>The watermark of one split.</summary>
    public long Of(int split) => Of(_splits[split]);

    public bool IsActive(int split) => _splits[split] is { Ended: false, Idle: false };

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

    /// <summary>Notes that a split has brought records, of which a generator judges.</summary>
    public void Touch(int split, long now)
    {
        _splits[split].ActiveAt = now;
        _splits[split].Idle = false;
    }

    /// <summary>Notes what a generator says; one that is lower than before changes nothing.</summary>
    public void Advance(int split, long watermark)
    {
        if (watermark > _splits[split].Highest) _splits[split].Highest = watermark;
    }

    public void End(int split) => _splits[split].Ended = true;

    /// <summary>Ends the splits that have ended in the source above.</summary>
    public void EndThoseOf(SubtaskContext context)
    {
        if (context.Source is not { } source) return;
        for (var split = 0; split < _splits.Count; split++)
        {
            if (source.IsEnded(split)) _splits[split].Ended = true;
        }
    }

    public bool IsPaused(int split) => _splits[split].Paused;

    /// <summary>Pauses what is above a limit and lets go on what is not.</summary>
    public void Pause(long limit, long now)
    {
        foreach (var split in _splits)
        {
            var paused = !split.Ended && Of(split) > limit;
            if (split.Paused && !paused) split.ActiveAt = now;
            split.Paused = paused;
        }
    }

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
            if (idleAfterMilliseconds is { } idleAfter && !split.Paused && now - split.ActiveAt >= idleAfter) split.Idle = true;
            if (split.Idle) continue;
            active++;
            minimum = Math.Min(minimum, Of(split));
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
            if (split.Ended || split.Idle || split.Paused) continue;
            var at = split.ActiveAt + idleAfter;
            if (next is null || at < next) next = at;
        }

        return next;
    }

    private long Of(Split split) => split.Highest == EventTime.Beginning ? EventTime.Beginning : EventTime.Minus(split.Highest, boundMilliseconds + 1);

    private sealed class Split
    {
        public required string Name { get; init; }

        /// <summary>The highest timestamp; without a bound, the watermark.</summary>
        public long Highest { get; set; }

        public long ActiveAt { get; set; }

        public bool Idle { get; set; }

        public bool Ended { get; set; }

        public bool Paused { get; set; }
    }
}
