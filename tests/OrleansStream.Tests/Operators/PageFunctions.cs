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

/// <summary>Keeps the highest reading and the lowest limit of each sensor, in whatever order they come, and tells them when 100 seconds have passed.</summary>
public sealed class Watch : KeyedCoFunction<string, Reading, Limit, string>
{
    private static readonly ValueState<double> Highest = new("highest");
    private static readonly ValueState<double> Lowest = new("lowest") { Default = double.PositiveInfinity };

    public override IReadOnlyList<StateDeclaration> States => [Highest, Lowest];

    public override void ProcessFirst(in Reading reading, ref KeyedContext<string, string> context)
    {
        context.Set(Highest, Math.Max(context.Get(Highest), reading.Value));
        context.RegisterEventTimer(100_000);
    }

    public override void ProcessSecond(in Limit limit, ref KeyedContext<string, string> context) => context.Set(Lowest, Math.Min(context.Get(Lowest), limit.Max));

    public override void OnEventTimer(long timestamp, ref KeyedContext<string, string> context) => context.Emit($"{context.Key}: {context.Get(Highest)}, limit {context.Get(Lowest)}");
}

/// <summary>Tells, when 100 seconds have passed, what each sensor had last and which limits there are by then; every subtask knows those of all sensors.</summary>
public sealed class Obey : KeyedBroadcastFunction<string, Reading, Limit, string>
{
    public static readonly BroadcastState<string, double> Limits = new("limits");

    private static readonly ValueState<double> Last = new("last");

    public override IReadOnlyList<StateDeclaration> States => [Last];

    public override void Process(in Reading reading, ref KeyedContext<string, string> context)
    {
        context.Set(Last, reading.Value);
        context.RegisterEventTimer(100_000);
    }

    public override void ProcessBroadcast(in Limit limit, ref BroadcastContext<string> context, SubtaskKeys<string, string> keys) => context.Set(Limits, limit.Sensor, limit.Max);

    public override void OnEventTimer(long timestamp, ref KeyedContext<string, string> context) =>
        context.Emit($"{context.Key} had {context.Get(Last)}; {string.Join(", ", context.Entries(Limits).Select(static limit => $"{limit.Key} may have {limit.Value}"))}");
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
