using OrleansStream.ClusterTests.Jobs;
using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.State;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>One key gets nine records of ten, so that one subtask has nearly all the work.</summary>
[Collection(nameof(MeasuredAlone))]
public sealed class HotKeyTests(ITestOutputHelper output)
{
    private const long Records = 300_000;
    private const int Splits = 2;
    private const int Parallelism = 4;

    [Fact]
    public async Task A_hot_key_holds_the_source_back_and_every_key_gets_its_records()
    {
        var made = 0L;
        var place = new SlowPlace(perMillisecond: 20);
        var results = new CollectingSink<OfKey>();
        await using var run = await PressureRun.StartAsync(output, Parallelism, graph => graph
            .From("numbers", Generator.Of(n => Made(n, ref made), Records, Splits, static n => n))
            .WithTimestamps(TimeSpan.FromMilliseconds(Records))
            .KeyBy(static number => number.Key)
            .Process("count", _ => new Count(place))
            .To("results", results));

        await run.RequireBoundedAsync(() => Interlocked.Read(ref made), () => place.Done, channels: Splits * Parallelism);
        var finished = await run.Cluster.EndAsync();

        Assert.True((finished.Phase, finished.Attempt) == (JobPhase.Finished, 1), $"{finished.Phase}: {finished.Cause}");
        run.RequireShortCalls();
        var expected = Enumerable.Range(0, (int)Records).Select(static n => Of(n)).GroupBy(static number => number.Key)
            .Select(static numbers => new OfKey(numbers.Key, numbers.Count(), numbers.Sum(static number => number.Value), 0))
            .OrderBy(static ofKey => ofKey.Key).ToList();
        Assert.Equal(Records * 9 / 10, expected[0].Count);
        Assert.Equal(expected, results.Committed.OrderBy(static ofKey => ofKey.Key));
    }

    private static Numbered Of(long n) => new(n % 10 == 0 ? 1 + (int)(n / 10 % 99) : 0, n);

    private static Numbered Made(long n, ref long made)
    {
        Interlocked.Increment(ref made);
        return Of(n);
    }

    /// <summary>Counts and adds, and counts records of a split that came out of order.</summary>
    private sealed class Count(SlowPlace place) : KeyedFunction<int, Numbered, OfKey>
    {
        private static readonly ValueState<Tally> Seen = new("seen");
        private static readonly MapState<int, long> LastOfSplit = new("last-of-split");
        private static readonly ValueState<long> Disorder = new("disorder");

        public override IReadOnlyList<StateDeclaration> States => [Seen, LastOfSplit, Disorder];

        public override void Process(in Numbered record, ref KeyedContext<int, OfKey> context)
        {
            place.Take();
            var seen = context.Get(Seen);
            context.Set(Seen, new Tally(seen.Count + 1, seen.Sum + record.Value));
            var split = (int)(record.Value % Splits);
            if (context.TryGet(LastOfSplit, split, out var last) && last >= record.Value) context.Set(Disorder, context.Get(Disorder) + 1);
            context.Set(LastOfSplit, split, record.Value);
            context.RegisterEventTimer(long.MaxValue - 1);
        }

        public override void OnEventTimer(long timestamp, ref KeyedContext<int, OfKey> context)
        {
            var seen = context.Get(Seen);
            context.Emit(new OfKey(context.Key, seen.Count, seen.Sum, context.Get(Disorder)));
        }
    }

    [GenerateSerializer, Immutable]
    internal readonly record struct OfKey([property: Id(0)] int Key, [property: Id(1)] long Count, [property: Id(2)] long Sum, [property: Id(3)] long OutOfOrder);
}
