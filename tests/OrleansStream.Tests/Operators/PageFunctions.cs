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

/// <summary>Tells of each reading that is above the limit of its sensor, and of each limit that the last reading is above.</summary>
public sealed class Watch : KeyedCoFunction<string, Reading, Limit, string>
{
    private static readonly ValueState<double> Last = new("last");
    private static readonly ValueState<double> Max = new("max") { Default = double.PositiveInfinity };

    public override IReadOnlyList<StateDeclaration> States => [Last, Max];

    public override void ProcessFirst(in Reading reading, ref KeyedContext<string, string> context)
    {
        context.Set(Last, reading.Value);
        if (reading.Value > context.Get(Max)) context.Emit($"{reading} is above {context.Get(Max)}");
    }

    public override void ProcessSecond(in Limit limit, ref KeyedContext<string, string> context)
    {
        context.Set(Max, limit.Max);
        if (context.Get(Last) > limit.Max) context.Emit($"{context.Key} {context.Get(Last)} was above {limit.Max}");
    }
}

/// <summary>Holds each reading against the limits of all sensors, and tells when a limit changes what each sensor had last.</summary>
public sealed class Obey : KeyedBroadcastFunction<string, Reading, Limit, string>
{
    public static readonly BroadcastState<string, double> Limits = new("limits");

    private static readonly ValueState<double> Last = new("last");

    public override IReadOnlyList<StateDeclaration> States => [Last];

    public override void Process(in Reading reading, ref KeyedContext<string, string> context)
    {
        context.Set(Last, reading.Value);
        if (context.TryGet(Limits, reading.Sensor, out var max) && reading.Value > max) context.Emit($"{reading} is above {max}");
    }

    public override void ProcessBroadcast(in Limit limit, ref BroadcastContext<string> context, SubtaskKeys<string, string> keys)
    {
        context.Set(Limits, limit.Sensor, limit.Max);
        keys.ForEach(static (ref key) => key.Emit($"limits change; {key.Key} has {key.Get(Last)}"));
    }
}
