using OrleansStream.Exchange;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Time;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Stages;

public sealed class DeferredWatermarkTests
{
    private const int Keys = 50_000;

    [Fact]
    public async Task The_end_of_input_behind_a_watermark_whose_results_have_no_room_fires_what_is_left_after_them()
    {
        var sink = new RecordingSink<long>();
        var windows = await LoneSubtask.OpenAsync(
            graph => graph
                .From("in", Collections.From<int>([])).WithTimestamps(static n => (long)n, TimeSpan.Zero)
                .KeyBy(static n => n)
                .Window(TumblingWindows.Of(TimeSpan.FromMilliseconds(100)))
                .Aggregate("count", 0L, static (count, _) => count + 1, static count => count)
                .Select(static result => result.Window.Start)
                .Rebalance()
                .To("out", sink),
            "count");
        windows.Send(0, Batch(timestamp: 50), watermark: 99);
        windows.Send(0, Batch(timestamp: 150), end: true);

        var (starts, watermarks, pauses) = (new List<long>(), new List<long>(), 0);
        for (var kind = StepKind.More; kind != StepKind.Ended;)
        {
            kind = windows.Run().Kind;
            if (kind == StepKind.NoRoom) pauses++;
            foreach (var output in windows.Subtask.Outputs)
            {
                foreach (var envelope in output.TakeAll())
                {
                    if (envelope.Batch is Batch<long> batch) starts.AddRange(batch.Values.Take(batch.Count));
                    if (envelope.Watermark != EventTime.Beginning) watermarks.Add(envelope.Watermark);
                    output.Credit(envelope.Sequence);
                }
            }
        }

        Assert.True(pauses > 3, $"the results had room {pauses} pauses long");
        Assert.Equal(Enumerable.Repeat(0L, Keys).Concat(Enumerable.Repeat(100L, Keys)), starts);
        Assert.Equal([99, EventTime.End], watermarks);
    }

    private static Batch<int> Batch(long timestamp)
    {
        var keys = Enumerable.Range(0, Keys).ToArray();
        return new Batch<int>(keys, [.. keys.Select(_ => timestamp)], [.. keys.Select(static key => KeyCodec<int>.Default.Hash(key))]);
    }
}
