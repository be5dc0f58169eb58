using OrleansStream.Stages;

namespace OrleansStream.Time;

/// <summary>
/// Pauses splits that are ahead of the lowest in their alignment group. Of this subtask's splits it knows at every moment, of the other subtasks' what it was told last. A matter of economy, not of
/// correctness: what was told is old and so never above what is true, except of splits that were idle; and when nothing is told for a while the others are not waited for.
/// Invariant: the lowest split that counts in the whole group is never paused for long, for its watermark is at or below every limit that is made of true news.
/// Source: Flink's watermark alignment (FLIP-182, FLIP-217), with splits and subtasks of several sources in one group.
/// </summary>
internal sealed class SplitAlignment(SubtaskContext context, SplitWatermarks watermarks, string group, long maxDriftMilliseconds, bool hasOthers)
{
    /// <summary>For how long others are waited for of whom nothing is heard, in milliseconds.</summary>
    public const long LongestSilenceMs = 5_000;

    private long _others = hasOthers ? EventTime.Beginning : EventTime.End;
    private long? _heardAt;

    public string Group => group;

    /// <summary>What the other subtasks of the group are to know of this one: the lowest watermark of its splits that count, the end of time when none does.</summary>
    public long Lowest => context.Source is { } source && watermarks.Count < source.Names.Count ? EventTime.Beginning : watermarks.Lowest;

    /// <summary>When the others are no longer waited for if nothing is heard, in monotonic milliseconds; null when nothing waits for them.</summary>
    public long? NextTime
    {
        get
        {
            if (_others == EventTime.End || _heardAt is not { } heard) return null;
            for (var split = 0; split < watermarks.Count; split++)
            {
                if (watermarks.IsPaused(split)) return heard + LongestSilenceMs;
            }

            return null;
        }
    }

    /// <summary>Takes news of the lowest watermark of the group's other subtasks.</summary>
    public void Hear(long lowestOfOthers, long elapsed)
    {
        _others = lowestOfOthers;
        _heardAt = elapsed;
    }

    /// <summary>Decides anew which splits are paused.</summary>
    public void Update()
    {
        var elapsed = context.Now.Elapsed;
        _heardAt ??= elapsed;
        if (_others != EventTime.End && elapsed - _heardAt >= LongestSilenceMs) _others = EventTime.End;
        watermarks.EndThoseOf(context);
        watermarks.Pause(EventTime.Plus(Math.Min(_others, watermarks.Lowest), maxDriftMilliseconds), context.ReadingTime);
    }

    public bool IsPaused(int split) => split < watermarks.Count && watermarks.IsPaused(split);
}
