namespace OrleansStream.Sources;

/// <summary>Spreads records evenly over time: what a rate allows since the start, less what was used. Unused allowance of over a tenth of a second is lost.</summary>
internal sealed class RateLimit(double? perSecond)
{
    private const double LargestBurstSeconds = 0.1;

    private double _credit;
    private long? _at;

    /// <summary>How many records may be read now.</summary>
    public int Allowance(long elapsedMs, int most)
    {
        if (perSecond is not { } rate) return most;
        if (_at is { } at) _credit = Math.Min(Math.Max(1, rate * LargestBurstSeconds), _credit + (elapsedMs - at) * rate / 1000);
        else _credit = 1;
        _at = elapsedMs;
        return (int)Math.Min(most, Math.Floor(_credit));
    }

    public void Used(int records)
    {
        if (perSecond is not null) _credit -= records;
    }

    /// <summary>When at least one more record is allowed, in the same milliseconds; null when there is no limit.</summary>
    public long? NextAt(long elapsedMs) =>
        perSecond is { } rate && _at is { } at ? Math.Max(elapsedMs, at + (long)Math.Ceiling((1 - Math.Min(1, _credit)) * 1000 / rate)) : null;
}
