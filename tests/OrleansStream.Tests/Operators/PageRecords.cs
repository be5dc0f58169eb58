using System.Globalization;
using OrleansStream.Graph;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Operators;

[GenerateSerializer, Alias("page.reading")]
public sealed record Reading([property: Id(0)] string Sensor, [property: Id(1)] double Value)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Sensor} {Value}");
}

[GenerateSerializer, Alias("page.limit")]
public sealed record Limit([property: Id(0)] string Sensor, [property: Id(1)] double Max)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Sensor} below {Max}");
}

/// <summary>What the examples of the operator page are fed, and how their results are shown.</summary>
public static class PageRecords
{
    /// <summary>Where the example whose graph is being made shows its results.</summary>
    [ThreadStatic]
    private static TestOutput<string>? _shown;

    /// <summary>Gives both inputs their records in the order of time, a watermark before each, and ends them.</summary>
    public static void Feed(TestInput<Reading> readings, TestInput<Limit> limits)
    {
        ArgumentNullException.ThrowIfNull(readings);
        ArgumentNullException.ThrowIfNull(limits);
        At(500, () => limits.Add(new Limit("boiler", 80), 500));
        At(600, () => limits.Add(new Limit("pump", 6), 600));
        At(1_000, () => readings.Add(new Reading("boiler", 20), 1_000));
        At(2_000, () => readings.Add(new Reading("boiler", 25), 2_000));
        At(2_500, () => readings.Add(new Reading("pump", 5), 2_500));
        At(4_000, () => readings.Add(new Reading("boiler", 90), 4_000));
        At(5_000, () => limits.Add(new Limit("boiler", 92), 5_000));
        At(6_000, () => readings.Add(new Reading("pump", 7), 6_000));
        At(61_000, () => readings.Add(new Reading("boiler", 95), 61_000));
        At(61_500, () => readings.Add(new Reading("boiler", 95), 61_500));
        readings.End();
        limits.End();

        void At(long time, Action add)
        {
            readings.Watermark(time - 1);
            limits.Watermark(time - 1);
            add();
        }
    }

    /// <summary>Makes a graph whose <see cref="Show{T}"/> writes to an output.</summary>
    public static void ShowIn(TestOutput<string> output, Action define)
    {
        ArgumentNullException.ThrowIfNull(define);
        _shown = output;
        define();
        _shown = null;
    }

    /// <summary>Stands for any sink: the page shows what it gets, each with its time in seconds.</summary>
    public static void Show<T>(this DataStream<T> stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Select(static value => string.Create(CultureInfo.InvariantCulture, $"{value}")).To("shown", _shown!);
    }
}
