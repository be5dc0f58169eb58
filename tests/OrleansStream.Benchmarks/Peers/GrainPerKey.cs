using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Benchmarks.Input;

namespace OrleansStream.Benchmarks.Peers;

/// <summary>A grain that keeps the state of one key in memory.</summary>
internal interface IKeyGrain<TRecord> : IGrain
{
    Task AddAsync(TRecord record);

    /// <summary>Closes everything; the answer of all.</summary>
    Task<Answer> FinishAsync();
}

/// <summary>Makes the state of a key; a service, for the grains of a silo to ask.</summary>
internal sealed record KeyStates<TRecord>(Func<IKeyState<TRecord>> New);

/// <inheritdoc cref="IKeyGrain{TRecord}"/>
internal abstract class KeyGrain<TRecord>(KeyStates<TRecord> states) : Grain, IKeyGrain<TRecord>
{
    private readonly IKeyState<TRecord> _state = states.New();

    public Task AddAsync(TRecord record)
    {
        _state.Add(record);
        return Task.CompletedTask;
    }

    public Task<Answer> FinishAsync() => Task.FromResult(_state.Finish());
}

/// <summary>
/// The usual way in Orleans: a grain for each key, a call for each record. Up to 2,000 calls are in flight; the next 2,000 follow when all have answered, so that no call is overtaken by
/// more than these.
/// </summary>
internal sealed class GrainPerKey<TRecord, TTable>(
    Work<TRecord, TTable> work, Func<IGrainFactory, TRecord, IKeyGrain<TRecord>> grainOf, Func<IGrainFactory, int, IEnumerable<IKeyGrain<TRecord>>> allGrains) : IContender
    where TRecord : struct, ITimedRecord<TRecord>
    where TTable : struct, ITable<TRecord>
{
    private const int MostInFlight = 2000;

    public string Name => "grain-per-key";

    public string Description => "an Orleans grain per key with plain state in memory, a call per record, up to 2,000 in flight, client in the silo's process";

    public long MostEvents => 2_000_000;

    public async Task<Outcome> RunAsync(RunSettings settings)
    {
        using var host = EmbeddedSilo.Build(builder => builder.Services.AddSingleton(new KeyStates<TRecord>(() => work.NewKeyState(settings))));
        await host.StartAsync();
        var grains = host.Services.GetRequiredService<IGrainFactory>();
        Measurement.Begin();
        foreach (var calls in work.Input(settings).Take(settings.Events).Chunk(MostInFlight)) await Task.WhenAll(calls.Select(record => grainOf(grains, record).AddAsync(record)));
        var answer = default(Answer);
        foreach (var some in allGrains(grains, settings.Keys).Chunk(MostInFlight))
        {
            foreach (var one in await Task.WhenAll(some.Select(static grain => grain.FinishAsync()))) answer += one;
        }

        Measurement.End();
        await host.StopAsync();
        return new Outcome(answer);
    }
}
