using OrleansStream.Functions;
using OrleansStream.State;
using OrleansStream.Windows;

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

/// <summary>The middle one of a window's readings, and how many windows of the sensor came before.</summary>
public sealed class Median : WindowFunction<string, Reading, string>
{
    private static readonly ValueState<int> Windows = new("windows");

    public override IReadOnlyList<StateDeclaration> States => [Windows];

    public override void Process(IReadOnlyList<Reading> readings, ref WindowContext<string, string> context)
    {
        var median = readings.OrderBy(static r => r.Value).ElementAt(readings.Count / 2);
        context.Emit($"{median} after {context.KeyState.Get(Windows)} windows");
        context.KeyState.Update(Windows, static windows => windows + 1);
    }
}
