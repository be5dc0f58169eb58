using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.State;
using OrleansStream.Testing.Simulation;

namespace OrleansStream.Tests.Simulation;

/// <summary>
/// Source, timestamps, filter, keyed function, sink: the function checks that the records of each key and split come in order, each once, and keeps values, lists, maps and
/// timers of which a checkpoint can be held against the records before its offsets.
/// </summary>
internal sealed class SequenceJob(SimulatedRun run, Input input) : EngineJob(run, input)
{
    private static readonly SideOutput<string> Fives = new("fives");
    private readonly Sequences _sequences = new(input.Before(static _ => long.MaxValue).Where(Passes));

    public override void Define(JobGraph graph)
    {
        var stream = ReadingsOf(graph, input).KeyBy(static reading => reading.Key).Process("totals", _ => new Function(Run, _sequences));
        stream.To("out", SinkOf("out"));
        stream.SideOutput(Fives).To("fives", SinkOf("fives"));
    }

    public override string? ProblemOf(Cut cut)
    {
        var readings = Before(cut).ToList();
        var table = cut.Keyed("totals");
        var keys = readings.ToLookup(static reading => reading.Key);
        if (table.KeyCount != keys.Count) return $"{table.KeyCount} keys have state, {keys.Count} have records";
        foreach (var key in keys)
        {
            if (!table.TryGetSlot(key.Key, KeyCodec<string>.Default.Hash(key.Key), out var slot)) return $"{key.Key} has records and no state";
            var expected = new Totals(key.Count(), key.Sum(static reading => reading.N));
            if (table.Values(Function.Total).Get(slot) is var actual && actual != expected) return $"{key.Key} has {actual} where the records before the offsets make {expected}";
            foreach (var split in key.GroupBy(static reading => reading.Split))
            {
                var last = split.Max(static reading => reading.N);
                if (!table.Maps(Function.Last).TryGet(slot, split.Key, out var saved) || saved != last) return $"{key.Key}, split {split.Key}: the last record is {saved} where the offsets say {last}";
            }

            var items = table.Lists(Function.Recent).Items(slot).ToArray();
            if (items.Length != Math.Min(expected.Count, Function.MostRecent)) return $"{key.Key} lists {items.Length} records of {expected.Count}";
            if (items.FirstOrDefault(item => key.All(reading => reading.Name != item)) is { } foreign) return $"{key.Key} lists {foreign}, which is not before the offsets";
        }

        var timers = readings.Select(static reading => (reading.Key, WindowOf(reading.At))).Distinct().Count();
        var lines = cut.Lines("out").ToList();
        var fired = lines.Count(static line => line.StartsWith("timer", StringComparison.Ordinal));
        if (fired + table.EventTimers.Count != timers) return $"{fired} timers have fired and {table.EventTimers.Count} wait where the records before the offsets set {timers}";
        return Difference("output", readings.Select(static reading => reading.Name), lines.Where(static line => !line.StartsWith("timer", StringComparison.Ordinal)))
            ?? Difference("side output", readings.Where(IsFive).Select(static reading => reading.Name), cut.Lines("fives"));
    }

    public override string? ProblemOfOutput()
    {
        var readings = All.ToList();
        var timers = readings.Select(static reading => (reading.Key, At: WindowOf(reading.At) + WindowSize)).Distinct();
        return Difference("output", readings.Select(static reading => reading.Name).Concat(timers.Select(static timer => $"timer/{timer.Key}/{timer.At}")), OutputOf("out"))
            ?? Difference("side output", readings.Where(IsFive).Select(static reading => reading.Name), OutputOf("fives"));
    }

    private static bool IsFive(Reading reading) => reading.N % 5 == 0;

    private sealed class Function(SimulatedRun run, Sequences sequences) : KeyedFunction<string, Reading, string>
    {
        public const int MostRecent = 5;

        public static readonly ValueState<Totals> Total = new("total");
        public static readonly ListState<string> Recent = new("recent");
        public static readonly MapState<int, long> Last = new("last");

        public override IReadOnlyList<StateDeclaration> States => [Total, Recent, Last];

        public override void Process(in Reading reading, ref KeyedContext<string, string> context)
        {
            var last = context.TryGet(Last, reading.Split, out var n) ? n : -1;
            if (last != sequences.Before(reading)) run.Violate("sequence", $"record {reading.Name} of {reading.Key} came behind {last}, where {sequences.Before(reading)} belongs");
            context.Set(Last, reading.Split, reading.N);
            var total = context.Get(Total);
            context.Set(Total, new Totals(total.Count + 1, total.Sum + reading.N));
            if (context.Items(Recent).Length == MostRecent) context.Replace<string>(Recent, [.. context.Items(Recent)[1..], reading.Name]);
            else context.Add(Recent, reading.Name);
            context.RegisterEventTimer(WindowOf(reading.At) + WindowSize);
            if (reading.N % 11 == 0) context.RegisterProcessingTimer(context.ProcessingTime + 3);
            context.Emit(reading.Name);
            if (IsFive(reading)) context.Emit(Fives, reading.Name);
        }

        public override void OnEventTimer(long timestamp, ref KeyedContext<string, string> context) => context.Emit($"timer/{context.Key}/{timestamp}");
    }

    [GenerateSerializer, Immutable, Alias("os.tests.Totals")]
    internal readonly record struct Totals([property: Id(0)] long Count, [property: Id(1)] long Sum);
}
