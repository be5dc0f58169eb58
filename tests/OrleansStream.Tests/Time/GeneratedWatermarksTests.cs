using OrleansStream.Functions;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Tests.Stages;
using OrleansStream.Time;

namespace OrleansStream.Tests.Time;

/// <summary>Watermarks that a generator gives: punctuated and custom strategies, in the operator that asks them.</summary>
public sealed class GeneratedWatermarksTests
{
    private readonly SubtaskContext _context = Wiring.Context();
    private readonly Remembering<long> _end = new();
    private readonly Remembering<DeadLetter<long>> _letters = new();

    [Fact]
    public void Marks_among_the_records_are_watermarks_behind_what_was_read_with_them()
    {
        var timestamps = Punctuated();
        timestamps.Give((10, 0), (200, 0), (11, 0));
        timestamps.Give((12, 0));
        timestamps.Give((100, 0), (300, 0));

        Assert.Equal(["10@10", "200@200", "11@11", "|200", "12@12", "100@100", "300@300", "|300"], _end.All);
    }

    [Fact]
    public void The_slowest_split_counts_and_one_that_has_given_no_mark_holds_all_back()
    {
        _context.Source = new Splits("a", "b");
        var timestamps = Punctuated();
        timestamps.Give((200, 0));
        _context.CurrentSplit = 1;
        timestamps.Give((13, 0));
        Assert.Empty(_end.Watermarks);
        timestamps.Give((100, 0));

        Assert.Equal([100], _end.Watermarks);
    }

    [Fact]
    public void Times_that_the_source_gave_are_what_a_generator_is_told()
    {
        var told = new List<long>();
        var timestamps = Make(_context, _end, () => new Scripted { Record = (_, timestamp) => { told.Add(timestamp); return null; } }, keepsTimes: true);
        timestamps.Give((1, 100), (2, 50));

        Assert.Equal([100, 50], told);
        Assert.Equal(["1@100", "2@50"], _end.All);
    }

    [Fact]
    public void A_record_at_which_the_generator_throws_goes_to_the_dead_letters_and_its_neighbours_go_on()
    {
        var timestamps = Make(_context, _end, static () => new Scripted { Record = static (n, _) => n == 2 ? throw new FormatException("two") : n }, onError: OnError.DeadLetter, letters: _letters);
        timestamps.Give((1, 0), (2, 0), (3, 0));

        Assert.Equal(["1@1", "3@3", "|3"], _end.All);
        Assert.Equal((2, "FormatException: two"), (Assert.Single(_letters.Values).Record, _letters.Records[0].Value.Error));
    }

    [Fact]
    public void The_end_of_time_is_no_watermark_to_give()
    {
        var timestamps = Make(_context, _end, static () => new Scripted { Record = static (_, _) => long.MaxValue });

        var error = Assert.Throws<FunctionException>(() => timestamps.Give((1, 0)));

        Assert.Contains("is reserved for the end of input", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Time_is_passed_to_generators_once_in_a_period_with_records_or_without()
    {
        var calls = new List<long>();
        var timestamps = Make(_context, _end, () => new Scripted { Periodic = wall => { calls.Add(wall); return wall - 5; } }, period: 200);
        At(0);
        Assert.Equal(200, timestamps.NextTime);
        At(199);
        timestamps.OnTime();
        timestamps.Give((1, 0));
        Assert.Empty(calls);
        At(200);
        timestamps.OnTime();
        At(399);
        timestamps.OnTime();
        At(1000);
        timestamps.Give((2, 0));

        Assert.Equal([200, 1000], calls);
        Assert.Equal(["1@1", "|195", "2@2", "|995"], _end.All);
        Assert.Equal(1200, timestamps.NextTime);
    }

    [Fact]
    public void A_generator_is_not_called_while_its_split_is_idle_nor_after_its_end()
    {
        var splits = new Splits("a", "b", "c");
        _context.Source = splits;
        var calls = 0;
        var timestamps = Make(_context, _end, () => new Scripted { Periodic = wall => { calls++; return wall; } }, period: 200, idleAfter: 300);
        At(0);
        splits.Ended.Add(2);
        Assert.Equal(200, timestamps.NextTime);
        At(200);
        timestamps.OnTime();
        Assert.Equal(2, calls);
        Assert.Equal(300, timestamps.NextTime);
        At(290);
        timestamps.Give((1, 0));
        At(300);
        timestamps.OnTime();
        At(400);
        timestamps.OnTime();
        Assert.Equal(3, calls);
        At(590);
        timestamps.OnTime();
        At(600);
        timestamps.OnTime();
        Assert.Equal(3, calls);
        timestamps.Give((1, 0));
        At(800);
        timestamps.OnTime();
        Assert.Equal(4, calls);
    }

    [Fact]
    public void A_generator_that_throws_as_time_passes_ends_the_attempt_with_the_name_of_its_split()
    {
        _context.Source = new Splits("a");
        var timestamps = Make(_context, _end, static () => new Scripted { Periodic = static _ => throw new FormatException("late") }, period: 200);
        At(0);
        Assert.Equal(200, timestamps.NextTime);
        At(200);

        var error = Assert.Throws<FunctionException>(timestamps.OnTime);

        Assert.EndsWith("split 'a': the function threw FormatException: late", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_factory_without_a_generator_is_refused()
    {
        var timestamps = Make(_context, _end, static () => null!);

        Assert.Contains("returned null", Assert.Throws<InvalidOperationException>(() => timestamps.Give((1, 0))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_watermark_of_each_split_survives_a_restart_and_its_generator_is_told()
    {
        _context.Source = new Splits("a", "b");
        var first = Punctuated();
        first.Give((300, 0));
        _context.CurrentSplit = 1;
        first.Give((200, 0), (7, 0));
        var saved = Saved(first);
        Assert.Equal("watermarks", saved.Name);

        var context = Wiring.Context();
        context.Source = new Splits("b", "c");
        context.Restored = [new RestoredBlob(0, saved)];
        var told = new List<string>();
        var end = new Remembering<long>();
        var second = Make(context, end, () => new Scripted { Record = static (n, _) => n, Restored = watermark => told.Add($"{told.Count}: {watermark}") });
        context.CurrentSplit = 1;
        second.Give((250, 0));

        Assert.Equal(["0: 200"], told);
        Assert.Equal([200], end.Watermarks);
    }

    private void At(long time) => _context.Now = new Clock(time, time);

    private TimestampOperator<long> Punctuated() => Make(_context, _end, static () => new PunctuatedWatermarks<long>(static (n, timestamp) => n % 100 == 0 ? timestamp : null));

    private static TimestampOperator<long> Make(
        SubtaskContext context,
        Remembering<long> end,
        Func<WatermarkGenerator<long>> generator,
        long? period = null,
        long? idleAfter = null,
        OnError onError = OnError.Fail,
        Remembering<DeadLetter<long>>? letters = null,
        bool keepsTimes = false) => new(
        context,
        keepsTimes ? null : static n => n,
        new SplitWatermarks(SplitWatermarks.NoBound, idleAfter),
        new Output<long>([end]),
        letters is null ? Wiring.Failures<long>(context) : Wiring.Failures(context, onError, letters),
        new SplitGenerators<long>(generator, period))
        { Name = "timestamps-2" };

    private static OperatorBlob Saved(Operator from)
    {
        var parts = new SnapshotParts(Wiring.Checkpoint(1));
        from.Snapshot(parts);
        return Assert.Single(parts.Blobs);
    }

    private sealed class Scripted : WatermarkGenerator<long>
    {
        public Func<long, long, long?> Record { get; init; } = static (_, _) => null;

        public Func<long, long?> Periodic { get; init; } = static _ => null;

        public Action<long> Restored { get; init; } = static _ => { };

        public override long? OnRecord(in long record, long timestamp) => Record(record, timestamp);

        public override long? OnPeriodic(long processingTime) => Periodic(processingTime);

        public override void OnRestored(long watermark) => Restored(watermark);
    }
}

/// <summary>The splits of a source that is not there.</summary>
internal sealed class Splits(params string[] names) : ISourceSplits
{
    public HashSet<int> Ended { get; } = [];

    public IReadOnlyList<string> Names => names;

    public string? Position => null;

    public bool IsEnded(int split) => Ended.Contains(split);
}
