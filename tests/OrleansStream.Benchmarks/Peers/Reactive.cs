using System.Reactive.Linq;
using OrleansStream.Benchmarks.Input;

namespace OrleansStream.Benchmarks.Peers;

/// <summary>System.Reactive, as one would write it: a group per key, an aggregate per group, each record a call. It runs on the thread that subscribes.</summary>
internal sealed class Reactive<TKey, TRecord, TTable>(Work<TRecord, TTable> work, Func<TRecord, TKey> key) : IContender
    where TKey : notnull
    where TRecord : struct, ITimedRecord<TRecord>
    where TTable : struct, ITable<TRecord>
{
    public string Name => "reactive";

    public string Description => "System.Reactive: GroupBy, an Aggregate per group; one thread";

    public long MostEvents => 10_000_000;

    public async Task<Outcome> RunAsync(RunSettings settings)
    {
        var input = work.Input(settings);
        var records = Observable.Create<TRecord>(observer =>
        {
            foreach (var record in input.Take(settings.Events)) observer.OnNext(record);
            observer.OnCompleted();
            return () => { };
        });
        var answer = await records
            .GroupBy(key)
            .SelectMany(group => group.Aggregate((IKeyState<TRecord>?)null, (state, record) =>
            {
                state ??= work.NewKeyState(settings);
                state.Add(record);
                return state;
            }))
            .Aggregate(default(Answer), static (sum, state) => sum + (state?.Finish() ?? default));
        return new Outcome(answer);
    }
}
