using OrleansStream.Stages;

namespace OrleansStream.Exchange;

/// <summary>To the channel that a function of the user's chooses for each record.</summary>
internal sealed class ByHandWriter<T>(OutputChannel[] channels, Func<T, int, int> partition, Failures<T> failures, SubtaskContext context) : PartitionWriter<T>(channels, false, context)
{
    public override void OnRecords(Records<T> records)
    {
        for (var i = 0; i < records.Count; i++)
        {
            int channel;
            try
            {
                channel = partition(records.Values[i], Channels);
                if ((uint)channel >= (uint)Channels) throw new ArgumentOutOfRangeException(null, $"PartitionBy chose subtask {channel}; there are {Channels}, from 0 to {Channels - 1}");
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                failures.Take(error, records.Values[i], records.Timestamps[i]);
                continue;
            }

            var batch = Open(channel);
            batch.Values[batch.Count] = records.Values[i];
            batch.Timestamps[batch.Count] = records.Timestamps[i];
            if (++batch.Count == batch.Capacity) SendFull(channel);
        }
    }
}
