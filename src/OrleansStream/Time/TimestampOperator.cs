using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Time;

/// <summary>
/// Gives each record its event time and follows the watermark: advanced per record and, in the chain of a source, per split. It goes out
/// behind the records that advanced it.
/// </summary>
internal sealed class TimestampOperator<T>(
    SubtaskContext context, Func<T, long>? select, SplitWatermarks watermarks, Output<T> output, Failures<T> failures, SplitGenerators<T>? generators = null, SplitAlignment? alignment = null)
    : Operator<T>, IWatermarkOrigin
{
    private const string HighestBlob = "highest";

    /// <summary>In place of the highest timestamps, where generators say how far event time has come: the last watermark of each split.</summary>
    private const string SplitsBlob = "watermarks";

    /// <summary>The merged watermark that each split was under: where splits may be idle it is not known from theirs.</summary>
    private const string MergedBlob = "merged";

    private long[] _timestamps = [];
    private long _announced = EventTime.Beginning;
    private int _endedSplits;
    private bool _isRestored;
    private bool _ended;

    private string OwnBlob => generators is null ? HighestBlob : SplitsBlob;

    public bool IsIdle => watermarks.IsIdle;

    public long Watermark => watermarks.Current;

    public IEnumerable<SplitProgress> Splits => watermarks.Splits;

    public override long? NextTime
    {
        get
        {
            if (_ended) return null;
            EnsureSplits();
            // What was restored is announced before the first record, and the end of a split may come without one.
            if (_isRestored || _endedSplits != context.EndedSplits) return context.Now.Wall;
            var next = generators?.NextTime ?? long.MaxValue;
            if (watermarks.NextIdleAt() is { } idleAt) next = Math.Min(next, context.Now.Wall + (idleAt - context.ReadingTime));
            if (alignment?.NextTime is { } silentAt) next = Math.Min(next, context.Now.Wall + (silentAt - context.Now.Elapsed));
            return next == long.MaxValue ? null : next;
        }
    }

    public override void OnTime() => Announce();

    public override void OnRecords(Records<T> records)
    {
        EnsureSplits();
        if (select is null && generators is null)
        {
            watermarks.OnRecords(context.CurrentSplit, records.Timestamps, context.ReadingTime);
            output.Forward(records);
        }
        else
        {
            Assign(records);
        }

        Announce();
    }

    private void Assign(Records<T> records)
    {
        if (_timestamps.Length < records.Count) _timestamps = new long[records.Count];
        var from = 0;
        var next = 0;
        while (next < records.Count)
        {
            try
            {
                if (generators is null) Select(records, ref next);
                else Generate(generators, records, ref next);
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                Forward(records, from, next);
                failures.Take(error, records.Values[next], EventTime.Beginning);
                next++;
                from = next;
            }
        }

        Forward(records, from, records.Count);
        failures.Flush();
    }

    private void Select(Records<T> records, ref int next)
    {
        // A local, so that the loop reads no field but the columns.
        var selector = select!;
        for (; next < records.Count; next++) _timestamps[next] = Checked(selector(records.Values[next]));
    }

    private void Generate(SplitGenerators<T> ofSplits, Records<T> records, ref int next)
    {
        for (; next < records.Count; next++)
        {
            var timestamp = select is null ? records.Timestamps[next] : Checked(select(records.Values[next]));
            ofSplits.OnRecord(watermarks, context.CurrentSplit, in records.Values[next], timestamp);
            _timestamps[next] = timestamp;
        }
    }

    private static long Checked(long timestamp) => timestamp is EventTime.Beginning or EventTime.End
        ? throw new OverflowException($"the timestamp {timestamp} is reserved for the ends of time")
        : timestamp;

    private void Forward(Records<T> records, int from, int to)
    {
        if (from == to) return;
        var timestamps = _timestamps.AsSpan(from, to - from);
        if (generators is null) watermarks.OnRecords(context.CurrentSplit, timestamps, context.ReadingTime);
        else watermarks.Touch(context.CurrentSplit, context.ReadingTime);
        output.Forward(new Records<T>(records.Values[from..to], timestamps, records.KeyHashes));
    }

    private void Announce()
    {
        if (_ended) return;
        EnsureSplits();
        (_isRestored, _endedSplits) = (false, context.EndedSplits);
        watermarks.EndThoseOf(context);
        alignment?.Update();
        generators?.OnPeriodic(watermarks, context.Now.Wall, failures);
        watermarks.Merge(context.ReadingTime);
        if (watermarks.Current == _announced) return;
        _announced = watermarks.Current;
        output.Watermark(watermarks.Current);
        failures.Watermark(watermarks.Current);
    }

    /// <summary>Only the end of time comes from above: watermarks begin here.</summary>
    public override void OnWatermark(long watermark)
    {
        if (watermark != EventTime.End) return;
        _ended = true;
        output.Watermark(watermark);
        failures.Watermark(watermark);
    }

    private void EnsureSplits()
    {
        if (watermarks.Count > 0) return;
        var names = context.Source?.Names ?? [""];
        if (names.Count == 0) return;
        var (saved, merged) = (Saved(OwnBlob), Saved(MergedBlob));
        _isRestored = saved.Count > 0;
        var current = EventTime.End;
        for (var split = 0; split < names.Count; split++)
        {
            var highest = saved.GetValueOrDefault(names[split], EventTime.Beginning);
            watermarks.Add(names[split], highest, ended: false, context.ReadingTime);
            generators?.Add(highest, context.Now.Wall);
            if (context.Source?.IsEnded(split) != true && merged.TryGetValue(names[split], out var under)) current = Math.Min(current, under);
        }

        // The lowest of what its splits were under: another subtask may have been ahead of this one's.
        if (current != EventTime.End) watermarks.Restore(current);
    }

    private Dictionary<string, long> Saved(string kind)
    {
        var saved = new Dictionary<string, long>();
        foreach (var (_, blob) in context.Restored)
        {
            if (blob.Operator != Name || blob.Name != kind) continue;
            var reader = new BlobReader(blob.Bytes);
            for (var count = reader.ReadInt32(); count > 0; count--)
            {
                var name = reader.ReadString();
                var time = reader.ReadInt64();
                saved[name] = saved.TryGetValue(name, out var other) ? Math.Min(other, time) : time;
            }
        }

        return saved;
    }

    public override void Snapshot(SnapshotParts parts)
    {
        EnsureSplits();
        Save(parts, OwnBlob, split => watermarks[split].Highest);
        if (watermarks.MayBeIdle) Save(parts, MergedBlob, _ => watermarks.Current);
    }

    private void Save(SnapshotParts parts, string kind, Func<int, long> time)
    {
        var writer = new BlobWriter();
        writer.Write(watermarks.Count);
        for (var split = 0; split < watermarks.Count; split++)
        {
            writer.Write(watermarks[split].Name);
            writer.Write(time(split));
        }

        parts.Blobs.Add(new OperatorBlob(Name, kind, writer.ToArray()));
    }
}
