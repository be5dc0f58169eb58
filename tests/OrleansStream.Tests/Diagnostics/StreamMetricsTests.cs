using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Diagnostics;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.Time;

namespace OrleansStream.Tests.Diagnostics;

public sealed class StreamMetricsTests
{
    [Fact]
    public void Gauges_say_how_far_the_slowest_split_of_each_source_subtask_is_behind_and_how_many_are_idle_or_paused()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var metrics = new StreamMetrics(services.GetRequiredService<IMeterFactory>(), new At(100_000));
        metrics.Note("job", "readings", Report(0, new SplitsReport { Source = "readings", Slowest = "a", SlowestWatermark = 97_500, Idle = 2, Paused = 1 }));
        metrics.Note("job", "readings", Report(1, new SplitsReport { Source = "readings", Slowest = "b", SlowestWatermark = EventTime.Beginning }));
        metrics.Note("job", "readings", Report(2, new SplitsReport { Source = "readings", Slowest = null, SlowestWatermark = EventTime.End }));
        metrics.Note("job", "sums", Report(3, null));
        metrics.Note("job", "readings", Report(4, new SplitsReport { Source = "readings", Slowest = "gone", SlowestWatermark = 1 }));
        metrics.Forget("job", new SubtaskId(0, 4), new Incarnation(5));

        Assert.Equal(
            [
                "orleansstream.source.idle_splits{job=job,source=readings,subtask=0} 2", "orleansstream.source.idle_splits{job=job,source=readings,subtask=1} 0",
                "orleansstream.source.idle_splits{job=job,source=readings,subtask=2} 0", "orleansstream.source.paused_splits{job=job,source=readings,subtask=0} 1",
                "orleansstream.source.paused_splits{job=job,source=readings,subtask=1} 0", "orleansstream.source.paused_splits{job=job,source=readings,subtask=2} 0",
                "orleansstream.source.watermark_lag{job=job,source=readings,subtask=0,split=a} 2.5",
            ],
            Observed(services.GetRequiredService<IMeterFactory>()));
    }

    private static SubtaskReport Report(int index, SplitsReport? splits) => new() { Subtask = new SubtaskId(0, index), Incarnation = new Incarnation(index + 1), Splits = splits };

    private static List<string> Observed(IMeterFactory meters)
    {
        var seen = new List<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, one) =>
        {
            if (ReferenceEquals(instrument.Meter, meters.Create(StreamMetrics.Name)) && instrument.IsObservable) one.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => seen.Add(Show(instrument, value.ToString(CultureInfo.InvariantCulture), tags)));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => seen.Add(Show(instrument, value.ToString(CultureInfo.InvariantCulture), tags)));
        listener.Start();
        listener.RecordObservableInstruments();
        seen.Sort(StringComparer.Ordinal);
        return seen;
    }

    private static string Show(Instrument instrument, string value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        $"{instrument.Name}{{{string.Join(',', tags.ToArray().Select(static tag => $"{tag.Key}={tag.Value}"))}}} {value}";

    private sealed class At(long milliseconds) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
    }
}
