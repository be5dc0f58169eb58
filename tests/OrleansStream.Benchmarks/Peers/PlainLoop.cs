using OrleansStream.Benchmarks.Input;

namespace OrleansStream.Benchmarks.Peers;

/// <summary>The same work as one loop on one thread, without checkpoints.</summary>
internal sealed class PlainLoop<TRecord, TTable>(Work<TRecord, TTable> work) : IContender
    where TRecord : struct, ITimedRecord<TRecord>
    where TTable : struct, ITable<TRecord>
{
    public string Name => "plain-loop";

    public string Description => "one loop over a Dictionary, one thread";

    public Task<Outcome> RunAsync(RunSettings settings) => Task.FromResult(new Outcome(Run(work, settings)));

    public static Answer Run(Work<TRecord, TTable> work, RunSettings settings)
    {
        var input = work.Input(settings);
        var partition = work.NewPartition(settings);
        for (long n = 0; n < settings.Events; n += RecordInput<TRecord>.BlockLength)
        {
            var records = input.From(n, settings.Events, out var shift);
            partition.Add(records, shift);
        }

        return partition.Finish();
    }
}
