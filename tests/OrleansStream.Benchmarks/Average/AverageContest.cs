using OrleansStream.Benchmarks.Input;
using OrleansStream.Benchmarks.Peers;

namespace OrleansStream.Benchmarks.Average;

/// <summary>The average workload and its contenders.</summary>
internal static class AverageContest
{
    private static RecordInput<Reading>? _input;

    public static Contest Make()
    {
        var work = new Work<Reading, WindowTable>(Input, static _ => new WindowTable(), static _ => new WindowState(), Reading.MaxOutOfOrdernessMs);
        return new Contest(
            "average",
            "1 s tumbling event-time average per key; string keys, 10 records per ms of event time, out of order by less than 50 ms",
            50_000_000,
            [
                new AverageJob(Input),
                new WithoutCheckpoints(new AverageJob(Input)),
                new PlainLoop<Reading, WindowTable>(work),
                new TwoThreads<Reading, WindowTable>(work),
                new AkkaPerRecord<Reading, WindowTable>(work),
                new AkkaBatched<Reading, WindowTable>(work),
                new Reactive<string, Reading, WindowTable>(work, static reading => reading.Sensor),
                new Dataflow<Reading, WindowTable>(work),
                new GrainPerKey<Reading, WindowTable>(
                    work, static (grains, reading) => grains.GetGrain<IReadingGrain>(reading.Sensor), static (grains, keys) => Reading.Sensors(keys).Select(sensor => grains.GetGrain<IReadingGrain>(sensor))),
                new MemoryStreams<IReadingPartitionGrain, Reading, WindowTable>(work),
            ],
            work.Expected);
    }

    /// <summary>The records, made when first asked for with this number of keys.</summary>
    public static RecordInput<Reading> Input(RunSettings settings)
    {
        if (_input is { } input && input.Keys == settings.Keys) return input;
        var sensors = Reading.Sensors(settings.Keys);
        return _input = new RecordInput<Reading>(settings.Keys, n => Reading.Make(n, sensors));
    }
}
