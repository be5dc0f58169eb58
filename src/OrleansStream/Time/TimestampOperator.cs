using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Time;

/// <summary>Where the watermarks of a chain begin, as the subtask and the status see it.</summary>
internal interface IWatermarkOrigin
{
    bool IsIdle { get; }

    long Watermark { get; }
}

/// <summary>
/// Gives each record its event time and follows the watermark: advanced per record and, in the chain of a source, per split. It goes out
/// behind the records that advanced it.
/// </summary>
internal sealed class TimestampOperator<T>(
    SubtaskContext context, Func<T, long>? select, SplitWatermarks watermarks, Output<T> output, Failures<T> failures) : Operator<T>, IWatermarkOrigin
{
    private const string HighestBlob = "highest";

    private long[] _timestamps = [];
    private bool _ended;

    public bool IsIdle => watermarks.IsIdle;

    public long Watermark => watermarks.Current;

    public override long? NextTime => watermarks.NextIdleAt() is { } at ? context.Now.Wall + (at - context.Now.Elapsed) : null;

    public override void OnTime() => Announce();

    public override void OnRecords(Records<T> records)
    {
        EnsureSplits();
        if (select is null)
        {
            watermarks.OnRecords(context.CurrentSplit, records.Timestamps, context.Now.Elapsed);
            output.Forward(records);
        }
        else
        {
            Assign(select, records);
        }

        Announce();
    }

    private void Assign(Func<T, long> selector, Records<T> records)
    {
        if (_timestamps.Length < records.Count) _timestamps = new long[records.Count];
        var from = 0;
        var next = 0;
        while (next < records.Count)
        {
            try
            {
                for (; next < records.Count; next++)
                {
                    var timestamp = selector(records.Values[next]);
                    if (timestamp is EventTime.Beginning or EventTime.End) throw new OverflowException($"the timestamp {timestamp} is reserved for the ends of time");
                    _timestamps[next] = timestamp;
                }
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

    private void Forward(Records<T> records, int from, int to)
    {
        if (from == to) return;
        var timestamps = _timestamps.AsSpan(from, to - from);
        watermarks.OnRecords(context.CurrentSplit, timestamps, context.Now.Elapsed);
        output.Forward(new Records<T>(records.Values[from..to], timestamps, records.KeyHashes));
    }

    private void Announce()
    {
        if (_ended) return;
        EnsureSplits();
        if (context.Source is { } source)
        {
            for (var split = 0; split < watermarks.Count; split++)
            {
                if (source.IsEnded(split)) watermarks.End(split);
            }
        }

        if (!watermarks.Merge(context.Now.Elapsed)) return;
        if (watermarks.Current == EventTime.Beginning) return;
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
        var saved = new Dictionary<string, long>();
        foreach (var (_, blob) in context.Restored)
        {
            if (blob.Operator != Name || blob.Name != HighestBlob) continue;
            var reader = new BlobReader(blob.Bytes);
            for (var count = reader.ReadInt32(); count > 0; count--)
            {
                var name = reader.ReadString();
                var highest = reader.ReadInt64();
                saved[name] = saved.TryGetValue(name, out var other) ? Math.Min(other, highest) : highest;
            }
        }

        foreach (var name in context.Source?.Names ?? [""])
        {
            watermarks.Add(name, saved.GetValueOrDefault(name, EventTime.Beginning), ended: false, context.Now.Elapsed);
        }
    }

    public override void Snapshot(SnapshotParts parts)
    {
        EnsureSplits();
        var writer = new BlobWriter();
        writer.Write(watermarks.Count);
        for (var split = 0; split < watermarks.Count; split++)
        {
            writer.Write(watermarks[split].Name);
            writer.Write(watermarks[split].Highest);
        }

        parts.Blobs.Add(new OperatorBlob(Name, HighestBlob, writer.ToArray()));
    }
}
