using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Tests.Operators;

/// <summary>Tells of each reading that is higher than the last of its sensor, and ten seconds after each reading what its sensor had last.</summary>
public sealed class Rise : KeyedFunction<string, Reading, string>
{
    private static readonly ValueState<double> Last = new("last") { Default = double.PositiveInfinity };

    public override IReadOnlyList<StateDeclaration> States => [Last];

    public override void Process(in Reading reading, ref KeyedContext<string, string> context)
    {
        if (reading.Value > context.Get(Last)) context.Emit($"{context.Key} rose by {reading.Value - context.Get(Last)}");
        context.Set(Last, reading.Value);
        context.RegisterEventTimer(context.Timestamp + 10_000);
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<string, string> context) => context.Emit($"{context.Key} had {context.Get(Last)}");
}

/// <summary>The highest reading of each sensor, forgotten when there was none for half a minute.</summary>
public sealed class Highest : KeyedFunction<string, Reading, string>
{
    private static readonly ReducingState<double> Max = new("max", Math.Max) { TimeToLive = TimeSpan.FromSeconds(30) };

    public override IReadOnlyList<StateDeclaration> States => [Max];

    public override void Process(in Reading reading, ref KeyedContext<string, string> context)
    {
        var isFirst = !context.Has(Max);
        context.Add(Max, reading.Value);
        context.Emit($"{context.Key} {(isFirst ? "begins with" : "had at most")} {context.Get(Max)}");
    }
}
