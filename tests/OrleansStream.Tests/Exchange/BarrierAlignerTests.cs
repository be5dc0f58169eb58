using OrleansStream.Exchange;
using OrleansStream.Jobs;
using OrleansStream.Tests.Stages;

namespace OrleansStream.Tests.Exchange;

public sealed class BarrierAlignerTests
{
    [Fact]
    public void A_barrier_is_complete_when_it_is_there_on_every_channel()
    {
        var aligner = new BarrierAligner(3);

        Assert.Null(aligner.OnBarrier(1, Wiring.Barrier(1)));
        Assert.Null(aligner.OnBarrier(0, Wiring.Barrier(1)));
        Assert.Equal(Wiring.Barrier(1), aligner.OnBarrier(2, Wiring.Barrier(1)));
        Assert.Null(aligner.Current);
    }

    [Fact]
    public void Exactly_the_channels_that_have_the_barrier_are_blocked_until_it_is_complete()
    {
        var aligner = new BarrierAligner(2);
        aligner.OnBarrier(1, Wiring.Barrier(1));
        Assert.Equal((false, true), (aligner.IsBlocked(0), aligner.IsBlocked(1)));

        aligner.OnBarrier(0, Wiring.Barrier(1));

        Assert.Equal((false, false), (aligner.IsBlocked(0), aligner.IsBlocked(1)));
    }

    [Fact]
    public void An_ended_channel_counts_as_there()
    {
        var aligner = new BarrierAligner(2);
        Assert.Null(aligner.OnEnded(0));

        Assert.Equal(Wiring.Barrier(1), aligner.OnBarrier(1, Wiring.Barrier(1)));
        Assert.Equal(Wiring.Barrier(2), aligner.OnBarrier(1, Wiring.Barrier(2)));
    }

    [Fact]
    public void The_end_of_the_last_missing_channel_completes_the_barrier()
    {
        var aligner = new BarrierAligner(2);
        aligner.OnBarrier(0, Wiring.Barrier(1));

        Assert.Equal(Wiring.Barrier(1), aligner.OnEnded(1));
        Assert.False(aligner.IsBlocked(0));
    }

    [Fact]
    public void A_newer_barrier_gives_the_older_checkpoint_up_and_unblocks_its_channels()
    {
        var aligner = new BarrierAligner(2);
        aligner.OnBarrier(0, Wiring.Barrier(1));

        Assert.Null(aligner.OnBarrier(1, Wiring.Barrier(2)));
        Assert.Equal((false, true), (aligner.IsBlocked(0), aligner.IsBlocked(1)));
        Assert.Equal(Wiring.Barrier(2), aligner.OnBarrier(0, Wiring.Barrier(2)));
    }

    [Fact]
    public void An_older_barrier_neither_blocks_nor_completes()
    {
        var aligner = new BarrierAligner(2);
        aligner.OnBarrier(1, Wiring.Barrier(2));

        Assert.Null(aligner.OnBarrier(0, Wiring.Barrier(1)));
        Assert.False(aligner.IsBlocked(0));
        Assert.Equal(Wiring.Barrier(2), aligner.Current);
    }

    [Fact]
    public void A_barrier_of_a_completed_checkpoint_is_ignored()
    {
        var aligner = new BarrierAligner(1);
        aligner.OnBarrier(0, Wiring.Barrier(2));

        Assert.Null(aligner.OnBarrier(0, Wiring.Barrier(2)));
        Assert.Null(aligner.OnBarrier(0, Wiring.Barrier(1)));
        Assert.False(aligner.IsBlocked(0));
    }

    [Fact]
    public void A_checkpoint_is_taken_directly_once()
    {
        var aligner = new BarrierAligner(0);

        Assert.True(aligner.TryCompleteDirectly(Wiring.Checkpoint(2)));
        Assert.False(aligner.TryCompleteDirectly(Wiring.Checkpoint(2)));
        Assert.False(aligner.TryCompleteDirectly(Wiring.Checkpoint(1)));
        Assert.True(aligner.TryCompleteDirectly(Wiring.Checkpoint(3)));
    }

    [Fact]
    public void A_checkpoint_taken_over_the_channels_is_not_taken_again_directly()
    {
        var aligner = new BarrierAligner(1);
        aligner.OnBarrier(0, Wiring.Barrier(1));
        aligner.OnEnded(0);

        Assert.False(aligner.TryCompleteDirectly(Wiring.Checkpoint(1)));
    }

    [Fact]
    public void Any_order_of_arrivals_completes_each_checkpoint_once()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var aligner = new BarrierAligner(4);
            // Each channel brings barriers 1 to 5 in order, some of them lost to a give-up, and then its end.
            var channels = Enumerable.Range(0, 4).Select(_ => new Queue<long>(Enumerable.Range(1, 5).Select(static n => (long)n).Append(long.MaxValue))).ToArray();
            var completed = new List<CheckpointId>();
            while (channels.Any(static channel => channel.Count > 0))
            {
                var open = Enumerable.Range(0, 4).Where(channel => channels[channel].Count > 0 && !aligner.IsBlocked(channel)).ToList();
                Assert.True(open.Count > 0, $"seed {seed}: all channels are blocked");
                var chosen = open[random.Next(open.Count)];
                var next = channels[chosen].Dequeue();
                var done = next == long.MaxValue ? aligner.OnEnded(chosen) : aligner.OnBarrier(chosen, Wiring.Barrier(next));
                if (done is { } barrier) completed.Add(barrier.Checkpoint);
            }

            Assert.Equal(Enumerable.Range(1, 5).Select(static n => Wiring.Checkpoint(n)), completed);
        }
    }
}
