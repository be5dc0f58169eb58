using OrleansStream.Functions;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Tests.Stages;
using OrleansStream.Time;

namespace OrleansStream.Tests.Functions;

public sealed class KeyedOperatorTests
{
    private readonly SubtaskContext _context = Wiring.Context();
    private readonly Remembering<string> _results = new();
    private readonly Remembering<int> _side = new();
    private readonly Remembering<DeadLetter<string>> _letters = new();
    private KeyedScope<string, string>? _scope;

    [Fact]
    public void Each_key_has_state_of_its_own()
    {
        var keyed = Make(static (record, ref context) => context.Emit($"{context.Key}:{context.Update(Script.Count, static n => n + 1)}"));
        keyed.GiveKeyed(Key, ("a1", 1), ("b1", 2), ("a2", 3));

        Assert.Equal(["a:1@1", "b:1@2", "a:2@3"], _results.All);
    }

    [Fact]
    public void A_key_that_was_never_set_has_the_default_of_the_state()
    {
        var keyed = Make(static (_, ref context) => context.Emit($"{context.Get(Script.Limit)} {context.Has(Script.Limit)}"));
        keyed.GiveKeyed(Key, ("a", 1));

        Assert.Equal(["100 False"], _results.Values);
    }

    [Fact]
    public void A_key_without_state_or_timers_takes_no_room()
    {
        var keyed = Make(static (record, ref context) =>
        {
            if (record.EndsWith('+')) context.Set(Script.Count, 1);
            else context.Clear(Script.Count);
        });
        keyed.GiveKeyed(Key, ("a+", 1), ("b", 2));
        Assert.Equal(1, _scope!.Table.KeyCount);
        keyed.GiveKeyed(Key, ("a", 3));

        Assert.Equal(0, _scope.Table.KeyCount);
    }

    [Fact]
    public void Event_timers_fire_in_time_order_when_the_watermark_passes_and_before_it_is_handed_on()
    {
        var keyed = Make(static (record, ref context) => context.RegisterEventTimer(At(record)));
        keyed.GiveKeyed(Key, ("a30", 0), ("b10", 0), ("a20", 0), ("a20", 0));
        keyed.OnWatermark(9);
        keyed.OnWatermark(20);
        keyed.OnWatermark(30);

        Assert.Equal(["|9", "timer b@10", "timer a@20", "|20", "timer a@30", "|30"], _results.All);
    }

    [Fact]
    public void A_deleted_timer_does_not_fire()
    {
        var keyed = Make(static (record, ref context) =>
        {
            if (record[1] == '-') context.DeleteEventTimer(At(record.Replace("-", "", StringComparison.Ordinal)));
            else context.RegisterEventTimer(At(record));
        });
        keyed.GiveKeyed(Key, ("a10", 0), ("b10", 0), ("a-10", 0));
        keyed.OnWatermark(EventTime.End - 1);

        Assert.Equal(["timer b"], _results.Values);
        Assert.Equal(0, _scope!.Table.KeyCount);
    }

    [Fact]
    public void A_timer_in_the_past_fires_with_the_next_watermark()
    {
        var keyed = Make(static (record, ref context) => context.RegisterEventTimer(At(record)));
        keyed.OnWatermark(100);
        keyed.GiveKeyed(Key, ("a50", 0));
        Assert.Empty(_results.Values);
        keyed.OnWatermark(101);

        Assert.Equal(["|100", "timer a@50", "|101"], _results.All);
    }

    [Fact]
    public void A_timer_that_is_set_in_a_timer_fires_with_the_same_watermark_when_that_has_passed_it()
    {
        var keyed = Make(
            static (record, ref context) => context.RegisterEventTimer(At(record)),
            static (at, ref context) =>
            {
                context.Emit($"timer {context.Key}");
                if (at < 50) context.RegisterEventTimer(at + 10);
            });
        keyed.GiveKeyed(Key, ("a20", 0));
        keyed.OnWatermark(45);
        Assert.Equal(["timer a@20", "timer a@30", "timer a@40", "|45"], _results.All);
        keyed.OnWatermark(60);

        Assert.Equal(["timer a@50", "|60"], _results.All[4..]);
    }

    [Fact]
    public void Processing_timers_follow_the_clock_and_not_the_watermark()
    {
        _context.Now = new Clock(1000, 0);
        var keyed = Make(static (record, ref context) => context.RegisterProcessingTimer(context.ProcessingTime + At(record)));
        keyed.GiveKeyed(Key, ("a50", 0));
        Assert.Equal(1050, keyed.NextTime);
        keyed.OnWatermark(1_000_000);
        keyed.OnTime();
        Assert.Empty(_results.Values);
        _context.Now = new Clock(1050, 50);
        keyed.OnTime();

        Assert.Equal("processing a@1050", _results.All[^1]);
        Assert.Null(keyed.NextTime);
    }

    [Fact]
    public void Without_room_timers_pause_and_go_on_without_loss()
    {
        var channel = Wiring.Output(window: 1);
        channel.Enqueue(null);
        _context.Outputs.Add(channel);
        var keyed = Make(static (record, ref context) => context.RegisterEventTimer(At(record)));
        keyed.GiveKeyed(Key, ("a10", 0), ("a20", 0), ("b10", 0));
        keyed.OnWatermark(100);
        Assert.True(keyed.HasPending);
        Assert.Single(_results.All);
        channel.TakeAll();
        channel.Credit(1);
        keyed.Resume();

        Assert.False(keyed.HasPending);
        Assert.Equal(3, _results.Records.Count);
        Assert.Equal("|100", _results.All[^1]);
    }

    [Fact]
    public void A_record_that_fails_leaves_state_timers_and_outputs_as_they_were()
    {
        var keyed = Make(Script.Everything, onError: OnError.DeadLetter);
        keyed.GiveKeyed(Key, ("a1", 1));
        var before = Describe("a");
        _results.All.Clear();
        _side.All.Clear();

        keyed.GiveKeyed(Key, ("a2!", 2));

        Assert.Equal(before, Describe("a"));
        Assert.Empty(_results.All);
        Assert.Empty(_side.All);
        var letter = Assert.Single(_letters.Values);
        Assert.Equal(("score", "a2!", 2L, "a", "FormatException: a2!"), (letter.Operator, letter.Record, letter.Timestamp, letter.Key, letter.Error));
        keyed.OnWatermark(EventTime.End - 1);
        Assert.Equal(["timer a@1001"], _results.All.Where(static line => line[0] != '|'));
    }

    [Fact]
    public void The_first_record_of_a_key_that_fails_leaves_no_key_behind()
    {
        var keyed = Make(Script.Everything, onError: OnError.DeadLetter);
        keyed.GiveKeyed(Key, ("a2!", 2));

        Assert.Equal(0, _scope!.Table.KeyCount);
        keyed.OnWatermark(EventTime.End - 1);
        Assert.Empty(_results.Values);
    }

    [Fact]
    public void With_dead_letters_records_that_succeed_have_all_their_effects()
    {
        var keyed = Make(Script.Everything, onError: OnError.DeadLetter);
        keyed.GiveKeyed(Key, ("a1", 1), ("b2!", 2), ("a3", 3));

        Assert.Equal("2|1,3|a1=1,a3=3", Describe("a"));
        Assert.Equal(["a1@1", "a3@3"], _results.All);
        Assert.Equal([1, 3], _side.Values);
    }

    [Fact]
    public void A_function_that_throws_ends_the_attempt_with_job_stage_key_and_time()
    {
        var keyed = Make(Script.Everything);

        var error = Assert.Throws<FunctionException>(() => keyed.GiveKeyed(Key, ("a2!", 2)));

        Assert.Contains("Job 'payments', stage 'score', operator 'score', subtask 0, key 'a', event time 1970-01-01T00:00:00.002Z", error.Message, StringComparison.Ordinal);
        Assert.IsType<FormatException>(error.InnerException);
    }

    [Theory]
    [InlineData(OnError.Fail)]
    [InlineData(OnError.DeadLetter)]
    public void A_timer_that_throws_ends_the_attempt_because_it_has_no_record(OnError onError)
    {
        var keyed = Make(static (record, ref context) => context.RegisterEventTimer(At(record)), static (_, ref _) => throw new FormatException("late"), onError);
        keyed.GiveKeyed(Key, ("a10", 0));

        var error = Assert.Throws<FunctionException>(() => keyed.OnWatermark(10));

        Assert.Contains("key 'a': the event-time timer of 1970-01-01T00:00:00.010Z threw FormatException: late", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void State_that_was_not_declared_is_named()
    {
        var keyed = Make(static (_, ref context) => context.Set(new ValueState<int>("forgotten"), 1));

        var error = Assert.Throws<FunctionException>(() => keyed.GiveKeyed(Key, ("a", 1)));

        Assert.Contains("uses state 'forgotten' that its function does not declare", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OnError.Fail)]
    [InlineData(OnError.DeadLetter)]
    public void A_side_output_of_another_type_is_the_functions_fault(OnError onError)
    {
        var keyed = Make(static (_, ref context) => context.Emit(new SideOutput<string>(Script.Side.Name), "text"), onError: onError);

        if (onError == OnError.Fail)
        {
            Assert.Contains("has a side output 'side' of another type than String", Assert.Throws<FunctionException>(() => keyed.GiveKeyed(Key, ("a", 1))).Message, StringComparison.Ordinal);
        }
        else
        {
            keyed.GiveKeyed(Key, ("a", 1));
            Assert.Contains("has a side output 'side' of another type than String", Assert.Single(_letters.Values).Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_side_output_that_nobody_reads_is_not_written()
    {
        var keyed = Make(static (_, ref context) => context.Emit(new SideOutput<string>("unread"), "text"), onError: OnError.DeadLetter);
        keyed.GiveKeyed(Key, ("a", 1));

        Assert.Empty(_letters.Values);
    }

    [Fact]
    public async Task The_watermark_is_known_again_after_a_restart()
    {
        _context.FormerWatermarks = [new FormerWatermark(_context.Groups, 77)];
        var keyed = Make(static (_, ref context) => context.Emit($"{context.Watermark}"));
        await keyed.OpenAsync(TestContext.Current.CancellationToken);
        keyed.GiveKeyed(Key, ("a", 1));

        Assert.Equal(["77"], _results.Values);
    }

    [Fact]
    public async Task Timers_between_the_watermarks_of_two_former_subtasks_fire_at_once()
    {
        var keyed = Make(static (record, ref context) => context.RegisterEventTimer(At(record)));
        keyed.GiveKeyed(Key, ("a60", 0), ("b80", 0));
        _context.FormerWatermarks = [new FormerWatermark(new KeyGroupRange(0, 64), 50), new FormerWatermark(new KeyGroupRange(64, 128), 77)];
        await keyed.OpenAsync(TestContext.Current.CancellationToken);

        Assert.True(keyed.HasPending);
        keyed.Resume();
        Assert.Equal(["timer a@60", "|77"], _results.All);
        Assert.False(keyed.HasPending);
    }

    private static string Key(string record) => record[..1];

    private static long At(string record) => long.Parse(record.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The key's value, list and map.</summary>
    private string Describe(string key)
    {
        var slot = _scope!.Table.GetOrAddSlot(key, KeyCodec<string>.Default.Hash(key));
        var map = _scope.Column<MapColumn<string, int>>(Script.Seen).Entries(slot).Select(static entry => $"{entry.Key}={entry.Value}").Order();
        return $"{_scope.Column<ValueColumn<int>>(Script.Count).Get(slot)}|{string.Join(',', _scope.Column<ListColumn<int>>(Script.Amounts).Items(slot).ToArray())}|{string.Join(',', map)}";
    }

    private KeyedOperator<string, string, string> Make(Script.Step process, Script.Timer? timer = null, OnError onError = OnError.Fail)
    {
        var sides = new Dictionary<string, ISideOutput> { [Script.Side.Name] = new SideOutputTarget<int>(new Output<int>([_side])) };
        var script = new Script(process, timer);
        _scope = new KeyedScope<string, string>("score", _context, script.States, new Output<string>([_results]), sides, undo: onError == OnError.DeadLetter);
        return new KeyedOperator<string, string, string>(_context, Key, script, _scope, Wiring.Failures(_context, onError, _letters)) { Name = "score" };
    }
}

/// <summary>A keyed function written in its test.</summary>
internal sealed class Script(Script.Step process, Script.Timer? timer) : KeyedFunction<string, string, string>
{
    public static readonly ValueState<int> Count = new("count");
    public static readonly ValueState<int> Limit = new("limit") { Default = 100 };
    public static readonly ListState<int> Amounts = new("amounts");
    public static readonly MapState<string, int> Seen = new("seen");
    public static readonly SideOutput<int> Side = new("side");

    public delegate void Step(string record, ref KeyedContext<string, string> context);

    public delegate void Timer(long at, ref KeyedContext<string, string> context);

    public override IReadOnlyList<StateDeclaration> States => [Count, Limit, Amounts, Seen];

    public override void Process(in string record, ref KeyedContext<string, string> context) => process(record, ref context);

    public override void OnEventTimer(long timestamp, ref KeyedContext<string, string> context)
    {
        if (timer is null) context.Emit($"timer {context.Key}");
        else timer(timestamp, ref context);
    }

    public override void OnProcessingTimer(long timestamp, ref KeyedContext<string, string> context) => context.Emit($"processing {context.Key}");

    /// <summary>Touches every kind of state, timers and outputs, and then fails where the record ends in an exclamation mark.</summary>
    public static void Everything(string record, ref KeyedContext<string, string> context)
    {
        var number = record[1] - '0';
        context.Update(Count, static n => n + 1);
        if (record.EndsWith('!'))
        {
            context.Clear(Count);
            context.Replace(Amounts, [7, 8]);
            context.Clear(Amounts);
            context.Clear(Seen);
            context.DeleteEventTimer(1001);
            context.RegisterEventTimer(1001);
            context.DeleteEventTimer(1001);
            context.RegisterProcessingTimer(5);
        }

        context.Add(Amounts, number);
        context.Set(Seen, record, number);
        context.Set(Seen, "a1", context.Count(Seen) == 1 ? number : 1);
        if (context.Key == "a" && number == 1) context.RegisterEventTimer(1001);
        else if (record.EndsWith('!')) context.RegisterEventTimer(2002);
        if (record.EndsWith('!')) context.Remove(Seen, record);
        context.Emit(record);
        context.Emit(Side, number);
        if (record.EndsWith('!')) throw new FormatException(record);
    }
}
