using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>
/// What a snapshot has of an asynchronous operator: the watermark it has handed on, then records and watermarks in flight in the order of input. After a restore at another parallelism a record of a
/// keyed stream goes to the subtask that owns its key; the records of a former subtask of another stream stay together, in order.
/// </summary>
internal sealed partial class AsyncOperator<TIn, TOut>
{
    public override ValueTask OpenAsync(CancellationToken cancellation)
    {
        var formers = ReadFormers();
        if (formers.Count > 0) Merge(formers);
        return ValueTask.CompletedTask;
    }

    public override void Snapshot(SnapshotParts parts)
    {
        var codec = context.Serializers.For<TIn>();
        using var session = context.Serializers.OpenSession();
        using var buffer = new SegmentBuffer();
        var writer = new BlobWriter();
        writer.Write(_queue.Count);
        writer.Write(codec.Signature);
        writer.Write(_passed);
        foreach (var item in _queue.All)
        {
            writer.Write(item.IsWatermark);
            writer.Write(item.Timestamp);
            if (item.IsWatermark) continue;
            writer.Write((long)item.KeyHash);
            buffer.Clear();
            codec.Write(buffer, item.Record, session);
            writer.Write(buffer.WrittenMemory);
        }

        parts.Blobs.Add(new OperatorBlob(Name, InFlightBlob.Name, writer.ToArray()));
    }

    private List<Former> ReadFormers()
    {
        var formers = new List<Former>();
        var subtasks = context.Restored.Count == 0 ? 0 : context.Restored.Max(static restored => restored.FormerSubtask) + 1;
        using var session = context.Serializers.OpenSession();
        foreach (var (subtask, blob) in context.Restored)
        {
            var groups = KeyGroups.Range(subtask, subtasks, context.MaxParallelism);
            if (blob.Operator == Name && blob.Name == InFlightBlob.Name && groups.Overlaps(context.Groups)) formers.Add(Read(blob, groups, session));
        }

        return formers;
    }

    private Former Read(OperatorBlob blob, KeyGroupRange groups, Orleans.Serialization.Session.SerializerSession session)
    {
        var codec = context.Serializers.For<TIn>();
        var reader = new BlobReader(blob.Bytes);
        var count = reader.ReadInt32();
        var signature = reader.ReadString();
        if (signature != codec.Signature && count > 0)
        {
            throw new JobRefusedException(
                $"Operator '{Name}' has {count} records in flight of the form '{signature}', but its records are now of '{codec.Signature}'. "
                + "Let the job run as it was until nothing is in flight, or give the changed operator another name.");
        }

        var former = new Former(reader.ReadInt64(), KeyGroups.Subtask(groups.Start, context.Parallelism, context.MaxParallelism) == context.Id.Index);
        for (; count > 0; count--)
        {
            var isWatermark = reader.ReadBoolean();
            var timestamp = reader.ReadInt64();
            if (isWatermark)
            {
                former.Items.Enqueue(new InFlight<TIn, TOut> { IsWatermark = true, Timestamp = timestamp });
                continue;
            }

            var hash = (ulong)reader.ReadInt64();
            ReadOnlySpan<byte> bytes = reader.ReadBytes();
            former.Items.Enqueue(new InFlight<TIn, TOut> { IsWatermark = false, Timestamp = timestamp, KeyHash = hash, Record = codec.Read(ref bytes, session) });
        }

        return former;
    }

    /// <summary>
    /// Puts the queues of former subtasks together: the watermark between them is the lowest of theirs, and none comes before a record that was before it. At the
    /// end it is the one that the subtask goes on from.
    /// </summary>
    private void Merge(List<Former> formers)
    {
        _passed = _watermark = formers.Min(static former => former.Watermark);
        while (true)
        {
            foreach (var former in formers) TakeRecords(former);
            var next = formers.Where(static former => former.Items.Count > 0).MinBy(static former => former.Items.Peek().Timestamp);
            if (next is null) break;
            next.Watermark = next.Items.Dequeue().Timestamp;
            OnRestoredWatermark(formers.Min(static former => former.Watermark));
        }

        OnRestoredWatermark(context.RestoredWatermark);
    }

    private void TakeRecords(Former former)
    {
        while (former.Items.TryPeek(out var item) && !item.IsWatermark)
        {
            former.Items.Dequeue();
            if (IsOwn(former, item)) Add(item.Record, item.Timestamp, item.KeyHash);
        }
    }

    private bool IsOwn(Former former, InFlight<TIn, TOut> item) =>
        keyText is null ? former.IsOwn : context.Groups.Contains(KeyGroups.Of(item.KeyHash, context.MaxParallelism));

    /// <summary>It waits for the first step: nothing leaves before the subtask is started.</summary>
    private void OnRestoredWatermark(long watermark)
    {
        if (watermark <= _watermark) return;
        _watermark = watermark;
        _queue.AddWatermark(watermark);
    }

    /// <summary>What a former subtask had in flight.</summary>
    private sealed class Former(long watermark, bool isOwn)
    {
        /// <summary>How far it has been put in.</summary>
        public long Watermark { get; set; } = watermark;

        /// <summary>Whether its records come here where they have no keys.</summary>
        public bool IsOwn => isOwn;

        public Queue<InFlight<TIn, TOut>> Items { get; } = new();
    }
}

/// <summary>The part of a snapshot that has records in flight.</summary>
internal static class InFlightBlob
{
    public const string Name = "in-flight";
}
