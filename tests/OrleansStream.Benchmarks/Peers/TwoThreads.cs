using System.Buffers;
using System.Threading.Channels;
using OrleansStream.Benchmarks.Input;

namespace OrleansStream.Benchmarks.Peers;

/// <summary>
/// The same work partitioned by hand over two threads with bounded channels between them: the honest upper bound of what an engine can reach on two cores. Each thread reads every
/// second block, keeps the records of its own keys and sends those of the other's in pooled batches. On two cores this is faster than two readers beside two aggregating
/// threads: nobody switches between threads, half of the records never leave their core, and they are in its cache when they are added.
/// </summary>
internal sealed class TwoThreads<TRecord, TTable>(Work<TRecord, TTable> work) : IContender
    where TRecord : struct, ITimedRecord<TRecord>
    where TTable : struct, ITable<TRecord>
{
    private const int BatchLength = 4096;
    private const int MostBatches = 64;

    public string Name => "two-threads";

    public string Description => "partitioned by hand: each of two threads reads half of the input and owns half of the keys; Channels of pooled batches between them";

    public async Task<Outcome> RunAsync(RunSettings settings)
    {
        var channels = new[] { NewChannel(), NewChannel() };
        var workers = Enumerable.Range(0, 2).Select(self => new Worker(work, settings, self, channels[self].Reader, channels[1 - self].Writer)).ToList();
        var answers = await Task.WhenAll(workers.Select(static worker => Task.Factory.StartNew(worker.RunAsync, TaskCreationOptions.LongRunning).Unwrap()));
        return new Outcome(answers[0] + answers[1]);
    }

    private static Channel<Batch> NewChannel() => Channel.CreateBounded<Batch>(new BoundedChannelOptions(MostBatches) { SingleReader = true, SingleWriter = true });

    /// <param name="Records">From the pool.</param>
    /// <param name="Count">How many are filled.</param>
    /// <param name="Highest">The highest time that the sender has read.</param>
    private readonly record struct Batch(TRecord[] Records, int Count, long Highest);

    private sealed class Worker(Work<TRecord, TTable> work, RunSettings settings, int self, ChannelReader<Batch> inbox, ChannelWriter<Batch> outbox)
    {
        private readonly TTable _table = work.NewTable(settings);
        private long _highest = long.MinValue / 2;
        private long _highestOfOther = long.MinValue / 2;

        public async Task<Answer> RunAsync()
        {
            Read();
            while (await inbox.WaitToReadAsync()) Drain();
            return _table.Finish();
        }

        private void Read()
        {
            const int Block = RecordInput<TRecord>.BlockLength;
            var input = work.Input(settings);
            // Indexed by partition, for a branch on a random bit costs more than a copy.
            var buffers = new TRecord[2][];
            var counts = new int[2];
            buffers[self] = new TRecord[Block];
            buffers[1 - self] = ArrayPool<TRecord>.Shared.Rent(BatchLength);
            for (long n = (long)self * Block; n < settings.Events; n += 2 * Block)
            {
                var records = input.From(n, settings.Events, out var shift);
                var highest = _highest;
                foreach (ref readonly var record in records)
                {
                    var later = record.Later(shift);
                    if (later.Time > highest) highest = later.Time;
                    var partition = (int)(later.KeyHash >> 31);
                    buffers[partition][counts[partition]++] = later;
                }

                _highest = highest;
                Add(buffers[self].AsSpan(0, counts[self]));
                counts[self] = 0;
                if (counts[1 - self] > BatchLength - Block)
                {
                    Send(new Batch(buffers[1 - self], counts[1 - self], highest));
                    buffers[1 - self] = ArrayPool<TRecord>.Shared.Rent(BatchLength);
                    counts[1 - self] = 0;
                }

                Drain();
            }

            // The end of one's own input holds back nobody's windows.
            _highest = long.MaxValue;
            Send(new Batch(buffers[1 - self], counts[1 - self], long.MaxValue));
            outbox.Complete();
        }

        private void Send(in Batch batch)
        {
            var spin = new SpinWait();
            while (!outbox.TryWrite(batch))
            {
                // The other may wait for room too: one's own inbox is emptied meanwhile.
                Drain();
                spin.SpinOnce();
            }
        }

        private void Drain()
        {
            while (inbox.TryRead(out var batch))
            {
                Add(batch.Records.AsSpan(0, batch.Count));
                ArrayPool<TRecord>.Shared.Return(batch.Records);
                _highestOfOther = batch.Highest;
            }

            _table.Advance(Math.Min(_highest, _highestOfOther) - work.MaxOutOfOrdernessMs - 1);
        }

        private void Add(ReadOnlySpan<TRecord> records)
        {
            foreach (ref readonly var record in records) _table.Add(record, record.Time);
        }
    }
}
