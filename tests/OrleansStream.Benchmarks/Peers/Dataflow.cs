using System.Threading.Tasks.Dataflow;
using OrleansStream.Benchmarks.Input;

namespace OrleansStream.Benchmarks.Peers;

/// <summary>TPL Dataflow: a reader posts each record to the block of its partition; two blocks aggregate.</summary>
internal sealed class Dataflow<TRecord, TTable>(Work<TRecord, TTable> work) : IContender
    where TRecord : struct, ITimedRecord<TRecord>
    where TTable : struct, ITable<TRecord>
{
    private const int MostQueued = 16_384;

    public string Name => "dataflow";

    public string Description => "TPL Dataflow: each record posted to one of two bounded ActionBlocks";

    public long MostEvents => 20_000_000;

    public async Task<Outcome> RunAsync(RunSettings settings)
    {
        var partitions = new[] { work.NewPartition(settings), work.NewPartition(settings) };
        var blocks = partitions
            .Select(static partition => new ActionBlock<TRecord>(record => partition.Add(record), new ExecutionDataflowBlockOptions { BoundedCapacity = MostQueued, SingleProducerConstrained = true }))
            .ToArray();
        foreach (var record in work.Input(settings).Take(settings.Events))
        {
            var block = blocks[record.KeyHash >> 31];
            if (!block.Post(record)) await block.SendAsync(record);
        }

        foreach (var block in blocks) block.Complete();
        await Task.WhenAll(blocks.Select(static block => block.Completion));
        return new Outcome(partitions[0].Finish() + partitions[1].Finish());
    }
}
