using System.Diagnostics;

namespace OrleansStream.Benchmarks.Watches;

/// <summary>
/// When one subtask last did something: the latest times, in ticks of <see cref="Stopwatch"/>. One thread at a time notes; others may read what is not the very latest or the
/// very oldest.
/// </summary>
internal sealed class Beats
{
    private const int Remembered = 1 << 19;

    private readonly long[] _at = new long[Remembered];
    private long _count;

    /// <summary>The first of all; 0 before it.</summary>
    public long First { get; private set; }

    public void Note(long now)
    {
        var count = _count;
        if (count == 0) First = now;
        _at[count & (Remembered - 1)] = now;
        Volatile.Write(ref _count, count + 1);
    }

    /// <summary>The times between two beats that fall into a span, in part or as a whole, sorted; that from the last beat to the span's end too.</summary>
    public IReadOnlyList<TimeSpan> Gaps(long from, long to)
    {
        var count = Volatile.Read(ref _count);
        var gaps = new List<TimeSpan>();
        var before = 0L;
        for (var i = Math.Max(0, count - Remembered + 1); i < count; i++)
        {
            var at = _at[i & (Remembered - 1)];
            if (before != 0 && at >= from) gaps.Add(Stopwatch.GetElapsedTime(before, at));
            before = at;
            if (at > to) break;
        }

        if (before != 0 && before < to) gaps.Add(Stopwatch.GetElapsedTime(Math.Max(before, from), to));
        gaps.Sort();
        return gaps;
    }
}
