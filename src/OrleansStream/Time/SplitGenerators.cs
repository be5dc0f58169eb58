using OrleansStream.Stages;

namespace OrleansStream.Time;

/// <summary>The generators of a subtask's splits: one each, made when the splits are known.</summary>
internal sealed class SplitGenerators<T>(Func<WatermarkGenerator<T>> make, long? periodMilliseconds)
{
    private readonly List<WatermarkGenerator<T>> _generators = [];
    private long? _nextAt;

    /// <summary>When <see cref="OnPeriodic"/> is due, in wall-clock milliseconds; null when it never is.</summary>
    public long? NextTime => _nextAt;

    /// <summary>Makes the generator of the next split, and tells it the watermark that the split had.</summary>
    public void Add(long restored, long wall)
    {
        var generator = make() ?? throw new InvalidOperationException("the factory of watermark generators returned null");
        _generators.Add(generator);
        if (restored != EventTime.Beginning) generator.OnRestored(restored);
        if (periodMilliseconds is { } period) _nextAt ??= wall + period;
    }

    public void OnRecord(SplitWatermarks watermarks, int split, in T record, long timestamp) => Take(watermarks, split, _generators[split].OnRecord(record, timestamp));

    /// <summary>Asks the generator of every active split, when it is time. One that throws ends the attempt with the name of its split.</summary>
    public void OnPeriodic(SplitWatermarks watermarks, long wall, Failures<T> failures)
    {
        if (_nextAt > wall || periodMilliseconds is not { } period) return;
        _nextAt = wall + period;
        for (var split = 0; split < _generators.Count; split++)
        {
            if (!watermarks.IsActive(split)) continue;
            try
            {
                Take(watermarks, split, _generators[split].OnPeriodic(wall));
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                throw failures.WithoutRecord(error, $"split '{watermarks[split].Name}'");
            }
        }
    }

    private static void Take(SplitWatermarks watermarks, int split, long? watermark)
    {
        if (watermark is not { } said) return;
        if (said == EventTime.End) throw new OverflowException($"the watermark {said} is reserved for the end of input");
        watermarks.Advance(split, said);
    }
}
