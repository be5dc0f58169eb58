namespace OrleansStream.Patterns;

/// <summary>The record at hand and the partial match it is held against, with the answers that conditions have given about them.</summary>
/// <param name="conditions">How many conditions there are.</param>
/// <param name="matched">What the partial match has taken.</param>
internal sealed class Evaluation<T>(int conditions, MatchedSoFar<T> matched)
{
    private readonly sbyte[] _ofRecord = new sbyte[conditions];
    private readonly sbyte[] _ofPartial = new sbyte[conditions];

    public T Record { get; private set; } = default!;

    public long Timestamp { get; private set; }

    public MatchedSoFar<T> Matched => matched;

    /// <summary>What a condition over the record said: 1 for yes, -1 for no, 0 when it was not asked yet.</summary>
    public ref sbyte OfRecord(int condition) => ref _ofRecord[condition];

    /// <summary>What a condition over the record and the partial match said.</summary>
    public ref sbyte OfPartial(int condition) => ref _ofPartial[condition];

    public void Begin(T record, long timestamp)
    {
        Record = record;
        Timestamp = timestamp;
        Array.Clear(_ofRecord);
    }

    public void Turn()
    {
        Array.Clear(_ofPartial);
        matched.Turn(Timestamp);
    }

    /// <summary>Lets go of the record.</summary>
    public void End() => Record = default!;
}
