using OrleansStream.Functions;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Tests.Stages;
using OrleansStream.Time;

namespace OrleansStream.Tests.Time;

public sealed class TimestampOperatorTests
{
    private readonly SubtaskContext _context = Wiring.Context();
    private readonly Remembering<long> _end = new();
    private readonly Remembering<DeadLetter<long>> _letters = new();

    [Fact]
    public void A_watermark_goes_out_behind_the_records_that_advanced_it()
    {
        var timestamps = Timestamps();
        timestamps.Give((10, 0), (30, 0));
        timestamps.Give((20, 0), (40, 0));

        Assert.Equal(["10@10", "30@30", "|24", "20@20", "40@40", "|34"], _end.All);
    }

    [Fact]
    public void Times_that_the_source_gave_are_kept_when_none_are_read()
    {
        var timestamps = Timestamps(select: null);
        timestamps.Give((1, 100), (2, 50));

        Assert.Equal(["1@100", "2@50", "|94"], _end.All);
    }

    [Fact]
    public void Watermarks_from_above_are_replaced_and_only_the_end_of_time_passes_once()
    {
        var timestamps = Timestamps();
        timestamps.Give((10, 0));
        timestamps.OnWatermark(1_000_000);
        timestamps.OnWatermark(EventTime.End);
        timestamps.OnTime();

        Assert.Equal([4, EventTime.End], _end.Watermarks);
    }

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void A_time_that_is_reserved_ends_the_attempt_with_its_place(long time)
    {
        var timestamps = Timestamps(select: _ => time);

        var error = Assert.Throws<FunctionException>(() => timestamps.Give((1, 0)));

        Assert.Contains("is reserved for the ends of time", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_whose_time_cannot_be_read_goes_to_the_dead_letters_and_its_neighbours_go_on()
    {
        var timestamps = Timestamps(select: static n => n == 2 ? throw new FormatException("two") : n * 10, OnError.DeadLetter);
        timestamps.Give((1, 0), (2, 0), (3, 0));

        Assert.Equal(["1@10", "3@30", "|24"], _end.All);
        Assert.Equal((2, "FormatException: two"), (Assert.Single(_letters.Values).Record, _letters.Records[0].Value.Error));
        Assert.Equal(1, _context.Counters.DeadLetters);
    }

    [Fact]
    public void Splits_are_followed_apart_and_a_finished_one_stops_counting()
    {
        var splits = new Splits("a", "b");
        _context.Source = splits;
        var timestamps = Timestamps();
        timestamps.Give((100, 0));
        Assert.Empty(_end.Watermarks);
        _context.CurrentSplit = 1;
        timestamps.Give((50, 0));
        Assert.Equal([44], _end.Watermarks);

        splits.Ended.Add(1);
        timestamps.OnTime();

        Assert.Equal([44, 94], _end.Watermarks);
    }

    [Fact]
    public void An_idle_split_is_noticed_when_its_time_comes()
    {
        _context.Source = new Splits("a", "b");
        _context.Now = new Clock(1_000_000, 0);
        var timestamps = Timestamps(idleAfter: 20);
        timestamps.Give((100, 0));
        Assert.Equal(1_000_020, timestamps.NextTime);

        _context.Now = new Clock(1_000_019, 19);
        timestamps.OnTime();
        Assert.Empty(_end.Watermarks);
        _context.CurrentSplit = 0;
        timestamps.Give((101, 0));
        _context.Now = new Clock(1_000_020, 20);
        timestamps.OnTime();

        Assert.Equal([95], _end.Watermarks);
    }

    [Fact]
    public void Highest_timestamps_are_found_again_by_split_whoever_reads_it_now()
    {
        _context.Source = new Splits("a", "b");
        var first = Timestamps();
        first.Give((100, 0));
        _context.CurrentSplit = 1;
        first.Give((70, 0));
        var saved = Saved(first);

        var context = Wiring.Context();
        context.Source = new Splits("b");
        context.Restored = [new RestoredBlob(0, saved)];
        var end = new Remembering<long>();
        var second = Timestamps(context, end);
        Assert.Equal(context.Now.Wall, second.NextTime);
        second.OnTime();
        second.Give((10, 0));

        Assert.Equal(["|64", "10@10"], end.All);
    }

    [Fact]
    public void The_watermark_does_not_go_back_over_a_restart_for_a_split_that_was_idle()
    {
        _context.Source = new Splits("a", "b");
        _context.Now = new Clock(0, 0);
        var first = Timestamps(idleAfter: 20);
        _context.CurrentSplit = 1;
        first.Give((70, 0));
        _context.CurrentSplit = 0;
        _context.Now = new Clock(20, 20);
        first.Give((1000, 0));
        Assert.Equal(994, _end.Watermarks[^1]);
        var parts = new SnapshotParts(Wiring.Checkpoint(1));
        first.Snapshot(parts);

        var context = Wiring.Context();
        context.Source = new Splits("a", "b");
        context.Restored = [.. parts.Blobs.Select(static blob => new RestoredBlob(0, blob))];
        var end = new Remembering<long>();
        var second = Timestamps(context, end, idleAfter: 20);
        context.CurrentSplit = 1;
        second.Give((80, 0));
        Assert.Equal([994], end.Watermarks);

        // Both count again: the other is idle only when its time has run anew.
        Assert.Equal(0, second.Splits.Count(static split => split.IsIdle));
        context.CurrentSplit = 0;
        second.Give((2000, 0));
        context.CurrentSplit = 1;
        second.Give((1500, 0));
        Assert.Equal([994, 1494], end.Watermarks);
    }

    [Fact]
    public void A_split_that_was_under_a_lower_watermark_than_its_new_neighbours_is_not_made_late_by_theirs()
    {
        var context = Wiring.Context();
        context.Source = new Splits("a", "b");
        context.Restored = [Merged("a", 994), Merged("b", 200)];
        var end = new Remembering<long>();
        var timestamps = Timestamps(context, end, idleAfter: 20);
        context.CurrentSplit = 1;
        timestamps.Give((300, 0));

        Assert.Equal([200], end.Watermarks);

        static RestoredBlob Merged(string split, long watermark)
        {
            var writer = new BlobWriter();
            writer.Write(1);
            writer.Write(split);
            writer.Write(watermark);
            return new RestoredBlob(0, new OperatorBlob("timestamps-2", "merged", writer.ToArray()));
        }
    }

    [Fact]
    public void A_split_that_never_speaks_becomes_idle_too()
    {
        _context.Source = new Splits("a");
        _context.Now = new Clock(0, 0);
        var timestamps = Timestamps(idleAfter: 20);

        Assert.Equal(20, timestamps.NextTime);
        _context.Now = new Clock(20, 20);
        timestamps.OnTime();
        Assert.True(timestamps.IsIdle);
    }

    [Fact]
    public void Time_without_room_below_makes_no_split_idle()
    {
        _context.Source = new Splits("a", "b");
        _context.Now = new Clock(0, 0);
        var timestamps = Timestamps(idleAfter: 20);
        timestamps.Give((100, 0));
        _context.HeldMs = 15;
        _context.Now = new Clock(34, 34);
        timestamps.OnTime();
        Assert.Equal((0, 35L), (timestamps.Splits.Count(static split => split.IsIdle), timestamps.NextTime));

        _context.Now = new Clock(35, 35);
        timestamps.OnTime();
        Assert.True(timestamps.IsIdle);
    }

    [Fact]
    public void The_end_of_a_split_is_noticed_when_no_record_tells_of_it()
    {
        var splits = new Splits("a", "b");
        _context.Source = splits;
        var timestamps = Timestamps();
        timestamps.Give((100, 0));
        splits.Ended.Add(1);
        Assert.Null(timestamps.NextTime);
        _context.EndedSplits = 1;

        Assert.Equal(_context.Now.Wall, timestamps.NextTime);
        timestamps.OnTime();
        Assert.Equal([94], _end.Watermarks);
        Assert.Null(timestamps.NextTime);
    }

    private TimestampOperator<long> Timestamps(Func<long, long>? select, OnError onError = OnError.Fail) =>
        new(_context, select, new SplitWatermarks(5, null), new Output<long>([_end]), Wiring.Failures(_context, onError, _letters)) { Name = "timestamps-2" };

    private TimestampOperator<long> Timestamps(long? idleAfter = null) =>
        new(_context, static n => n, new SplitWatermarks(5, idleAfter), new Output<long>([_end]), Wiring.Failures(_context, OnError.Fail, _letters)) { Name = "timestamps-2" };

    private static TimestampOperator<long> Timestamps(SubtaskContext context, Remembering<long> end, long? idleAfter = null) =>
        new(context, static n => n, new SplitWatermarks(5, idleAfter), new Output<long>([end]), Wiring.Failures<long>(context)) { Name = "timestamps-2" };

    private static OperatorBlob Saved(Operator from)
    {
        var parts = new SnapshotParts(Wiring.Checkpoint(1));
        from.Snapshot(parts);
        return Assert.Single(parts.Blobs);
    }
}
