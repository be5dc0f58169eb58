using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.State;
using OrleansStream.Testing.Simulation;

namespace OrleansStream.Tests.Simulation;

/// <summary>Two keyed exchanges one after the other: the second function sees each split and first key in order too.</summary>
internal sealed class TwoStageJob(SimulatedRun run, Input input) : EngineJob(run, input)
{
    private const int Buckets = 3;

    private readonly Sequences _first = new(input.Before(static _ => long.MaxValue).Where(Passes));
    private readonly Sequences _second = new(input.Before(static _ => long.MaxValue).Where(Passes).Select(static reading => reading with { Key = $"{reading.Key}/{reading.N % Buckets}" }));

    public override void Define(JobGraph graph) => ReadingsOf(graph, input)
        .KeyBy(static reading => reading.Key)
        .Process("first", _ => new Function(Run, _first, static reading => reading.Key))
        .KeyBy(static reading => (int)(reading.N % Buckets))
        .Process("second", _ => new SecondFunction(Run, _second))
        .Select(static reading => reading.Name)
        .To("out", SinkOf("out"));

    public override string? ProblemOf(Cut cut)
    {
        var readings = Before(cut).ToList();
        var first = cut.Keyed("first");
        foreach (var key in readings.GroupBy(static reading => reading.Key))
        {
            var count = first.TryGetSlot(key.Key, KeyCodec<string>.Default.Hash(key.Key), out var slot) ? first.Values(Function.Count).Get(slot) : 0;
            if (count != key.Count()) return $"the first stage counts {count} of {key.Key} where {key.Count()} are before the offsets";
        }

        var second = cut.KeyedByNumber("second");
        foreach (var bucket in readings.GroupBy(static reading => (int)(reading.N % Buckets)))
        {
            var count = second.TryGetSlot(bucket.Key, KeyCodec<int>.Default.Hash(bucket.Key), out var slot) ? second.Values(SecondFunction.Count).Get(slot) : 0;
            if (count != bucket.Count()) return $"the second stage counts {count} of bucket {bucket.Key} where {bucket.Count()} are before the offsets";
        }

        return Difference("output", readings.Select(static reading => reading.Name), cut.Lines("out"));
    }

    public override string? ProblemOfOutput() => Difference("output", All.Select(static reading => reading.Name), OutputOf("out"));

    private sealed class Function(SimulatedRun run, Sequences sequences, Func<Reading, string> key) : KeyedFunction<string, Reading, Reading>
    {
        public static readonly ValueState<long> Count = new("count");
        public static readonly MapState<string, long> Last = new("last");

        public override IReadOnlyList<StateDeclaration> States => [Count, Last];

        public override void Process(in Reading reading, ref KeyedContext<string, Reading> context)
        {
            var line = $"{reading.Split}/{key(reading)}";
            var last = context.TryGet(Last, line, out var n) ? n : -1;
            if (last != sequences.Before(reading)) run.Violate("sequence", $"record {reading.Name} of {line} came behind {last}, where {sequences.Before(reading)} belongs");
            context.Set(Last, line, reading.N);
            context.Set(Count, context.Get(Count) + 1);
            context.Emit(reading);
        }
    }

    private sealed class SecondFunction(SimulatedRun run, Sequences sequences) : KeyedFunction<int, Reading, Reading>
    {
        public static readonly ValueState<long> Count = new("count");
        public static readonly MapState<string, long> Last = new("last");

        public override IReadOnlyList<StateDeclaration> States => [Count, Last];

        public override void Process(in Reading reading, ref KeyedContext<int, Reading> context)
        {
            var line = $"{reading.Split}/{reading.Key}";
            var last = context.TryGet(Last, line, out var n) ? n : -1;
            if (last != sequences.Before(reading)) run.Violate("sequence", $"stage 2: record {reading.Name} of {line} came behind {last}, where {sequences.Before(reading)} belongs");
            context.Set(Last, line, reading.N);
            context.Set(Count, context.Get(Count) + 1);
            context.Emit(reading);
        }
    }
}

/// <summary>Records that are spread over subtasks, or sent to all of them, before they meet again by key: no order, but each once from each.</summary>
internal sealed class SpreadJob(SimulatedRun run, Input input, bool isBroadcast) : EngineJob(run, input)
{
    public override void Define(JobGraph graph)
    {
        var readings = ReadingsOf(graph, input);
        (isBroadcast ? readings.Broadcast() : readings.Rebalance())
            .Select(static reading => reading with { Source = "spread" })
            .KeyBy(static reading => reading.Key)
            .Process("copies", _ => new Function(Run, isBroadcast))
            .To("out", SinkOf("out"));
    }

    public override string? ProblemOf(Cut cut)
    {
        var readings = Before(cut).Select(static reading => reading with { Source = "spread" }).ToList();
        var table = cut.Keyed("copies");
        foreach (var key in readings.GroupBy(static reading => reading.Key))
        {
            if (!table.TryGetSlot(key.Key, KeyCodec<string>.Default.Hash(key.Key), out var slot)) return $"{key.Key} has records and no state";
            var problem = Difference($"records of {key.Key}", key.Select(static reading => reading.Name), table.Maps(Function.Copies).Entries(slot).Select(static entry => entry.Key));
            if (problem is not null) return problem;
            if (Run.FixedParallelism is not { } copies || !isBroadcast) continue;
            if (table.Maps(Function.Copies).Entries(slot).FirstOrDefault(entry => entry.Value != copies) is { Key: not null } odd) return $"{odd.Key} came {odd.Value} times of {copies}";
        }

        return Difference("output", readings.Select(static reading => reading.Name), cut.Lines("out"));
    }

    public override string? ProblemOfOutput() => Difference("output", All.Select(static reading => (reading with { Source = "spread" }).Name), OutputOf("out"));

    private sealed class Function(SimulatedRun run, bool isBroadcast) : KeyedFunction<string, Reading, string>
    {
        public static readonly MapState<string, int> Copies = new("copies");

        public override IReadOnlyList<StateDeclaration> States => [Copies];

        public override void Process(in Reading reading, ref KeyedContext<string, string> context)
        {
            var copies = context.TryGet(Copies, reading.Name, out var count) ? count + 1 : 1;
            if (copies > (isBroadcast ? run.FixedParallelism ?? SimulatedRun.MostParallelism : 1)) run.Violate("sequence", $"record {reading.Name} came {copies} times");
            context.Set(Copies, reading.Name, copies);
            if (copies == 1) context.Emit(reading.Name);
        }
    }
}
