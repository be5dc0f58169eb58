using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.State;
using OrleansStream.Tests.Stages;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Graph;

/// <summary>Graphs to describe, plan and refuse.</summary>
internal static class GraphSamples
{
    public static JobGraph Graph(Action<JobGraph> define)
    {
        var graph = new JobGraph(Wiring.Context().Services);
        define(graph);
        return graph;
    }

    public static JobPlan Plan(Action<JobGraph> define, int parallelism = 2, int maxParallelism = 128) => JobPlan.Create("payments", Graph(define), parallelism, maxParallelism);

    public static string Fingerprint(Action<JobGraph> define, int parallelism = 2) => Plan(define, parallelism).Fingerprint;

    /// <summary>Everything that is wrong with a graph, a line each.</summary>
    public static string[] Refusals(Action<JobGraph> define, int parallelism = 2, int maxParallelism = 128)
    {
        var message = Assert.Throws<JobRefusedException>(() => Plan(define, parallelism, maxParallelism)).Message.Split("\n  - ");
        Assert.Equal("Job 'payments' was refused:", message[0]);
        return message[1..];
    }

    public static Source<Payment> Payments(int count = 0) => Collections.From(Enumerable.Range(0, count).Select(static n => new Payment($"a{n}", n)));

    /// <summary>A job with a source, times, a filter, a window and a sink.</summary>
    public static void Averages(JobGraph graph) => Averages(graph, "average", TimeSpan.FromHours(1));

    public static void Averages(JobGraph graph, string window, TimeSpan size, TimeSpan offset = default, double? rate = null) => graph
        .From("payments", Payments(), rate)
        .WithTimestamps(static payment => payment.Amount, TimeSpan.FromSeconds(10))
        .Where(static payment => payment.Amount > 0)
        .KeyBy(static payment => payment.Account)
        .Window(TumblingWindows.Of(size, offset))
        .Aggregate(window, 0L, static (sum, payment) => sum + payment.Amount, static sum => (double)sum)
        .To("results", new CollectingSink<WindowResult<string, double>>());

    public static Func<IServiceProvider, KeyedFunction<string, T, string>> Keep<T, TState>(string state = "kept") => _ => new Keeper<T>([new ValueState<TState>(state)]);

    public static Func<IServiceProvider, KeyedFunction<string, T, string>> Keep<T>(params StateDeclaration[] states) => _ => new Keeper<T>(states);

    private sealed class Keeper<T>(StateDeclaration[] states) : KeyedFunction<string, T, string>
    {
        public override IReadOnlyList<StateDeclaration> States => states;

        public override void Process(in T record, ref KeyedContext<string, string> context)
        {
        }
    }
}

[GenerateSerializer, Immutable]
internal sealed record Payment([property: Id(0)] string Account, [property: Id(1)] long Amount);

internal sealed record NotSerialized(string Account);

[GenerateSerializer]
internal class OpenClass
{
    [Id(0)]
    public int Value { get; init; }
}

[GenerateSerializer]
internal sealed class Mutable
{
    [Id(0)]
    public int Value { get; set; }
}

[GenerateSerializer]
internal sealed record Nested([property: Id(0)] NotSerialized Inner);

[GenerateSerializer]
internal abstract record Shape([property: Id(0)] string Name);

[GenerateSerializer, Alias("os.tests.Circle")]
internal sealed record Circle([property: Id(0)] double Radius, string Name) : Shape(Name);

[GenerateSerializer]
internal abstract record LooseShape;

[GenerateSerializer]
internal sealed record WithoutAlias : LooseShape;

[GenerateSerializer]
internal abstract class MutableRoot
{
    [Id(0)]
    public int Changed { get; set; }
}

[GenerateSerializer, Alias("os.tests.MutableKind")]
internal sealed class MutableKind : MutableRoot;

internal static class Generic<T>
{
    [GenerateSerializer]
    internal readonly record struct Part([property: Id(0)] T Value);
}
