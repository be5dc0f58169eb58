using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.Time;

namespace OrleansStream.Tests.Checkpoints;

public sealed class SourceProgressTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeMilliseconds(100_000);

    [Fact]
    public void The_source_and_the_split_that_hold_the_job_back_are_named()
    {
        var sources = SourceProgress.Of(
            [
                Report(0, 0, 60_000, new SplitsReport { Source = "orders", Count = 2, Ended = 1, Slowest = "orders-0", SlowestWatermark = 60_000 }),
                Report(0, 1, 40_000, new SplitsReport { Source = "orders", Count = 3, Slowest = "orders-1", SlowestWatermark = 39_000, Idle = 1, IdleNames = ["orders-3"], Paused = 1, PausedNames = ["orders-5"] }),
                Report(1, 0, 90_000, new SplitsReport { Source = "payments", Count = 1, Slowest = "payments-0", SlowestWatermark = 90_000 }),
                Report(2, 0, 39_000, null),
            ],
            Now);

        Assert.Equal(["orders", "payments"], sources.Select(static source => source.Name));
        var orders = sources[0];
        Assert.Equal((DateTimeOffset.FromUnixTimeMilliseconds(40_000), TimeSpan.FromSeconds(60), "orders-1", true), (orders.Watermark, orders.Lag, orders.SlowestSplit, orders.HoldsBack));
        Assert.Equal((5, 1, 1, 1), (orders.Splits, orders.EndedSplits, orders.IdleSplits, orders.PausedSplits));
        Assert.Equal(["orders-3"], orders.IdleNames);
        Assert.Equal(["orders-5"], orders.PausedNames);
        Assert.False(sources[1].HoldsBack);
    }

    [Fact]
    public void A_source_that_is_idle_or_at_its_end_holds_nothing_back()
    {
        var sources = SourceProgress.Of(
            [
                Report(0, 0, 10_000, new SplitsReport { Source = "idle", Count = 1, IsIdle = true, Idle = 1, Slowest = null, SlowestWatermark = EventTime.End }),
                Report(1, 0, EventTime.End, new SplitsReport { Source = "ended", Count = 1, Ended = 1, Slowest = null, SlowestWatermark = EventTime.End }),
                Report(2, 0, 90_000, new SplitsReport { Source = "live", Count = 1, Slowest = "live-0", SlowestWatermark = 90_000 }),
            ],
            Now);

        Assert.Equal([false, false, true], sources.Select(static source => source.HoldsBack));
        Assert.Equal([TimeSpan.FromSeconds(90), null, TimeSpan.FromSeconds(10)], sources.Select(static source => source.Lag));
        Assert.Equal([DateTimeOffset.FromUnixTimeMilliseconds(10_000), DateTimeOffset.MaxValue], sources.Take(2).Select(static source => source.Watermark));
    }

    [Fact]
    public void A_subtask_that_is_idle_or_without_splits_does_not_count_in_its_source()
    {
        var sources = SourceProgress.Of(
            [
                Report(0, 0, 10_000, new SplitsReport { Source = "orders", Count = 1, IsIdle = true, Idle = 1, Slowest = null, SlowestWatermark = EventTime.End }),
                Report(0, 1, EventTime.Beginning, new SplitsReport { Source = "orders", Count = 1, Slowest = "orders-1", SlowestWatermark = EventTime.Beginning }),
                Report(0, 2, EventTime.End, new SplitsReport { Source = "orders", Slowest = null, SlowestWatermark = EventTime.End }),
            ],
            Now);

        var orders = Assert.Single(sources);
        Assert.Equal((null, null, "orders-1", true), (orders.Watermark, orders.Lag, orders.SlowestSplit, orders.HoldsBack));
    }

    private static SubtaskReport Report(int stage, int index, long watermark, SplitsReport? splits) => new() { Subtask = new SubtaskId(stage, index), Incarnation = new Incarnation(1), Watermark = watermark, Splits = splits };
}
