using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Tests.Stages;
using OrleansStream.Tests.State;
using OrleansStream.Time;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

public sealed class WindowOperatorTests
{
    private readonly SubtaskContext _context = Wiring.Context();
    private readonly Remembering<WindowResult<string, long>> _results = new();
    private readonly Remembering<string> _late = new();
    private readonly Remembering<DeadLetter<string>> _letters = new();

    [Fact]
    public void A_window_fires_when_the_watermark_reaches_its_last_millisecond_and_not_before()
    {
        var windows = Make();
        windows.GiveKeyed(Key, ("a1", 0), ("a2", 999), ("a4", 1000));
        windows.OnWatermark(998);
        Assert.Empty(_results.Records);
        windows.OnWatermark(999);

        Assert.Equal([("a", 0L, 1000L, 3L, 999L)], Fired());
        Assert.Equal([998, 999], _results.Watermarks);
    }

    [Fact]
    public void Results_leave_before_the_watermark_that_made_them()
    {
        var windows = Make();
        windows.GiveKeyed(Key, ("a1", 0), ("b2", 5));
        windows.OnWatermark(2000);

        Assert.Equal("|2000", _results.All[^1]);
        Assert.Equal(3, _results.All.Count);
    }

    [Fact]
    public void The_end_of_time_fires_everything_in_time_order()
    {
        var windows = Make();
        windows.GiveKeyed(Key, ("a1", 5000), ("b2", 100), ("a4", 200));
        windows.OnWatermark(EventTime.End);

        Assert.Equal([("b", 0, 1000, 2, 999), ("a", 0, 1000, 4, 999), ("a", 5000, 6000, 1, 5999)], Fired());
    }

    [Fact]
    public void A_record_whose_window_is_gone_is_late_counted_and_changes_nothing()
    {
        var windows = Make();
        windows.GiveKeyed(Key, ("a1", 500));
        windows.OnWatermark(999);
        windows.GiveKeyed(Key, ("a2", 999), ("a4", 1000));
        windows.OnWatermark(EventTime.End);

        Assert.Equal(["a2@999"], _late.All.Where(static line => line[0] != '|'));
        Assert.Equal(1, _context.Counters.LateRecords);
        Assert.Equal([("a", 0, 1000, 1, 999), ("a", 1000, 2000, 4, 1999)], Fired());
    }

    [Fact]
    public void A_late_record_is_late_even_when_its_key_never_had_the_window()
    {
        var windows = Make();
        windows.OnWatermark(999);
        windows.GiveKeyed(Key, ("z1", 0));
        windows.OnWatermark(EventTime.End);

        Assert.Empty(_results.Records);
        Assert.Equal(["z1"], _late.Values);
    }

    [Fact]
    public void Within_the_allowed_lateness_each_record_fires_its_window_again_with_the_new_result()
    {
        var windows = Make(lateness: 500);
        windows.GiveKeyed(Key, ("a1", 0));
        windows.OnWatermark(999);
        windows.GiveKeyed(Key, ("a2", 1));
        windows.OnWatermark(1498);
        windows.GiveKeyed(Key, ("a4", 2));

        Assert.Equal([1, 3, 7], Fired().Select(static result => result.Value));
        windows.OnWatermark(1499);
        windows.GiveKeyed(Key, ("a9", 3));
        windows.OnWatermark(EventTime.End);

        Assert.Equal([1, 3, 7], Fired().Select(static result => result.Value));
        Assert.Equal(["a9"], _late.Values);
    }

    [Fact]
    public void A_window_that_is_opened_late_fires_at_once_and_is_gone_in_time()
    {
        var windows = Make(lateness: 500);
        windows.OnWatermark(1200);
        windows.GiveKeyed(Key, ("a1", 0));
        Assert.Equal([("a", 0, 1000, 1, 999)], Fired());
        windows.OnWatermark(1300);
        windows.GiveKeyed(Key, ("a2", 1));
        windows.OnWatermark(1499);
        windows.OnWatermark(EventTime.End);

        Assert.Equal([1, 3], Fired().Select(static result => result.Value));
    }

    [Theory]
    [InlineData(long.MaxValue - 1)]
    [InlineData(long.MinValue + 1)]
    public void At_the_ends_of_time_a_window_fires_once_and_its_span_does_not_wrap(long timestamp)
    {
        var windows = Make();
        windows.GiveKeyed(Key, ("a1", timestamp));
        windows.OnWatermark(EventTime.End);

        var window = Assert.Single(_results.Values).Window;
        Assert.True(window.Start <= timestamp && timestamp < window.End, $"{window.Start} to {window.End} does not hold {timestamp}");
    }

    [Fact]
    public void Without_room_firing_pauses_and_goes_on_without_loss_and_the_watermark_comes_last()
    {
        var channel = Wiring.Output(window: 1);
        _context.Outputs.Add(channel);
        channel.Enqueue(null);
        var windows = Make();
        windows.GiveKeyed(Key, ("a1", 0), ("b2", 0), ("c4", 0));

        windows.OnWatermark(1000);
        Assert.True(windows.HasPending);
        Assert.Single(_results.Records);
        Assert.Empty(_results.Watermarks);
        channel.TakeAll();
        channel.Credit(1);
        windows.Resume();

        Assert.False(windows.HasPending);
        Assert.Equal(["a", "b", "c"], _results.Values.Select(static result => result.Key));
        Assert.Equal([1000], _results.Watermarks);
    }

    [Fact]
    public void A_record_at_which_the_fold_throws_leaves_nothing_behind()
    {
        var windows = Make(onError: OnError.DeadLetter);
        windows.GiveKeyed(Key, ("a1", 0), ("ax", 1), ("bx", 2), ("a2", 3));
        Assert.Equal(1, Assert.IsType<WindowTable<string, long>>(Assert.Single(_context.State.Parts)).Count);
        windows.OnWatermark(EventTime.End);

        Assert.Equal([("a", 3L)], Fired().Select(static result => (result.Key, result.Value)));
        Assert.Equal(["ax", "bx"], _letters.Values.Select(static letter => letter.Record));
        Assert.All(_letters.Values, static letter => Assert.Equal(letter.Record[..1], letter.Key));
    }

    [Fact]
    public void A_fold_that_throws_ends_the_attempt_unless_told_otherwise()
    {
        var windows = Make();

        var error = Assert.Throws<FunctionException>(() => windows.GiveKeyed(Key, ("a1", 0), ("bx", 1)));

        Assert.Contains("key 'b', event time 1970-01-01T00:00:00.001Z", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_that_cannot_be_made_ends_the_attempt_and_names_the_window()
    {
        var windows = Make(onError: OnError.DeadLetter, result: static _ => throw new DivideByZeroException());
        windows.GiveKeyed(Key, ("a1", 0));

        var error = Assert.Throws<FunctionException>(() => windows.OnWatermark(1000));

        Assert.Contains("key 'a', window from 1970-01-01T00:00:00.000Z", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Disorder_within_the_watermark_gives_the_windows_of_a_plain_loop()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var results = new Remembering<WindowResult<string, long>>();
            var windows = Make(context: Wiring.Context(), results: results);
            var expected = new Dictionary<(string, long), long>();
            var watermark = 0L;
            for (var step = 0; step < 200; step++)
            {
                var record = $"{(char)('a' + random.Next(5))}{random.Next(1, 10)}";
                var at = watermark + 1 + random.Next(5000);
                windows.GiveKeyed(Key, (record, at));
                var window = (Key(record), at / 1000 * 1000);
                expected[window] = expected.GetValueOrDefault(window) + Amount(record);
                if (random.Next(5) == 0) windows.OnWatermark(watermark += random.Next(3000));
            }

            windows.OnWatermark(EventTime.End);
            Assert.Equal(expected.Count, results.Records.Count);
            Assert.Equal(expected, results.Values.ToDictionary(static result => (result.Key, result.Window.Start), static result => result.Value));
        }
    }

    [Fact]
    public async Task What_came_due_between_the_watermarks_of_two_former_subtasks_fires_at_once_and_what_had_fired_does_not()
    {
        var store = new SegmentStore();
        var slow = await SaveAsync(0, watermark: 100);
        var fast = await SaveAsync(1, watermark: 1200);
        var windows = Make(lateness: 500);
        await _context.State.RestoreAsync(store, [slow.Chain, fast.Chain], TestContext.Current.CancellationToken);
        _context.FormerWatermarks = [new FormerWatermark(slow.Chain.FormerGroups, 100), new FormerWatermark(fast.Chain.FormerGroups, 1200)];
        await windows.OpenAsync(TestContext.Current.CancellationToken);

        Assert.True(windows.HasPending);
        windows.Resume();
        Assert.Equal([(slow.Key, 0, 1000, 1, 999)], Fired());
        windows.OnWatermark(EventTime.End);
        Assert.Single(_results.Records);

        async Task<(string Key, SegmentChain Chain)> SaveAsync(int index, long watermark)
        {
            var context = Wiring.Context(new SubtaskId(1, index), parallelism: 2);
            var key = Enumerable.Range('a', 26).Select(static c => $"{(char)c}").First(key => context.Groups.Contains(KeyGroups.Of(KeyCodec<string>.Default.Hash(key), 128)));
            var former = Make(lateness: 500, context: context, results: new Remembering<WindowResult<string, long>>());
            former.GiveKeyed(Key, ($"{key}1", 0));
            former.OnWatermark(watermark);
            var segment = context.State.Freeze(Wiring.Checkpoint(1), full: true, []).Encode();
            return (key, new SegmentChain(index, context.Groups, [store.Put($"segment-{index}", segment)]));
        }
    }

    private static string Key(string record) => record[..1];

    private static long Amount(string record) => long.Parse(record.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);

    private IEnumerable<(string Key, long Start, long End, long Value, long At)> Fired() =>
        _results.Records.Select(static record => (record.Value.Key, record.Value.Window.Start, record.Value.Window.End, record.Value.Value, record.At));

    private WindowOperator<string, string, long, long> Make(
        int lateness = 0, OnError onError = OnError.Fail, Func<long, long>? result = null, SubtaskContext? context = null, Remembering<WindowResult<string, long>>? results = null) => new(
        "window",
        context ?? _context,
        Key,
        TumblingWindows.Of(TimeSpan.FromSeconds(1)),
        TimeSpan.FromMilliseconds(lateness),
        new LambdaAggregate<string, long, long>(0, static (sum, record) => sum + Amount(record), result ?? (static sum => sum)),
        new Output<WindowResult<string, long>>([results ?? _results]),
        new Output<string>([_late]),
        Wiring.Failures(context ?? _context, onError, _letters))
        { Name = "window" };
}
