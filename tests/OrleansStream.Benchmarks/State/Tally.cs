using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Benchmarks.State;

/// <summary>One update of a key.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct Update([property: Id(0)] int Key, [property: Id(1)] double Amount);

/// <summary>What a key had behind an update.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct Updated([property: Id(0)] long Count, [property: Id(1)] double Sum);

/// <summary>The value of a key: a count and a sum, and room to make it as large as asked.</summary>
internal interface ITally<TSelf>
    where TSelf : struct, ITally<TSelf>
{
    long Count { get; }

    double Sum { get; }

    TSelf Add(double amount);
}

[GenerateSerializer, Immutable]
internal readonly record struct Tally16([property: Id(0)] long Count, [property: Id(1)] double Sum) : ITally<Tally16>
{
    public Tally16 Add(double amount) => new(Count + 1, Sum + amount);
}

[GenerateSerializer, Immutable]
internal readonly record struct Tally32([property: Id(0)] long Count, [property: Id(1)] double Sum, [property: Id(2)] long Third, [property: Id(3)] long Fourth) : ITally<Tally32>
{
    public Tally32 Add(double amount) => new(Count + 1, Sum + amount, Third + 3, Fourth + 4);
}

[GenerateSerializer, Immutable]
internal readonly record struct Tally64([property: Id(0)] Tally32 First, [property: Id(1)] Tally32 Second) : ITally<Tally64>
{
    public long Count => First.Count;

    public double Sum => First.Sum;

    public Tally64 Add(double amount) => new(First.Add(amount), Second.Add(amount));
}

/// <summary>Counts and sums the updates of each key, and emits what the key has then.</summary>
internal sealed class TallyFunction<TValue> : KeyedFunction<int, Update, Updated>
    where TValue : struct, ITally<TValue>
{
    public static readonly ValueState<TValue> Tally = new("tally");

    public override IReadOnlyList<StateDeclaration> States => [Tally];

    public override void Process(in Update record, ref KeyedContext<int, Updated> context)
    {
        var value = context.Get(Tally).Add(record.Amount);
        context.Set(Tally, value);
        context.Emit(new Updated(value.Count, value.Sum));
    }
}
