using OrleansStream.Stages;

namespace OrleansStream.Time;

/// <summary>
/// Hands on the records and the watermarks of a source that has watermarks of its own: the lowest of its splits that are neither idle nor at their end. It keeps nothing:
/// a reader that is opened at an offset has the watermark that belongs there.
/// </summary>
internal sealed class SourceWatermarks<T>(SubtaskContext context, Output<T> output) : Operator<T>, IWatermarkOrigin
{
    private bool _ended;

    public long Watermark { get; private set; } = EventTime.Beginning;

    public bool IsIdle { get; private set; }

    public IEnumerable<SplitProgress> Splits
    {
        get
        {
            var source = context.Source!;
            for (var split = 0; split < source.Names.Count; split++)
            {
                var time = source.TimeOf(split);
                yield return new SplitProgress(source.Names[split], time?.Watermark ?? EventTime.Beginning, source.IsEnded(split), time is { IsIdle: true }, IsPaused: false);
            }
        }
    }

    public override long? NextTime => !_ended && Lowest() is var lowest && (lowest.Watermark > Watermark || lowest.IsIdle != IsIdle) ? context.Now.Wall : null;

    public override void OnTime() => Announce();

    public override void OnRecords(Records<T> records)
    {
        if (records.Count > 0) output.Forward(records);
        Announce();
    }

    public override void OnWatermark(long watermark)
    {
        _ended = true;
        output.Watermark(watermark);
    }

    private void Announce()
    {
        var (watermark, isIdle) = Lowest();
        IsIdle = isIdle;
        if (watermark <= Watermark) return;
        Watermark = watermark;
        output.Watermark(watermark);
    }

    private (long Watermark, bool IsIdle) Lowest()
    {
        var source = context.Source!;
        var lowest = EventTime.End;
        var open = 0;
        var active = 0;
        for (var split = 0; split < source.Names.Count; split++)
        {
            if (source.IsEnded(split) || source.TimeOf(split) is not { } time) continue;
            open++;
            if (time.IsIdle) continue;
            active++;
            lowest = Math.Min(lowest, time.Watermark);
        }

        return (active > 0 ? lowest : Watermark, open > 0 && active == 0);
    }
}
