using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Streams;
using OrleansStream.Benchmarks.Input;

namespace OrleansStream.Benchmarks.Peers;

/// <summary>A grain that reads one stream and aggregates what comes.</summary>
internal interface IPartitionGrain : IGrainWithIntegerKey
{
    /// <summary>Subscribes to the stream of the grain's number.</summary>
    Task SubscribeAsync();

    /// <summary>Closes everything; the answer of all.</summary>
    Task<Answer> FinishAsync();
}

/// <summary>What the grains of a run share: how to make a partition, and the count of records that have come.</summary>
internal sealed class StreamRun<TRecord, TTable>(Func<Partition<TRecord, TTable>> newPartition, long expected)
    where TRecord : struct, ITimedRecord<TRecord>
    where TTable : struct, ITable<TRecord>
{
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _come;

    /// <summary>Completes when all records have come.</summary>
    public Task All => _all.Task;

    public long Come => Interlocked.Read(ref _come);

    /// <summary>Room for events that were sent and have not come. A queue of memory streams refuses more than 16,384, so whoever sends must not run ahead by itself.</summary>
    public SemaphoreSlim Room { get; } = new(MemoryStreams.MostQueued);

    public Partition<TRecord, TTable> NewPartition() => newPartition();

    public void Note()
    {
        Room.Release();
        if (Interlocked.Increment(ref _come) == expected) _all.TrySetResult();
    }
}

/// <inheritdoc/>
internal abstract class PartitionGrain<TRecord, TTable>(StreamRun<TRecord, TTable> run) : Grain, IPartitionGrain
    where TRecord : struct, ITimedRecord<TRecord>
    where TTable : struct, ITable<TRecord>
{
    private readonly Partition<TRecord, TTable> _partition = run.NewPartition();

    public Task SubscribeAsync() => this.GetStreamProvider(MemoryStreams.Provider).GetStream<TRecord>(MemoryStreams.IdOf((int)this.GetPrimaryKeyLong())).SubscribeAsync((record, _) =>
    {
        _partition.Add(record);
        run.Note();
        return Task.CompletedTask;
    });

    public Task<Answer> FinishAsync() => Task.FromResult(_partition.Finish());
}

/// <summary>The names that both ends of the streams use.</summary>
internal static class MemoryStreams
{
    public const string Provider = "memory";
    public const int Count = 8;
    public const int MostQueued = 16_000;

    public static StreamId IdOf(int partition) => StreamId.Create("benchmark", partition.ToString(CultureInfo.InvariantCulture));
}

/// <summary>Orleans' own memory streams: a stream for each of eight partitions, each record an event, the next when the one before is queued, so that their order is kept.</summary>
internal sealed class MemoryStreams<TGrain, TRecord, TTable>(Work<TRecord, TTable> work) : IContender
    where TGrain : IPartitionGrain
    where TRecord : struct, ITimedRecord<TRecord>
    where TTable : struct, ITable<TRecord>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public string Name => "memory-streams";

    public string Description => "Orleans memory streams: eight streams with a grain each, OnNextAsync per record, held back by hand before the queues refuse more";

    public long MostEvents => 300_000;

    public async Task<Outcome> RunAsync(RunSettings settings)
    {
        var run = new StreamRun<TRecord, TTable>(() => work.NewPartition(settings), settings.Events);
        using var host = EmbeddedSilo.Build(builder =>
        {
            builder.AddMemoryStreams(MemoryStreams.Provider).AddMemoryGrainStorage("PubSubStore");
            builder.Services.AddSingleton(run);
        });
        await host.StartAsync();
        var client = host.Services.GetRequiredService<IClusterClient>();
        var grains = Enumerable.Range(0, MemoryStreams.Count).Select(partition => client.GetGrain<TGrain>(partition)).ToList();
        await Task.WhenAll(grains.Select(static grain => grain.SubscribeAsync()));
        Measurement.Begin();
        await Task.WhenAll(Enumerable.Range(0, MemoryStreams.Count).Select(partition => Task.Run(() => SendAsync(client, partition, settings, run))));
        await Task.WhenAny(run.All, Task.Delay(Patience));
        if (!run.All.IsCompleted) throw new InvalidOperationException($"Of {settings.Events} events {run.Come} came within {Patience} after all were sent.");
        var answers = await Task.WhenAll(grains.Select(static grain => grain.FinishAsync()));
        Measurement.End();
        await host.StopAsync();
        return new Outcome(answers.Aggregate(static (sum, one) => sum + one));
    }

    private async Task SendAsync(IClusterClient client, int partition, RunSettings settings, StreamRun<TRecord, TTable> run)
    {
        var stream = client.GetStreamProvider(MemoryStreams.Provider).GetStream<TRecord>(MemoryStreams.IdOf(partition));
        foreach (var record in work.Input(settings).Take(settings.Events))
        {
            if (record.KeyHash * (ulong)MemoryStreams.Count >> 32 != (ulong)partition) continue;
            await run.Room.WaitAsync();
            await stream.OnNextAsync(record);
        }
    }
}
