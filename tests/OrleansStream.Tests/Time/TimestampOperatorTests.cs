using OrleansStream.Functions;
using OrleansStream.Sources;
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
        second.Give((10, 0));

        Assert.Equal([64], end.Watermarks);
    }

    private TimestampOperator<long> Timestamps(Func<long, long>? select, OnError onError = OnError.Fail) =>
        new(_context, select, new SplitWatermarks(5, null), new Output<long>([_end]), Wiring.Failures(_context, onError, _letters)) { Name = "timestamps-2" };

    private TimestampOperator<long> Timestamps(long? idleAfter = null) =>
        new(_context, static n => n, new SplitWatermarks(5, idleAfter), new Output<long>([_end]), Wiring.Failures(_context, OnError.Fail, _letters)) { Name = "timestamps-2" };

    private static TimestampOperator<long> Timestamps(SubtaskContext context, Remembering<long> end) =>
        new(context, static n => n, new SplitWatermarks(5, null), new Output<long>([end]), Wiring.Failures<long>(context)) { Name = "timestamps-2" };

    private static OperatorBlob Saved(Operator from)
    {
        var parts = new SnapshotParts(Wiring.Checkpoint(1));
        from.Snapshot(parts);
        return Assert.Single(parts.Blobs);
    }

    private sealed class Splits(params string[] names) : ISourceSplits
    {
        public HashSet<int> Ended { get; } = [];

        public IReadOnlyList<string> Names => names;

        public string? Position => null;

        public bool IsEnded(int split) => Ended.Contains(split);
    }
}
