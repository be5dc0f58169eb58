using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.State;
using OrleansStream.Testing.Simulation;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Simulation;

/// <summary>Two sources merged into windows: with disorder within the bound, every window fires once, with all of its records.</summary>
internal sealed class WindowJob(SimulatedRun run, Input left, Input right) : EngineJob(run, left, right)
{
    public override void Define(JobGraph graph) => ReadingsOf(graph, left)
        .Merge(ReadingsOf(graph, right))
        .KeyBy(static reading => reading.Key)
        .Window(TumblingWindows.Of(TimeSpan.FromMilliseconds(WindowSize)))
        .Aggregate("sums", new Sums(0, 0), static (sums, reading) => sums.With(reading), static sums => sums)
        .Select(static result => $"{result.Key}/{result.Window.Start}/{result.Value.Count}/{result.Value.Sum}")
        .To("out", SinkOf("out"));

    public override string? ProblemOf(Cut cut)
    {
        var open = cut.Windows("sums").Select(static window => $"{window.Key}/{window.Start}/{window.Sums.Count}/{window.Sums.Sum}").ToList();
        var fired = cut.Lines("out").ToList();
        var expected = LinesOf(Before(cut)).ToHashSet();
        if (open.Find(line => !expected.Contains(line)) is { } wrong) return $"window {wrong} is open, which the records before the offsets do not make";
        return Difference("windows, open and fired", expected, open.Concat(fired));
    }

    public override string? ProblemOfOutput() => Difference("windows", LinesOf(All), OutputOf("out"));

    public static IEnumerable<string> LinesOf(IEnumerable<Reading> readings) => readings
        .GroupBy(static reading => (reading.Key, Start: WindowOf(reading.At)))
        .Select(static window => $"{window.Key.Key}/{window.Key.Start}/{window.Count()}/{window.Sum(static reading => reading.N)}");
}

/// <summary>
/// Windows over records that are out of order beyond the bound: what is late depends on timing, but every record is either in its window or late, and each window fires once.
/// A watermark that went back would fire some twice.
/// </summary>
internal sealed class LateJob(SimulatedRun run, Input input, TimeSpan? idleAfter) : EngineJob(run, input)
{
    private static readonly SideOutput<Reading> Late = new("late");

    public override void Define(JobGraph graph)
    {
        var readings = ReadingsOf(graph, input, idleAfter).KeyBy(static reading => reading.Key);
        readings.Process("watermarks", _ => new WatermarkCheck(Run)).To("nothing", SinkOf("nothing"));
        var windows = readings
            .Window(TumblingWindows.Of(TimeSpan.FromMilliseconds(WindowSize)), late: Late)
            .Aggregate("sums", new Sums(0, 0), static (sums, reading) => sums.With(reading), static sums => sums);
        windows.Select(static result => $"{result.Key}/{result.Window.Start}/{result.Value.Count}/{result.Value.Sum}").To("out", SinkOf("out"));
        windows.SideOutput(Late).Select(static reading => $"{reading.Key}/{WindowOf(reading.At)}/1/{reading.N}").To("late", SinkOf("late"));
    }

    public override string? ProblemOf(Cut cut) => Problem(
        Before(cut), cut.Windows("sums").Select(static window => $"{window.Key}/{window.Start}/{window.Sums.Count}/{window.Sums.Sum}"), cut.Lines("out"), cut.Lines("late"));

    public override string? ProblemOfOutput() => Problem(All, [], OutputOf("out"), OutputOf("late"));

    /// <summary>The watermark that a key has seen is in its state, so it tells of every restart that sets the watermark back.</summary>
    private sealed class WatermarkCheck(SimulatedRun run) : KeyedFunction<string, Reading, string>
    {
        public static readonly ValueState<long> Seen = new("seen") { Default = long.MinValue };

        public override IReadOnlyList<StateDeclaration> States => [Seen];

        public override void Process(in Reading reading, ref KeyedContext<string, string> context)
        {
            var seen = context.Get(Seen);
            if (context.Watermark < seen) run.Violate("watermark", $"at record {reading.Name} of {reading.Key} the watermark is {context.Watermark}, and it was {seen}");
            context.Set(Seen, context.Watermark);
        }
    }

    private static string? Problem(IEnumerable<Reading> readings, IEnumerable<string> open, IEnumerable<string> fired, IEnumerable<string> late)
    {
        var windows = open.Concat(fired).Select(Parse).ToList();
        if (windows.GroupBy(static window => (window.Key, window.Start)).FirstOrDefault(static same => same.Count() > 1) is { } twice) return $"window {twice.Key} is there {twice.Count()} times";
        return Difference(
            "counts and sums of windows, open, fired and late",
            Totals(readings.Select(static reading => (reading.Key, WindowOf(reading.At), 1L, reading.N))),
            Totals(windows.Concat(late.Select(Parse))));
    }

    private static IEnumerable<string> Totals(IEnumerable<(string Key, long Start, long Count, long Sum)> parts) => parts
        .GroupBy(static part => (part.Key, part.Start))
        .Select(static same => $"{same.Key}: {same.Sum(static part => part.Count)}, {same.Sum(static part => part.Sum)}");

    private static (string Key, long Start, long Count, long Sum) Parse(string line)
    {
        var parts = line.Split('/');
        return (parts[0], long.Parse(parts[1]), long.Parse(parts[2]), long.Parse(parts[3]));
    }
}

[GenerateSerializer, Immutable, Alias("os.tests.Sums")]
internal readonly record struct Sums([property: Id(0)] long Count, [property: Id(1)] long Sum)
{
    public Sums With(Reading reading) => new(Count + 1, Sum + reading.N);
}
