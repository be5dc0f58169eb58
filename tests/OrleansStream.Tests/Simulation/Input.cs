using OrleansStream.Testing;
using OrleansStream.Testing.Simulation;

namespace OrleansStream.Tests.Simulation;

/// <summary>A record of a simulated source: the n-th of its split.</summary>
[GenerateSerializer, Immutable, Alias("os.tests.Reading")]
internal readonly record struct Reading(
    [property: Id(0)] string Source, [property: Id(1)] int Split, [property: Id(2)] long N, [property: Id(3)] string Key, [property: Id(4)] long At)
{
    /// <summary>Written as <c>source/split/n</c>.</summary>
    public string Name => $"{Source}/{Split}/{N}";
}

/// <summary>What a simulated source holds: every record a pure function of its number.</summary>
internal sealed record Input(string Name, int Splits, int RecordsPerSplit, int Keys, int Salt, int Disorder, int FarLateEvery) : ISimulatedInput<Reading>
{
    public string SplitName(int split) => $"{Name}-{split}";

    public Reading this[int split, long n]
    {
        get
        {
            var mixed = Mix(((ulong)(uint)Salt << 32) ^ ((ulong)(uint)split << 24) ^ (ulong)n);
            var at = 100_000 + (n * 10) + (long)((mixed >> 16) % (ulong)Math.Max(1, Disorder));
            if (FarLateEvery > 0 && (mixed >> 40) % (ulong)FarLateEvery == 0) at -= 400;
            return new Reading(Name, split, n, $"key-{mixed % (ulong)Keys}", at);
        }
    }

    TestRecord<Reading> ISimulatedInput<Reading>.this[int split, long n] => this[split, n] is var reading ? new(reading, reading.At) : default;

    string ISimulatedInput<Reading>.NameOf(int split) => SplitName(split);

    int ISimulatedInput<Reading>.CountOf(int split) => RecordsPerSplit;

    /// <summary>The records of each split before an offset, or all.</summary>
    public IEnumerable<Reading> Before(Func<string, long> offset)
    {
        for (var split = 0; split < Splits; split++)
        {
            var end = Math.Min(offset(SplitName(split)), RecordsPerSplit);
            for (long n = 0; n < end; n++) yield return this[split, n];
        }
    }

    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
