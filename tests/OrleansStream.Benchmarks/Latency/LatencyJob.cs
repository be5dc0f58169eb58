using System.Diagnostics;
using HdrHistogram;
using OrleansStream.Benchmarks.Pacing;
using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.State;

namespace OrleansStream.Benchmarks.Latency;

/// <summary>A record that knows when it was due.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct Timed([property: Id(0)] int Key, [property: Id(1)] double Value, [property: Id(2)] long Due);

/// <summary>A key's sum so far, behind the record that was due at a time.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct RunningSum([property: Id(0)] int Key, [property: Id(1)] double Sum, [property: Id(2)] long Due);

[GenerateSerializer, Immutable]
internal readonly record struct CountAndSum([property: Id(0)] long Count, [property: Id(1)] double Sum);

/// <summary>Keeps count and sum of each key, and emits each record's running sum.</summary>
internal sealed class RunningSums : KeyedFunction<int, Timed, RunningSum>
{
    public static readonly ValueState<CountAndSum> Sums = new("sums");

    public override IReadOnlyList<StateDeclaration> States => [Sums];

    public override void Process(in Timed record, ref KeyedContext<int, RunningSum> context)
    {
        var before = context.Get(Sums);
        var sums = new CountAndSum(before.Count + 1, before.Sum + record.Value);
        context.Set(Sums, sums);
        context.Emit(new RunningSum(record.Key, sums.Sum, record.Due));
    }
}

/// <summary>The job: source, key by, running sum, sink.</summary>
internal static class LatencyJob
{
    public static Action<JobGraph> Of(OpenLoop loop, PacingThread pacing, int keys, int parallelism, Sink<RunningSum> sink) => graph => graph
        .From("timed", new SplitSource<Timed>(parallelism, (split, taken) =>
            new OpenLoopReader<Timed>(loop, pacing.Add(), split, parallelism, taken, (n, due) => new Timed(KeyOf(n, keys), n % 1000, due))))
        .KeyBy(static record => record.Key)
        .Process("running-sum", static _ => new RunningSums())
        .To("latency", sink);

    /// <summary>Keys in no order, the same in every run.</summary>
    private static int KeyOf(long n, int keys) => (int)((uint)((ulong)n * 0x9E3779B97F4A7C15UL >> 32) % (uint)keys);
}

/// <summary>Counts records, and measures how long after its time each came that was due within the measured time. A subtask has a histogram of its own.</summary>
internal sealed class LatencySink : Sink<RunningSum>
{
    /// <summary>What is later still counts as this late.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    private static readonly double NanosecondsPerTick = 1e9 / Stopwatch.Frequency;

    private readonly Lock _lock = new();
    private readonly List<Writer> _writers = [];
    private long _from = long.MaxValue;
    private long _to = long.MaxValue;

    public override SinkGuarantee Guarantee => SinkGuarantee.AtLeastOnce;

    /// <summary>How many records came, over all subtasks.</summary>
    public long Count
    {
        get
        {
            lock (_lock) return _writers.Sum(static writer => writer.Count);
        }
    }

    /// <summary>Which records to measure: those that are due within a time.</summary>
    public void Measure(long from, long to)
    {
        Volatile.Write(ref _to, to);
        Volatile.Write(ref _from, from);
    }

    /// <summary>All latencies in nanoseconds; to be read when the job has ended.</summary>
    public HistogramBase Latencies()
    {
        var all = NewHistogram();
        lock (_lock)
        {
            foreach (var writer in _writers) all.Add(writer.Latencies);
        }

        return all;
    }

    public override ValueTask<SinkWriter<RunningSum>> OpenAsync(SinkContext context, CancellationToken cancellation)
    {
        var writer = new Writer(this);
        lock (_lock) _writers.Add(writer);
        return new(writer);
    }

    private static LongHistogram NewHistogram() => new((long)(Longest.TotalSeconds * 1e9), 3);

    private sealed class Writer(LatencySink sink) : SinkWriter<RunningSum>
    {
        private readonly double _longest = Longest.TotalSeconds * 1e9;
        private long _count;

        public LongHistogram Latencies { get; } = NewHistogram();

        public long Count => Volatile.Read(ref _count);

        public override void Write(ReadOnlySpan<RunningSum> values, ReadOnlySpan<long> timestamps)
        {
            Volatile.Write(ref _count, _count + values.Length);
            var now = Stopwatch.GetTimestamp();
            var from = Volatile.Read(ref sink._from);
            if (now < from) return;
            var to = Volatile.Read(ref sink._to);
            foreach (ref readonly var value in values)
            {
                if (value.Due < from || value.Due >= to) continue;
                Latencies.RecordValue((long)Math.Min(_longest, (now - value.Due) * NanosecondsPerTick));
            }
        }

        public override ValueTask<string?> PrepareAsync(CheckpointId checkpoint, CancellationToken cancellation) => new((string?)null);
    }
}
