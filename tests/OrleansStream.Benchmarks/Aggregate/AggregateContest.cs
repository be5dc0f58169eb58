using OrleansStream.Benchmarks.Input;
using OrleansStream.Benchmarks.Peers;

namespace OrleansStream.Benchmarks.Aggregate;

/// <summary>The aggregate workload and its contenders.</summary>
internal static class AggregateContest
{
    private static RecordInput<Amount>? _input;

    /// <summary>What the peers are made of.</summary>
    public static Work<Amount, TotalTable> Work { get; } = new(Input, static settings => new TotalTable(settings.Keys), static settings => new TotalState(settings.Keys), 0);

    public static Contest Make()
    {
        var work = Work;
        return new Contest(
            "aggregate",
            "a running count and sum per key in keyed state; int keys, records of 24 bytes, nothing emitted before the end",
            100_000_000,
            [
                new AggregateJob(Input),
                new WithoutCheckpoints(new AggregateJob(Input)),
                new PlainLoop<Amount, TotalTable>(work),
                new TwoThreads<Amount, TotalTable>(work),
                new AkkaPerRecord<Amount, TotalTable>(work),
                new AkkaBatched<Amount, TotalTable>(work),
                new Reactive<int, Amount, TotalTable>(work, static amount => amount.Key),
                new Dataflow<Amount, TotalTable>(work),
                new GrainPerKey<Amount, TotalTable>(
                    work, static (grains, amount) => grains.GetGrain<IAmountGrain>(amount.Key), static (grains, keys) => Enumerable.Range(0, keys).Select(key => grains.GetGrain<IAmountGrain>(key))),
                new MemoryStreams<IAmountPartitionGrain, Amount, TotalTable>(work),
            ],
            work.Expected);
    }

    /// <summary>The records, made when first asked for with this number of keys.</summary>
    public static RecordInput<Amount> Input(RunSettings settings) =>
        _input is { } input && input.Keys == settings.Keys ? input : _input = new RecordInput<Amount>(settings.Keys, n => Amount.Make(n, settings.Keys));
}
