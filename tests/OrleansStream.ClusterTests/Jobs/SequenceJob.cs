using System.Collections.Concurrent;
using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.State;

namespace OrleansStream.ClusterTests.Jobs;

/// <summary>A job whose every result shows whether a record was lost, doubled or taken out of order: per key it counts, sums, keeps a list and a map, and sets timers.</summary>
internal static class SequenceJob
{
    public const int Keys = 40;

    public static void Define(JobGraph graph, long records, Sink<Counted> sink, Trap? trap = null, OnError onError = OnError.Fail, Sink<DeadLetter<Numbered>>? deadLetters = null, int splits = 4)
    {
        var counted = graph
            .From("numbers", Generator.Of(static n => new Numbered((int)(n % Keys), n / Keys), records, splits, static n => n))
            .WithTimestamps(TimeSpan.FromMilliseconds(records))
            .KeyBy(static number => number.Key)
            .Process("count", _ => new Count(trap), onError);
        if (deadLetters is not null) counted.DeadLetters<Numbered>().To("dead-letters", deadLetters);
        counted.To("results", sink);
    }

    /// <summary>What every key must have given at the end.</summary>
    public static IEnumerable<Counted> Expected(long records) => Enumerable.Range(0, Keys).Select(key =>
    {
        var numbers = Enumerable.Range(0, (int)((records - key + Keys - 1) / Keys)).Select(static n => (long)n).ToList();
        return new Counted(key, numbers.Count, numbers.Sum(), numbers.Count(static n => n % 5 == 0), numbers.GroupBy(static n => (int)(n % 7)).Sum(static group => group.Last()));
    });

    /// <summary>Counts in every kind of state; emits when the end of time comes.</summary>
    private sealed class Count(Trap? trap) : KeyedFunction<int, Numbered, Counted>
    {
        private static readonly ValueState<Tally> Seen = new("seen");
        private static readonly ListState<long> Fifths = new("fifths");
        private static readonly MapState<int, long> LastByRemainder = new("last-by-remainder");

        public override IReadOnlyList<StateDeclaration> States => [Seen, Fifths, LastByRemainder];

        public override void Process(in Numbered record, ref KeyedContext<int, Counted> context)
        {
            context.Update(Seen, Next(record));
            if (record.Value % 5 == 0) context.Add(Fifths, record.Value);
            if (!context.TryGet(LastByRemainder, (int)(record.Value % 7), out var last) || last < record.Value) context.Set(LastByRemainder, (int)(record.Value % 7), record.Value);
            context.RegisterEventTimer(long.MaxValue - 1);
            trap?.Spring(record);
        }

        public override void OnEventTimer(long timestamp, ref KeyedContext<int, Counted> context)
        {
            var seen = context.Get(Seen);
            var remainders = 0L;
            foreach (var entry in context.Entries(LastByRemainder)) remainders += entry.Value;
            context.Emit(new Counted(context.Key, seen.Count, seen.Sum, context.Items(Fifths).Length, remainders));
        }

        private static Func<Tally, Tally> Next(Numbered record) => seen => new Tally(seen.Count + 1, seen.Sum + record.Value);
    }
}

/// <summary>Throws at chosen records, as often as told: a function that fails.</summary>
internal sealed class Trap(Func<Numbered, bool> at, int times)
{
    private readonly ConcurrentQueue<Numbered> _sprung = new();

    public IReadOnlyCollection<Numbered> Sprung => _sprung;

    public void Spring(Numbered record)
    {
        if (!at(record) || _sprung.Count >= times) return;
        _sprung.Enqueue(record);
        throw new InvalidOperationException($"trapped at {record.Value}");
    }
}

[GenerateSerializer, Immutable]
internal readonly record struct Numbered([property: Id(0)] int Key, [property: Id(1)] long Value);

[GenerateSerializer, Immutable]
internal readonly record struct Tally([property: Id(0)] long Count, [property: Id(1)] long Sum);

[GenerateSerializer, Immutable]
internal readonly record struct Counted(
    [property: Id(0)] int Key, [property: Id(1)] long Count, [property: Id(2)] long Sum, [property: Id(3)] int Fifths, [property: Id(4)] long Remainders);
