using OrleansStream.Benchmarks.Input;

namespace OrleansStream.Benchmarks.Aggregate;

/// <summary>A record of the aggregate workload, 24 bytes.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct Amount([property: Id(0)] int Key, [property: Id(1)] double Value, [property: Id(2)] long Time) : ITimedRecord<Amount>
{
    public uint KeyHash => (uint)Key * 0x9E3779B1U;

    public Amount Later(long milliseconds) => new(Key, Value, Time + milliseconds);

    /// <summary>Record n of the input: a pseudo-random key, a whole number below 1,000, in the order of time.</summary>
    public static Amount Make(long n, int keys)
    {
        var random = RecordInput<Amount>.Random(n);
        return new Amount((int)((random >> 32) * (ulong)keys >> 32), random % 1000, n / RecordInput<Amount>.PerMillisecond);
    }
}

/// <summary>The total of one key at the end of input.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct KeyTotal([property: Id(0)] int Key, [property: Id(1)] long Count, [property: Id(2)] double Sum)
{
    public Answer ToAnswer() => Answer.Of((ulong)Key, Count, Sum);

    /// <summary>Which keys are reported at the end: those whose number has none of these bits. One of sixteen, all when there are no more than sixteen.</summary>
    public static int SampleMask(int keys) => keys <= 16 ? 0 : 15;
}
