using System.Diagnostics;
using System.Diagnostics.Metrics;
using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Diagnostics;

/// <summary>The meter and the activity source of the engine, both named <c>OrleansStream</c>. Counts are taken at heartbeats, never per record.</summary>
internal sealed class StreamMetrics
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Name = "OrleansStream";

    private readonly Counter<long> _recordsIn;
    private readonly Counter<long> _recordsOut;
    private readonly Counter<long> _late;
    private readonly Counter<long> _deadLetters;
    private readonly Counter<long> _bad;
    private readonly Counter<double> _backPressured;
    private readonly Histogram<double> _checkpointDuration;
    private readonly Histogram<long> _checkpointBytes;
    private readonly Histogram<double> _movePause;
    private readonly System.Collections.Concurrent.ConcurrentDictionary<(string, SubtaskId, Incarnation), SubtaskReport> _last = new();

    private readonly TimeProvider _time;

    public StreamMetrics(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        var meter = meters.Create(Name);
        _recordsIn = meter.CreateCounter<long>("orleansstream.records.in", "{record}", "Records that a stage took in.");
        _recordsOut = meter.CreateCounter<long>("orleansstream.records.out", "{record}", "Records that a stage sent on or wrote.");
        _late = meter.CreateCounter<long>("orleansstream.records.late", "{record}", "Records whose window was gone.");
        _deadLetters = meter.CreateCounter<long>("orleansstream.records.dead_letters", "{record}", "Records at which a function threw, put aside.");
        _bad = meter.CreateCounter<long>("orleansstream.records.bad", "{record}", "Input that could not be read, put aside.");
        _backPressured = meter.CreateCounter<double>("orleansstream.back_pressure.time", "s", "Time in which a subtask waited for room below.");
        meter.CreateObservableGauge("orleansstream.source.watermark_lag", WatermarkLags, "s", "How far the slowest split of a source subtask, that of the tag, is behind the clock in event time.");
        meter.CreateObservableGauge("orleansstream.source.idle_splits", () => Splits(static splits => splits.Idle), "{split}", "Splits of a source subtask that are idle and hold back no watermark.");
        meter.CreateObservableGauge("orleansstream.source.paused_splits", () => Splits(static splits => splits.Paused), "{split}", "Splits of a source subtask that wait for the rest of their alignment group.");
        _checkpointDuration = meter.CreateHistogram<double>("orleansstream.checkpoint.duration", "s", "From the beginning of a checkpoint to its publication.");
        _movePause = meter.CreateHistogram<double>("orleansstream.move.pause", "s", "Planned moves: from the end of one attempt until the next one runs.");
        _checkpointBytes = meter.CreateHistogram<long>("orleansstream.checkpoint.written", "By", "Bytes written for a checkpoint.");
    }

    /// <summary>A span per checkpoint.</summary>
    public static ActivitySource Activities { get; } = new(Name);

    public void Note(string job, string stage, SubtaskReport report)
    {
        var before = _last.GetValueOrDefault((job, report.Subtask, report.Incarnation));
        _last[(job, report.Subtask, report.Incarnation)] = report;
        var tags = new TagList { { "job", job }, { "stage", stage } };
        _recordsIn.Add(report.RecordsIn - (before?.RecordsIn ?? 0), tags);
        _recordsOut.Add(report.RecordsOut - (before?.RecordsOut ?? 0), tags);
        _late.Add(report.LateRecords - (before?.LateRecords ?? 0), tags);
        _deadLetters.Add(report.DeadLetters - (before?.DeadLetters ?? 0), tags);
        _bad.Add(report.BadRecords - (before?.BadRecords ?? 0), tags);
        _backPressured.Add((report.BackPressuredMs - (before?.BackPressuredMs ?? 0)) / 1000d, tags);
    }

    /// <summary>None where no split counts, or none has had a record.</summary>
    private IEnumerable<Measurement<double>> WatermarkLags()
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var ((job, subtask, _), report) in _last)
        {
            if (report.Splits is not { Slowest: { } slowest, SlowestWatermark: not (long.MinValue or long.MaxValue) and var watermark } splits) continue;
            yield return new Measurement<double>((now - (double)watermark) / 1000, new TagList { { "job", job }, { "source", splits.Source }, { "subtask", subtask.Index }, { "split", slowest } });
        }
    }

    private IEnumerable<Measurement<int>> Splits(Func<SplitsReport, int> count)
    {
        foreach (var ((job, subtask, _), report) in _last)
        {
            if (report.Splits is { } splits) yield return new Measurement<int>(count(splits), new TagList { { "job", job }, { "source", splits.Source }, { "subtask", subtask.Index } });
        }
    }

    public void Forget(string job, SubtaskId subtask, Incarnation incarnation) => _last.TryRemove((job, subtask, incarnation), out _);

    public void Note(string job, MoveStatus move) => _movePause.Record(move.Pause.TotalSeconds, new TagList { { "job", job } });

    public void Note(string job, CheckpointNote note)
    {
        var tags = new TagList { { "job", job } };
        _checkpointDuration.Record(note.DurationMs / 1000d, tags);
        _checkpointBytes.Record(note.WrittenBytes, tags);
        using var span = Activities.StartActivity("checkpoint", ActivityKind.Internal, parentContext: default, tags: null, links: null, startTime: note.At);
        span?.SetTag("job", job);
        span?.SetTag("checkpoint", note.Id.ToString());
        span?.SetTag("bytes", note.WrittenBytes);
    }
}
