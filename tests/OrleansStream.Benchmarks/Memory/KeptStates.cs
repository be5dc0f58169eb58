using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Benchmarks.Memory;

/// <summary>What a function does with the state of a key at each record.</summary>
internal delegate void Keep<TKey>(in Entry<TKey> record, ref KeyedContext<TKey, long> context)
    where TKey : notnull;

/// <summary>A function that only keeps something.</summary>
internal sealed class KeepingFunction<TKey>(IReadOnlyList<StateDeclaration> states, Keep<TKey> keep) : KeyedFunction<TKey, Entry<TKey>, long>
    where TKey : notnull
{
    public override IReadOnlyList<StateDeclaration> States => states;

    public override void Process(in Entry<TKey> record, ref KeyedContext<TKey, long> context) => keep(in record, ref context);
}

/// <summary>The declared states that are measured, all of numbers of eight bytes.</summary>
internal static class KeptStates
{
    public static readonly ValueState<long> Value = new("value");
    public static readonly ValueState<long> Expiring = new("expiring") { TimeToLive = TimeSpan.FromHours(1) };
    public static readonly ListState<long> List = new("list");
    public static readonly MapState<long, long> Map = new("map");
    public static readonly ReducingState<long> Reducing = new("reducing", Math.Max);
    public static readonly AggregatingState<long, SumAndCount, double> Aggregating = new("aggregating", new Mean());

    private sealed class Mean : AggregateFunction<long, SumAndCount, double>
    {
        public override SumAndCount Create() => default;

        public override void Add(ref SumAndCount accumulator, in long record) => accumulator = new SumAndCount(accumulator.Sum + record, accumulator.Count + 1);

        public override double Result(in SumAndCount accumulator) => accumulator.Sum / accumulator.Count;
    }
}
