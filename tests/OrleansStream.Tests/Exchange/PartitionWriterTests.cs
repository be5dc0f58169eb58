using OrleansStream.Exchange;
using OrleansStream.Functions;
using OrleansStream.State;
using OrleansStream.Tests.Stages;

namespace OrleansStream.Tests.Exchange;

public sealed class PartitionWriterTests
{
    [Fact]
    public void A_key_goes_to_the_subtask_that_owns_its_group_and_takes_its_hash_along()
    {
        const int Subtasks = 3;
        var channels = Channels(Subtasks);
        var writer = Keyed(channels);
        var keys = Enumerable.Range(0, 500).Select(static n => $"account-{n}").ToArray();
        writer.Give([.. keys.Select(static (key, n) => (key, (long)n))]);
        writer.WriteEnd();

        var seen = 0;
        for (var subtask = 0; subtask < Subtasks; subtask++)
        {
            var owned = KeyGroups.Range(subtask, Subtasks, 128);
            foreach (var batch in Batches<string>(channels[subtask]))
            {
                for (var i = 0; i < batch.Count; i++, seen++)
                {
                    Assert.Equal(KeyCodec<string>.Default.Hash(batch.Values[i]), batch.KeyHashes![i]);
                    Assert.True(owned.Contains(KeyGroups.Of(batch.KeyHashes[i], 128)));
                    Assert.Equal(keys[batch.Timestamps[i]], batch.Values[i]);
                }
            }
        }

        Assert.Equal(keys.Length, seen);
    }

    [Fact]
    public void Records_of_one_key_keep_their_order_over_batches()
    {
        var channels = Channels(2, window: 1000);
        var writer = Keyed(channels);
        for (var n = 0L; n < 3000; n++) writer.Give(($"key-{n % 7}", n));
        writer.WriteEnd();

        foreach (var channel in channels)
        {
            var records = Batches<string>(channel).SelectMany(static batch => batch.Values.Zip(batch.Timestamps).Take(batch.Count)).ToList();
            Assert.All(records.GroupBy(static record => record.First), static group => Assert.Equal(group.Select(static r => r.Second).Order(), group.Select(static r => r.Second)));
        }
    }

    [Fact]
    public void A_full_batch_is_sent_by_itself_and_the_next_is_large()
    {
        var channels = Channels(1);
        var writer = Keyed(channels);
        writer.Give([.. Enumerable.Range(0, BatchSize.Small + 1).Select(static n => ("k", (long)n))]);

        var first = Assert.Single(Batches<string>(channels[0]));
        Assert.Equal(BatchSize.Small, first.Count);
        writer.Flush();
        var second = Assert.Single(Batches<string>(channels[0]));
        Assert.Equal((1, BatchSize.Full), (second.Count, second.Capacity));
    }

    [Fact]
    public void Flushing_sends_nothing_where_there_is_no_room_and_keeps_what_was_gathered()
    {
        var channels = Channels(1, window: 1);
        var writer = Keyed(channels);
        writer.Give(("k", 1));
        writer.Flush();
        channels[0].TakeAll();
        writer.Give(("k", 2));
        writer.Flush();
        Assert.True(writer.HasUnsent);
        Assert.Empty(channels[0].TakeAll());

        channels[0].Credit(1);
        writer.Flush();

        Assert.Equal(2, Assert.Single(Batches<string>(channels[0])).Timestamps[0]);
        Assert.False(writer.HasUnsent);
    }

    [Fact]
    public void A_barrier_leaves_on_every_channel_in_the_envelope_of_the_records_before_it()
    {
        var channels = Channels(2);
        var writer = new RebalanceWriter<int>(channels, 0, Wiring.Context()) { Name = "rebalance" };
        writer.Give((1, 1));
        writer.WriteBarrier(Wiring.Barrier(1));
        writer.Give((2, 2));

        var first = Assert.Single(channels[0].TakeAll());
        Assert.Equal((Wiring.Barrier(1), 1), (first.Barrier, first.Batch!.Count));
        var second = Assert.Single(channels[1].TakeAll());
        Assert.Equal((Wiring.Barrier(1), null), (second.Barrier, second.Batch));
        writer.Flush();
        var behind = Assert.Single(channels[1].TakeAll());
        Assert.Equal((null, 1), (behind.Barrier, behind.Batch!.Count));
    }

    [Fact]
    public void The_end_leaves_behind_everything_gathered()
    {
        var channels = Channels(1);
        var writer = Keyed(channels);
        writer.Give(("k", 1));
        writer.WriteEnd();

        var last = Assert.Single(channels[0].TakeAll());
        Assert.Equal((true, 1), (last.End, last.Batch!.Count));
    }

    [Fact]
    public void A_watermark_leaves_behind_the_records_that_came_before_it_on_every_channel()
    {
        var channels = Channels(2);
        var writer = new BroadcastWriter<int>(channels, Wiring.Context()) { Name = "broadcast" };
        writer.Give((1, 1));
        writer.OnWatermark(1);
        Assert.True(writer.HasUnsent);
        writer.Flush();

        Assert.All(channels, static channel =>
        {
            var sent = Assert.Single(channel.TakeAll());
            Assert.Equal((1L, 1), (sent.Watermark, sent.Batch!.Count));
        });
    }

    [Fact]
    public void Broadcast_sends_every_record_to_every_subtask_in_batches_of_their_own()
    {
        var channels = Channels(3, window: 1000);
        var writer = new BroadcastWriter<int>(channels, Wiring.Context()) { Name = "broadcast" };
        writer.Give([.. Enumerable.Range(0, 1000).Select(static n => (n, (long)n))]);
        writer.WriteEnd();

        var batches = channels.Select(static channel => Batches<int>(channel)).ToList();
        Assert.All(batches, static all => Assert.Equal(Enumerable.Range(0, 1000), all.SelectMany(static batch => batch.Values.Take(batch.Count))));
        Assert.Equal(batches.Sum(static all => all.Count), batches.SelectMany(static all => all).Distinct().Count());
    }

    [Fact]
    public void Rebalance_gives_runs_to_each_subtask_in_turn_beginning_with_its_own_number()
    {
        var channels = Channels(3);
        var writer = new RebalanceWriter<int>(channels, 5, Wiring.Context()) { Name = "rebalance" };
        for (var run = 0; run < 6; run++) writer.Give((run, run), (run, run));
        writer.WriteEnd();

        Assert.Equal([1, 1, 4, 4], Values(channels[0]));
        Assert.Equal([2, 2, 5, 5], Values(channels[1]));
        Assert.Equal([0, 0, 3, 3], Values(channels[2]));
    }

    [Fact]
    public void A_key_that_cannot_be_read_ends_the_attempt_with_its_place()
    {
        var context = Wiring.Context();
        var writer = new KeyWriter<string, string>(Channels(1), static _ => throw new FormatException("no account"), Wiring.Failures<string>(context), context) { Name = "key-by" };

        var error = Assert.Throws<FunctionException>(() => writer.Give(("x", 5)));

        Assert.Contains("Job 'payments', stage 'score', operator 'score', subtask 0", error.Message, StringComparison.Ordinal);
        Assert.Contains("no account", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recycled_batch_holds_no_reference_to_what_it_carried()
    {
        var batch = BatchPool<string>.Rent(BatchSize.Full, keyed: true);
        batch.Values[0] = "secret";
        batch.Count = 1;
        batch.Recycle();

        Assert.Equal((null, 0), (batch.Values[0], batch.Count));
    }

    private static KeyWriter<string, string> Keyed(OutputChannel[] channels)
    {
        var context = Wiring.Context();
        return new KeyWriter<string, string>(channels, static key => key, Wiring.Failures<string>(context), context) { Name = "key-by" };
    }

    private static OutputChannel[] Channels(int count, int window = 16) => [.. Enumerable.Range(0, count).Select(to => Wiring.Output(window, to))];

    private static List<Batch<T>> Batches<T>(OutputChannel channel) => [.. channel.TakeAll().Select(static envelope => envelope.Batch).OfType<Batch<T>>()];

    private static IEnumerable<int> Values(OutputChannel channel) => Batches<int>(channel).SelectMany(static batch => batch.Values.Take(batch.Count));
}
