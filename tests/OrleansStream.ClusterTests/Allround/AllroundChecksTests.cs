using OrleansStream.Functions;
using OrleansStream.Silo.Jobs.Allround;
using OrleansStream.State;
using OrleansStream.Testing;
using OrleansStream.Windows;

namespace OrleansStream.ClusterTests.Allround;

/// <summary>Each check of the job is given what it must not let pass.</summary>
public sealed class AllroundChecksTests
{
    private static readonly AllroundPlan Plan = new(Events: 200, Keys: 7, StateBytes: 50);

    public static TheoryData<string, string> BadRecords => new()
    {
        { "lost", "expected record 5, saw record 6 (one was lost, or out of order)" },
        { "doubled", "expected record 6, saw record 5 (doubled, or out of order)" },
        { "swapped", "expected record 5, saw record 6 (one was lost, or out of order)" },
        { "last lost", "expected 29 records by the end of input, saw 28" },
        { "at another time", $"expected record 5 at {AllroundPlan.TimeOf(3, 5)}, saw it at {AllroundPlan.TimeOf(3, 5) + 1}" },
    };

    [Theory]
    [MemberData(nameof(BadRecords))]
    public async Task A_record_that_is_lost_or_doubled_or_out_of_order_is_a_violation(string fault, string saying)
    {
        var violation = await ViolationOfAsync(Beats(fault));

        Assert.StartsWith("Violation: check 'sequence', key 3: ", violation, StringComparison.Ordinal);
        Assert.Contains(saying, violation, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Records_that_are_as_they_must_be_give_the_summary_after_restores_too(int parallelism)
    {
        var input = new TestInput<Beat>();
        var records = new TestOutput<Beat>();
        var summary = new TestOutput<Summary>();
        await using var harness = await JobHarness.StartAsync(graph => AllroundJob.Define(graph.From("beats", input), Plan, records, summary), new HarnessOptions { Parallelism = parallelism });

        for (var n = 0; n < Plan.Events; n++)
        {
            input.Add(Plan.BeatOf(n), AllroundPlan.TimeOf(Plan.BeatOf(n)));
            if (n % 50 == 20) await harness.RestoreAsync(1 + n / 50 % 3);
            if (n % 50 == 40) await harness.CrashAsync();
        }

        input.End();
        await harness.RunAsync();

        Assert.Equal([Plan.Summary], summary.Values);
        Assert.Equal(Enumerable.Range(0, 200).Select(static n => Plan.BeatOf(n)).OrderBy(static beat => beat.Key), records.Values.OrderBy(static beat => beat.Key));
    }

    [Fact]
    public async Task A_key_without_any_record_is_a_violation()
    {
        var violation = await ViolationOfAsync(Beats().Where(static record => record.Beat.Key != 3));

        Assert.StartsWith("Violation: check '", violation, StringComparison.Ordinal);
    }

    public static TheoryData<string, string, string> BadWindows
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var check in (string[])[Checks.Tumbling, Checks.Sliding, Checks.Sessions])
            {
                data.Add(check, "lost", "expected window 2 to be");
                data.Add(check, "doubled", "expected window 3 to be");
                data.Add(check, "swapped", "expected window 2 to be");
                data.Add(check, "last lost", $"expected {Count(check)(3)} windows by the end of input, saw {Count(check)(3) - 1}");
                data.Add(check, "one more", $"expected no window after the {Count(check)(3)} there are");
                data.Add(check, "other content", "expected window 2 to be");
                data.Add(check, "other bounds", "expected window 2 to be");
                data.Add(check, "fired late", "fired Late");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(BadWindows))]
    public async Task A_window_that_is_lost_or_doubled_or_wrong_is_a_violation(string check, string fault, string saying)
    {
        var windows = Enumerable.Range(0, (int)Count(check)(3)).Select(i => Window(check)(3, i)).ToList();
        Apply(fault, windows, at: 1);
        if (fault == "one more") windows.Add(windows[^1]);
        if (fault == "other content") windows[1] = windows[1] with { Value = windows[1].Value with { Sum = windows[1].Value.Sum + 1 } };
        if (fault == "other bounds") windows[1] = windows[1] with { Window = new TimeWindow(windows[1].Window.Start, windows[1].Window.End + 1) };
        if (fault == "fired late") windows[1] = windows[1] with { Firing = WindowFiring.Late };

        var violation = await ViolationOfAsync(windows, static result => result.Key, () => new WindowCheck(check, Count(check), Window(check)));

        Assert.StartsWith($"Violation: check '{check}', key 3: ", violation, StringComparison.Ordinal);
        Assert.Contains(saying, violation, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> BadTimers => new()
    {
        { "lost", $"expected timer 5 of {AllroundPlan.TimerOf(3, 5)}, saw one of {AllroundPlan.TimerOf(3, 6)}" },
        { "lost before a pause", $"expected timer 10 to have fired at {AllroundPlan.TimerOf(3, 10)}, saw it missing" },
        { "last lost", "expected 29 timers by the end of input, saw 28" },
        { "twice", $"expected timer 6 of {AllroundPlan.TimerOf(3, 6)}, saw one of {AllroundPlan.TimerOf(3, 5)}" },
        { "too many", "expected no timer, as all 29 have fired" },
    };

    [Theory]
    [MemberData(nameof(BadTimers))]
    public async Task A_timer_that_is_lost_or_fires_twice_is_a_violation(string fault, string saying)
    {
        var violation = await ViolationOfAsync(Beats().Where(static record => record.Beat.Key == 3), static beat => beat.Key, () => new UnreliableTimers(new TimerCheck(Plan), fault));

        Assert.StartsWith("Violation: check 'timers', key 3: ", violation, StringComparison.Ordinal);
        Assert.Contains(saying, violation, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> BadTransfers => new()
    {
        { "lost", "saw " },
        { "doubled", "saw " },
        { "swapped", "saw " },
        { "last lost", "transfers received by the end of input" },
        { "other amount", "saw 9 from key" },
    };

    [Theory]
    [MemberData(nameof(BadTransfers))]
    public async Task A_transfer_that_is_lost_or_doubled_or_changed_is_a_violation(string fault, string saying)
    {
        var transfers = Beats().Select(static record => Plan.TransferOf(record.Beat)).Where(static transfer => transfer.To == 3).ToList();
        // Of one route, for there is no order between routes.
        var route = transfers.Where(static transfer => transfer.Route == 2).ToList();
        transfers.RemoveAll(static transfer => transfer.Route == 2);
        Apply(fault, route, at: 1);
        if (fault == "other amount") route[1] = route[1] with { Amount = 9 };

        var violation = await ViolationOfAsync(transfers.Concat(route), static transfer => transfer.To, static () => new CreditCheck(Plan));

        Assert.StartsWith("Violation: check 'credits', key 3: ", violation, StringComparison.Ordinal);
        Assert.Contains(saying, violation, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(BadRecords))]
    public async Task A_record_that_fails_to_come_once_and_in_order_to_its_payer_or_to_a_timer_is_a_violation(string fault, string saying)
    {
        if (fault == "at another time") return;
        var ofKey = Beats(fault).Where(static record => record.Beat.Key == 3).ToList();

        var ofPayer = await ViolationOfAsync(ofKey, static beat => beat.Key, static () => new DebitCheck(Plan));
        var ofTimer = await ViolationOfAsync(ofKey, static beat => beat.Key, static () => new TimerCheck(Plan));

        Assert.StartsWith("Violation: check 'debits', key 3: expected ", ofPayer, StringComparison.Ordinal);
        Assert.StartsWith("Violation: check 'timers', key 3: expected ", ofTimer, StringComparison.Ordinal);
        if (fault == "last lost") return;
        Assert.Contains(saying, ofPayer, StringComparison.Ordinal);
        Assert.Contains(saying, ofTimer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lost", "expected record 5, saw record 6")]
    [InlineData("doubled", "expected record 6, saw record 5")]
    [InlineData("swapped", "expected record 5, saw record 6")]
    [InlineData("last lost", "expected 29 records by the end of input, saw 28")]
    public async Task A_record_that_fails_to_come_by_one_of_two_ways_is_a_violation(string fault, string saying)
    {
        foreach (var (ofFirst, ofSecond, input) in ((string, string, string)[])[(fault, "", "first"), ("", fault, "second")])
        {
            var first = new TestInput<Beat>();
            var second = new TestInput<Beat>();
            await using var harness = await JobHarness.StartAsync(graph => graph.From("first", first).KeyBy(static beat => beat.Key)
                .Connect(graph.From("second", second).KeyBy(static beat => beat.Key))
                .Process("met", static _ => new MeetingCheck(Plan)).To("records", new TestOutput<Beat>()));
            foreach (var (beat, time) in Beats(ofFirst)) first.Add(beat, time);
            foreach (var (beat, time) in Beats(ofSecond)) second.Add(beat, time);
            first.End();
            second.End();

            var violation = await Assert.ThrowsAsync<ViolationException>(harness.RunAsync);
            Assert.StartsWith($"Violation: check 'two-inputs, {input} input', key 3: {saying}", violation.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Reports_that_are_missing_or_add_up_to_something_else_are_violations()
    {
        var reports = new List<Report>();
        for (var key = 0L; key < Plan.Keys; key++)
        {
            var records = Plan.RecordsOf(key);
            reports.AddRange(
            [
                new(Checks.Sequence, key, records), new(Checks.Tumbling, key, Plan.TumblingCount(key)), new(Checks.Sliding, key, Plan.SlidingCount(key)), new(Checks.Sessions, key, Plan.SessionCount(key)),
                new(Checks.TwoInputs, key, records), new(Checks.Timers, key, records), new(Checks.Debits, key, records, AllroundPlan.Opening - AllroundPlan.PaidBy(records)),
                new(Checks.Credits, key, Plan.ReceivedCount(key), Plan.Received(key)),
            ]);
        }

        foreach (var check in Checks.All)
        {
            Assert.Equal(
                $"Violation: check '{check}': expected 7 keys by the end of input, saw 6.",
                await ViolationOfAsync(reports.Where(report => report != reports.Last(other => other.Check == check)), static _ => 0, static () => new SummaryCheck(Plan)));
        }

        var last = reports[^1];
        var richer = await ViolationOfAsync(reports.SkipLast(1).Append(last with { Balance = last.Balance + 1 }), static _ => 0, static () => new SummaryCheck(Plan));
        Assert.Contains("Balance = 7000", richer, StringComparison.Ordinal);
        Assert.Contains("Balance = 7001", richer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task State_that_comes_back_as_something_else_is_a_violation()
    {
        // What was kept for the first records is of another length than what the job now wants.
        var input = new TestInput<Beat>();
        var bytes = 50;
        await using var harness = await JobHarness.StartAsync(graph => graph.From("beats", input).KeyBy(static beat => beat.Key)
            .Process("check", _ => new SequenceCheck(Plan with { StateBytes = bytes })).To("out", new TestOutput<Beat>()));
        foreach (var (beat, time) in Beats()) input.Add(beat, time);
        bytes = 51;
        await harness.RestoreAsync();
        input.End();

        var violation = await Assert.ThrowsAsync<ViolationException>(harness.RunAsync);
        Assert.Contains("expected state of 51 times '", violation.Message, StringComparison.Ordinal);
        Assert.Contains("saw 50 characters", violation.Message, StringComparison.Ordinal);
    }

    private static Func<long, long> Count(string check) => check switch { Checks.Tumbling => Plan.TumblingCount, Checks.Sliding => Plan.SlidingCount, _ => Plan.SessionCount };

    private static Func<long, long, WindowResult<long, BeatSpan>> Window(string check) => check switch { Checks.Tumbling => Plan.Tumbling, Checks.Sliding => Plan.Sliding, _ => Plan.Session };

    /// <summary>All records, with a fault at the fifth or the last of key 3.</summary>
    private static List<(Beat Beat, long Time)> Beats(string fault = "")
    {
        var beats = Enumerable.Range(0, (int)Plan.Events).Select(static n => Plan.BeatOf(n)).ToList();
        var ofKey = beats.Where(static beat => beat.Key == 3).Select(static beat => (Beat: beat, Time: AllroundPlan.TimeOf(beat))).ToList();
        Apply(fault, ofKey, at: 4);
        if (fault == "at another time") ofKey[4] = (ofKey[4].Beat, ofKey[4].Time + 1);
        return [.. beats.Where(static beat => beat.Key != 3).Select(static beat => (Beat: beat, Time: AllroundPlan.TimeOf(beat))), .. ofKey];
    }

    private static void Apply<T>(string fault, List<T> items, int at)
    {
        if (fault == "lost") items.RemoveAt(at);
        if (fault == "doubled") items.Insert(at, items[at]);
        if (fault == "swapped") (items[at], items[at + 1]) = (items[at + 1], items[at]);
        if (fault == "last lost") items.RemoveAt(items.Count - 1);
    }

    private static async Task<string> ViolationOfAsync(IEnumerable<(Beat Beat, long Time)> beats)
    {
        var input = new TestInput<Beat>();
        await using var harness = await JobHarness.StartAsync(graph => AllroundJob.Define(graph.From("beats", input), Plan, new TestOutput<Beat>(), new TestOutput<Summary>()));
        foreach (var (beat, time) in beats) input.Add(beat, time);
        input.End();
        return (await Assert.ThrowsAsync<ViolationException>(harness.RunAsync)).Message;
    }

    private static Task<string> ViolationOfAsync<TOut>(IEnumerable<(Beat Beat, long Time)> beats, Func<Beat, long> key, Func<KeyedFunction<long, Beat, TOut>> check) =>
        ViolationOfAsync(beats.Select(static record => (record.Beat, (long?)record.Time)), key, check);

    private static Task<string> ViolationOfAsync<TKey, T, TOut>(IEnumerable<T> records, Func<T, TKey> key, Func<KeyedFunction<TKey, T, TOut>> check)
        where TKey : notnull => ViolationOfAsync(records.Select(static record => (record, (long?)null)), key, check);

    /// <summary>What a check says of records that come one by one, each with a watermark just behind it, and then end.</summary>
    private static async Task<string> ViolationOfAsync<TKey, T, TOut>(IEnumerable<(T Record, long? Time)> records, Func<T, TKey> key, Func<KeyedFunction<TKey, T, TOut>> check)
        where TKey : notnull
    {
        var input = new TestInput<T>();
        await using var harness = await JobHarness.StartAsync(graph => graph.From("records", input).KeyBy(key).Process("check", _ => check()).To("out", new TestOutput<TOut>()));
        foreach (var (record, time) in records)
        {
            input.Add(record, time ?? 0);
            if (time is { } at) input.Watermark(at - 1);
        }

        input.End();
        return (await Assert.ThrowsAsync<ViolationException>(harness.RunAsync)).Message;
    }

    /// <summary>Passes everything on to a function but its timers as they come: a fault in the engine's timers.</summary>
    private sealed class UnreliableTimers(TimerCheck check, string fault) : KeyedFunction<long, Beat, Report>
    {
        public override IReadOnlyList<StateDeclaration> States => check.States;

        public override void Process(in Beat record, ref KeyedContext<long, Report> context) => check.Process(record, ref context);

        public override void OnEventTimer(long timestamp, ref KeyedContext<long, Report> context)
        {
            if (fault == "lost" && timestamp == AllroundPlan.TimerOf(3, 5)) return;
            if (fault == "lost before a pause" && timestamp == AllroundPlan.TimerOf(3, 10)) return;
            if (fault == "last lost" && timestamp == AllroundPlan.TimerOf(3, 29)) return;
            if (fault == "twice" && timestamp == AllroundPlan.TimerOf(3, 5)) check.OnEventTimer(timestamp, ref context);
            if (fault == "too many" && timestamp == AllroundPlan.EndOfTime) check.OnEventTimer(timestamp - 1, ref context);
            check.OnEventTimer(timestamp, ref context);
        }
    }
}
