using Akka;
using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;
using OrleansStream.Benchmarks.Input;

namespace OrleansStream.Benchmarks.Peers;

/// <summary>Akka.Streams, a record at a time: two substreams by key, each behind an asynchronous boundary of its own.</summary>
internal sealed class AkkaPerRecord<TRecord, TTable>(Work<TRecord, TTable> work) : IContender
    where TRecord : struct, ITimedRecord<TRecord>
    where TTable : struct, ITable<TRecord>
{
    public string Name => "akka";

    public string Description => "Akka.Streams: GroupBy into two substreams behind asynchronous boundaries, each record an element";

    public long MostEvents => 10_000_000;

    public Task<Outcome> RunAsync(RunSettings settings)
    {
        var records = Source.From(work.Input(settings).Take(settings.Events));
        var aggregate = Flow.Create<TRecord>()
            .Aggregate((Partition<TRecord, TTable>?)null, (partition, record) =>
            {
                partition ??= work.NewPartition(settings);
                partition.Add(record);
                return partition;
            })
            .Select(static partition => partition?.Finish() ?? default)
            .Async();
        return AkkaStreams.RunAsync(records.GroupBy(2, static record => (int)(record.KeyHash >> 31)), aggregate);
    }
}

/// <summary>Akka.Streams with batches made by hand: the source hashes the keys and fills a batch for each partition.</summary>
internal sealed class AkkaBatched<TRecord, TTable>(Work<TRecord, TTable> work) : IContender
    where TRecord : struct, ITimedRecord<TRecord>
    where TTable : struct, ITable<TRecord>
{
    private const int BatchLength = 1024;

    public string Name => "akka-batched";

    public string Description => "Akka.Streams: the source partitions by hand into batches of 1,024; two substreams behind asynchronous boundaries";

    public Task<Outcome> RunAsync(RunSettings settings)
    {
        var aggregate = Flow.Create<Batch>()
            .Aggregate((Partition<TRecord, TTable>?)null, (partition, batch) =>
            {
                partition ??= work.NewPartition(settings);
                partition.Add(batch.Records.AsSpan(0, batch.Count));
                return partition;
            })
            .Select(static partition => partition?.Finish() ?? default)
            .Async();
        return AkkaStreams.RunAsync(Source.From(Batches(settings)).GroupBy(2, static batch => batch.Partition), aggregate);
    }

    private IEnumerable<Batch> Batches(RunSettings settings)
    {
        var input = work.Input(settings);
        var filling = new[] { new Batch(0), new Batch(1) };
        var full = new Queue<Batch>();
        for (long n = 0; n < settings.Events; n += RecordInput<TRecord>.BlockLength)
        {
            Route(input.From(n, settings.Events, out var shift), shift, filling, full);
            while (full.TryDequeue(out var batch)) yield return batch;
        }

        foreach (var batch in filling) yield return batch;
    }

    private static void Route(ReadOnlySpan<TRecord> records, long shift, Batch[] filling, Queue<Batch> full)
    {
        foreach (ref readonly var record in records)
        {
            var batch = filling[record.KeyHash >> 31];
            batch.Records[batch.Count++] = record.Later(shift);
            if (batch.Count < BatchLength) continue;
            full.Enqueue(batch);
            filling[batch.Partition] = new Batch(batch.Partition);
        }
    }

    /// <summary>Not pooled: Akka.Streams says nothing of when an element is no longer held.</summary>
    private sealed class Batch(int partition)
    {
        public int Partition => partition;

        public TRecord[] Records { get; } = new TRecord[BatchLength];

        public int Count { get; set; }
    }
}

/// <summary>Runs substreams that each come to an answer, in an actor system of its own.</summary>
internal static class AkkaStreams
{
    public static async Task<Outcome> RunAsync<T>(SubFlow<T, NotUsed, IRunnableGraph<NotUsed>> substreams, Flow<T, Answer, NotUsed> aggregate)
    {
        // Each step of a SubFlow is one, though its type does not say so.
        var answers = (SubFlow<Answer, NotUsed, IRunnableGraph<NotUsed>>)substreams.Via(aggregate);
        var system = ActorSystem.Create("benchmark", "akka.loglevel = WARNING\nakka.stdout-loglevel = OFF");
        try
        {
            using var materializer = system.Materializer();
            Measurement.Begin();
            var answer = await ((Source<Answer, NotUsed>)answers.MergeSubstreams()).RunWith(Sink.Aggregate<Answer, Answer>(default, static (sum, one) => sum + one), materializer);
            Measurement.End();
            return new Outcome(answer);
        }
        finally
        {
            await system.Terminate();
        }
    }
}
