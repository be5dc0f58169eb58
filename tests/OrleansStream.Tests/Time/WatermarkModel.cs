using OrleansStream.Time;

namespace OrleansStream.Tests.Time;

/// <summary>
/// The watermark by its definition, without the engine: a split's is what its records so far make of it; a subtask's the lowest of its splits that are neither idle nor at their end, and below the
/// exchange the lowest of the subtasks that are neither idle nor at their end; each the highest that it ever was.
/// </summary>
internal sealed class WatermarkModel(IReadOnlyList<int> splitsOfSources, Func<int, long, long?> watermarkOf, long? idleAfter, int parallelism)
{
    private readonly List<Split> _splits =
    [
        .. splitsOfSources.SelectMany((count, source) => Enumerable.Range(0, count).Select(index => new Split(source, index))),
    ];

    private readonly Dictionary<(int Source, int Subtask), long> _merged = [];
    private int _parallelism = parallelism;
    private long _now;

    /// <summary>The watermark below the exchange.</summary>
    public long Watermark { get; private set; } = EventTime.Beginning;

    /// <summary>How high it may be: above <see cref="Watermark"/> where all subtasks became idle in one moment, as each subtask below hears of another one last.</summary>
    public long Highest { get; private set; } = EventTime.Beginning;

    public void Record(int source, int split, long timestamp)
    {
        var one = Find(source, split);
        if (watermarkOf((int)(timestamp % 1000), timestamp) is { } watermark) one.Watermark = Math.Max(one.Watermark, watermark);
        one.ActiveAt = _now;
        Settle();
    }

    public void End(int source, int split)
    {
        Find(source, split).Ended = true;
        Settle();
    }

    public void Advance(long to)
    {
        while (idleAfter is { } after && _splits.Where(split => !split.Ended && split.ActiveAt + after > _now && split.ActiveAt + after <= to).Select(split => (long?)split.ActiveAt + after).Min() is { } at)
        {
            var before = _splits.Where(split => !split.Ended && !IsIdle(split)).Select(SubtaskOf).Distinct().ToList();
            _now = at;
            Settle();
            if (_splits.TrueForAll(split => split.Ended || IsIdle(split))) Highest = Math.Max(Highest, before.Max(subtask => _merged[subtask]));
        }

        _now = to;
    }

    public void Restore(int parallelism)
    {
        foreach (var split in _splits) (split.Under, split.ActiveAt) = (_merged[SubtaskOf(split)], _now);
        _parallelism = parallelism;
        _merged.Clear();
        foreach (var same in _splits.Where(static split => !split.Ended).GroupBy(SubtaskOf)) _merged[same.Key] = same.Min(static split => split.Under);
        Settle();
    }

    /// <summary>Works everything out for this moment.</summary>
    public void Settle()
    {
        long? lowest = null;
        foreach (var same in _splits.GroupBy(SubtaskOf))
        {
            var active = same.Where(split => !split.Ended && !IsIdle(split)).ToList();
            if (!_merged.TryGetValue(same.Key, out var merged)) merged = EventTime.Beginning;
            if (active.Count > 0) merged = Math.Max(merged, active.Min(static split => split.Watermark));
            _merged[same.Key] = merged;
            if (active.Count > 0) lowest = Math.Min(lowest ?? merged, merged);
        }

        if (lowest is { } now) Watermark = Math.Max(Watermark, now);
        if (_splits.TrueForAll(static split => split.Ended)) Watermark = EventTime.End;
        Highest = Math.Max(Highest, Watermark);
    }

    private (int Source, int Subtask) SubtaskOf(Split split) => (split.Source, split.Index % _parallelism);

    private bool IsIdle(Split split) => idleAfter is { } after && _now - split.ActiveAt >= after;

    private Split Find(int source, int index) => _splits.Single(split => split.Source == source && split.Index == index);

    private sealed class Split(int source, int index)
    {
        public int Source => source;

        public int Index => index;

        public long Watermark { get; set; } = EventTime.Beginning;

        /// <summary>What its subtask had merged when it was last saved.</summary>
        public long Under { get; set; } = EventTime.Beginning;

        public long ActiveAt { get; set; }

        public bool Ended { get; set; }
    }
}
