using System.Numerics;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Exchange;

/// <summary>How the records of an edge are divided among the subtasks below.</summary>
internal enum Partitioning
{
    /// <summary>Subtask n sends to subtask n.</summary>
    Forward,

    /// <summary>By the key group of the record's key.</summary>
    ByKey,

    /// <summary>Every record to every subtask.</summary>
    Broadcast,

    /// <summary>Runs of records to each subtask in turn.</summary>
    Rebalance,

    /// <summary>As a function of the user's chooses.</summary>
    ByHand,
}

/// <summary>The end of a chain that writes to channels: gathers records into one batch per channel and sends it when it is full or is told to flush.</summary>
internal abstract class PartitionWriter<T>(OutputChannel[] channels, bool keyed, SubtaskContext context) : Operator<T>, IPartitionWriter
{
    private readonly Batch<T>?[] _batches = new Batch<T>?[channels.Length];
    private readonly int[] _sizes = NewSizes(channels.Length);

    protected int Channels => channels.Length;

    public override void OnWatermark(long watermark)
    {
        foreach (var channel in channels) channel.Watermark(watermark);
    }

    public bool HasUnsent
    {
        get
        {
            for (var i = 0; i < channels.Length; i++)
            {
                if (_batches[i] is not null || channels[i].HasNews) return true;
            }

            return false;
        }
    }

    public int Gathered
    {
        get
        {
            var gathered = 0;
            foreach (var batch in _batches) gathered += batch?.Count ?? 0;
            return gathered;
        }
    }

    /// <summary>Sends what was gathered, and watermarks that wait, on every channel that has room.</summary>
    public void Flush()
    {
        for (var i = 0; i < channels.Length; i++)
        {
            if (_batches[i] is null && !channels[i].HasNews) continue;
            if (channels[i].HasRoom) Send(i);
        }
    }

    /// <summary>Puts a barrier behind everything written.</summary>
    public void WriteBarrier(Barrier barrier)
    {
        for (var i = 0; i < channels.Length; i++) Send(i, barrier);
    }

    /// <summary>Ends all channels behind everything written.</summary>
    public void WriteEnd()
    {
        for (var i = 0; i < channels.Length; i++) Send(i, end: true);
    }

    public void SetIdle(bool idle)
    {
        foreach (var channel in channels) channel.Idle(idle);
    }

    public void SetDry(bool dry)
    {
        foreach (var channel in channels) channel.Dry(dry);
    }

    /// <summary>A batch of the channel with room for one record at least; it must be sent when it is full.</summary>
    protected Batch<T> Open(int channel)
    {
        if (_batches[channel] is { } open) return open;
        return _batches[channel] = BatchPool<T>.Rent(_sizes[channel], keyed);
    }

    protected void SendFull(int channel) => Send(channel);

    private void Send(int channel, Barrier? barrier = null, bool end = false)
    {
        var batch = _batches[channel];
        _batches[channel] = null;
        if (batch is not null)
        {
            context.Counters.RecordsOut += batch.Count;
            _sizes[channel] = batch.Count >= BatchSize.Small ? BatchSize.Full : BatchSize.Small;
        }

        channels[channel].Enqueue(batch, barrier, end);
    }

    private static int[] NewSizes(int channels)
    {
        var sizes = new int[channels];
        Array.Fill(sizes, BatchSize.Small);
        return sizes;
    }

    /// <summary>Copies records as they are behind those gathered for a channel.</summary>
    protected void Append(int channel, Records<T> records)
    {
        var from = 0;
        while (from < records.Count)
        {
            var batch = Open(channel);
            var count = Math.Min(records.Count - from, batch.Capacity - batch.Count);
            records.Values.Slice(from, count).CopyTo(batch.Values.AsSpan(batch.Count));
            records.Timestamps.Slice(from, count).CopyTo(batch.Timestamps.AsSpan(batch.Count));
            batch.Count += count;
            from += count;
            if (batch.Count == batch.Capacity) SendFull(channel);
        }
    }
}

/// <summary>A partition writer whose record type does not matter.</summary>
internal interface IPartitionWriter
{
    /// <summary>Whether records, or anything else, wait to be sent.</summary>
    bool HasUnsent { get; }

    /// <summary>How many records wait to be sent.</summary>
    int Gathered { get; }

    void Flush();

    void WriteBarrier(Barrier barrier);

    void WriteEnd();

    void SetIdle(bool idle);

    void SetDry(bool dry);
}

/// <summary>To every channel: one of a forward edge, all of a broadcast.</summary>
internal sealed class BroadcastWriter<T>(OutputChannel[] channels, SubtaskContext context) : PartitionWriter<T>(channels, false, context)
{
    public override void OnRecords(Records<T> records)
    {
        for (var channel = 0; channel < Channels; channel++) Append(channel, records);
    }
}

/// <summary>To each channel in turn, a run at a time.</summary>
internal sealed class RebalanceWriter<T>(OutputChannel[] channels, int first, SubtaskContext context) : PartitionWriter<T>(channels, false, context)
{
    private int _next = first % channels.Length;

    public override void OnRecords(Records<T> records)
    {
        Append(_next, records);
        _next = (_next + 1) % Channels;
    }
}

/// <summary>By key: hashes each key once; the hash travels with the record.</summary>
internal sealed class KeyWriter<TKey, T> : PartitionWriter<T>
    where TKey : notnull
{
    private readonly Func<T, TKey> _key;
    private readonly KeyCodec<TKey> _codec = KeyCodec<TKey>.Default;
    private readonly int[] _channelOfGroup;
    private readonly Failures<T> _failures;
    private TKey[] _keys = [];
    private ulong[] _hashes = [];

    public KeyWriter(OutputChannel[] channels, Func<T, TKey> key, Failures<T> failures, SubtaskContext context)
        : base(channels, true, context)
    {
        _key = key;
        _failures = failures;
        _channelOfGroup = new int[context.MaxParallelism];
        for (var group = 0; group < _channelOfGroup.Length; group++)
        {
            _channelOfGroup[group] = KeyGroups.Subtask(group, channels.Length, context.MaxParallelism);
        }
    }

    public override void OnRecords(Records<T> records)
    {
        if (_keys.Length < records.Count)
        {
            _keys = new TKey[records.Count];
            _hashes = new ulong[records.Count];
        }

        if (!TryHash(records))
        {
            OnRecordsOneByOne(records);
            return;
        }

        var mask = BitOperations.IsPow2(_channelOfGroup.Length) ? (ulong)_channelOfGroup.Length - 1 : 0;
        for (var i = 0; i < records.Count; i++)
        {
            var hash = _hashes[i];
            var channel = Channels == 1 ? 0 : _channelOfGroup[(int)(mask != 0 ? hash & mask : hash % (uint)_channelOfGroup.Length)];
            Write(channel, in records.Values[i], records.Timestamps[i], hash);
        }
    }

    /// <summary>Reads and hashes all keys at once; false when one of them throws.</summary>
    private bool TryHash(Records<T> records)
    {
        try
        {
            for (var i = 0; i < records.Count; i++) _keys[i] = _key(records.Values[i]);
            _codec.Hash(_keys.AsSpan(0, records.Count), _hashes.AsSpan(0, records.Count));
            return true;
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            return false;
        }
    }

    /// <summary>The slow way, for batches in which the key of a record throws: it finds the record.</summary>
    private void OnRecordsOneByOne(Records<T> records)
    {
        for (var i = 0; i < records.Count; i++)
        {
            ulong hash;
            try
            {
                hash = _codec.Hash(_key(records.Values[i]));
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                _failures.Take(error, records.Values[i], records.Timestamps[i]);
                continue;
            }

            Write(_channelOfGroup[(int)(hash % (uint)_channelOfGroup.Length)], in records.Values[i], records.Timestamps[i], hash);
        }
    }

    private void Write(int channel, in T value, long timestamp, ulong hash)
    {
        var batch = Open(channel);
        var at = batch.Count;
        batch.Values[at] = value;
        batch.Timestamps[at] = timestamp;
        batch.KeyHashes![at] = hash;
        batch.Count = at + 1;
        if (at + 1 == batch.Capacity) SendFull(channel);
    }
}
