using OrleansStream.Functions;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.State;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Functions;

public sealed class BroadcastTests
{
    private static readonly BroadcastState<string, int> Limits = new("limits");

    private readonly TestInput<string> _input = new();
    private readonly TestInput<string> _rules = new();
    private readonly TestOutput<string> _output = new();
    private readonly TestOutput<DeadLetter<string>> _letters = new();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Every_subtask_reads_what_the_broadcast_side_wrote(int parallelism)
    {
        await using var harness = await StartKeyedAsync(parallelism);
        Feed("a", "b", "c", "d");
        _rules.Add("limit=5", 0);
        await harness.RunAsync();
        Feed("a", "b", "c", "d");
        await harness.RunAsync();

        Assert.Equal(["a none 1", "b none 1", "c none 1", "d none 1"], Sorted(_output.Values.Take(4)));
        Assert.Equal(["a limit=5 2", "b limit=5 2", "c limit=5 2", "d limit=5 2"], Sorted(_output.Values.Skip(4)));
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(3, 2)]
    [InlineData(2, 1)]
    public async Task Broadcast_state_is_restored_in_every_subtask_at_another_parallelism_in_its_order(int before, int after)
    {
        await using var harness = await StartKeyedAsync(before);
        foreach (var rule in (string[])["z=1", "m=2", "a=3", "-m", "b=4", "z=9"]) _rules.Add(rule, 0);
        await harness.RestoreAsync(after);
        await harness.RestoreAsync();
        Feed("a", "b", "c", "d");
        await harness.RunAsync();

        Assert.Equal(["a z=9,a=3,b=4 1", "b z=9,a=3,b=4 1", "c z=9,a=3,b=4 1", "d z=9,a=3,b=4 1"], Sorted(_output.Values));
    }

    [Fact]
    public async Task A_broadcast_record_can_be_applied_to_the_state_of_each_key_once()
    {
        await using var harness = await StartKeyedAsync(3);
        Feed("a", "b", "b", "c", "d");
        await harness.RunAsync();
        _output.Take();
        _rules.Add("each", 7);
        await harness.RunAsync();

        Assert.Equal(["a has 1", "b has 2", "c has 1", "d has 1"], Sorted(_output.Take().Select(static record => record.Value)));
        _rules.Add("forget", 8);
        await harness.RunAsync();
        Assert.Equal(0, harness.KeyCount("rules"));
        await harness.RestoreAsync(2);
        Assert.Equal(0, harness.KeyCount("rules"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_broadcast_record_at_which_the_function_throws_is_one_dead_letter_and_changes_nothing(int parallelism)
    {
        await using var harness = await StartKeyedAsync(parallelism, OnError.DeadLetter);
        Feed("a", "b", "c");
        foreach (var rule in (string[])["x=1", "y=2", "bad", "z=3"]) _rules.Add(rule, 5);
        await harness.RunAsync();
        _output.Take();
        Feed("a", "b", "c");
        await harness.RunAsync();

        Assert.Equal(["a x=1,y=2,z=3 2", "b x=1,y=2,z=3 2", "c x=1,y=2,z=3 2"], Sorted(_output.Take().Select(static record => record.Value)));
        Assert.Equal([new(new("rules", "bad", 5, null, "FormatException: bad"), 5)], _letters.Records);
    }

    [Fact]
    public async Task What_is_done_to_each_key_and_throws_ends_the_attempt_even_where_records_become_dead_letters()
    {
        await using var harness = await StartKeyedAsync(2, OnError.DeadLetter);
        Feed("a");
        _rules.Add("break", 5);
        var error = await Assert.ThrowsAnyAsync<StreamException>(harness.RunAsync);

        Assert.Contains("operator 'rules', subtask 1, key 'a': what a broadcast record of 1970-01-01T00:00:00.005Z does to each key threw FormatException: a", error.Message);
    }

    [Fact]
    public async Task A_stream_without_keys_reads_broadcast_state_too()
    {
        await using var harness = await JobHarness.StartAsync(DefinePlain, new HarnessOptions { Parallelism = 2 });
        _rules.Add("limit=5", 0);
        await harness.RestoreAsync(3);
        _input.Add("a", 1);
        await harness.RunAsync();

        Assert.Equal(["a limit=5"], _output.Values);
    }

    [Fact]
    public async Task A_restore_is_refused_when_the_broadcast_state_it_has_is_declared_otherwise()
    {
        var other = false;
        await using var harness = await JobHarness.StartAsync(graph =>
        {
            var rules = graph.From("rules-in", _rules);
            var writes = other ? rules.Broadcast(new BroadcastState<string, long>("limits")) : rules.Broadcast(Limits);
            graph.From("in", _input).Connect(writes).Process("rules", static _ => new PlainRules()).To("out", _output);
        });
        _rules.Add("limit=5", 0);
        await harness.RunAsync();
        other = true;
        var error = await Assert.ThrowsAsync<JobRefusedException>(() => harness.RestoreAsync());

        Assert.Contains("broadcast state 'limits' of operator 'rules' in the form 'key1:string->int32', but it is now declared as 'key1:string->int64'", error.Message);
    }

    [Fact]
    public Task However_a_job_with_broadcast_state_is_run_its_results_are_the_same() => EveryWay.RunAsync(() =>
    {
        var input = new TestInput<string>();
        var output = new TestOutput<string>();

        // Records and rules come in no order between them: what is read of the rules is read at the end.
        return new Scenario(
            graph =>
            {
                var all = graph.From("in", input);
                all.Where(static text => text.Length == 1).KeyBy(static text => text).Connect(all.Where(static text => text.Length > 1).Broadcast(Limits))
                    .Process("rules", static _ => new KeyedRules(answers: false)).To("out", output);
            },
            [
                () => input.Add("a", 1), () => input.Add("x=1", 2), () => input.Add("b", 3), () => input.Add("y=2", 4), () => input.Watermark(10), () => input.Add("a", 11),
                () => input.Add("-x", 12), () => input.Add("c", 13), () => input.Add("b", 15), () => input.Add("x=5", 16), () => input.Watermark(20), () => input.End(),
            ],
            new Dictionary<string, Func<IEnumerable<string>>> { ["the output"] = () => output.Values });
    });

    private static IEnumerable<string> Sorted(IEnumerable<string> values) => values.Order(StringComparer.Ordinal);

    private void Feed(params string[] records)
    {
        foreach (var record in records) _input.Add(record, 1);
    }

    private void DefinePlain(JobGraph graph) =>
        graph.From("in", _input).Connect(graph.From("rules-in", _rules).Broadcast(Limits)).Process("rules", static _ => new PlainRules()).To("out", _output);

    private Task<JobHarness> StartKeyedAsync(int parallelism, OnError onError = OnError.Fail) => JobHarness.StartAsync(graph =>
    {
        var results = graph.From("in", _input).KeyBy(static text => text).Connect(graph.From("rules-in", _rules).Broadcast(Limits)).Process("rules", static _ => new KeyedRules(), onError);
        results.To("out", _output);
        if (onError == OnError.DeadLetter) results.DeadLetters<string>().To("letters", _letters);
    }, new HarnessOptions { Parallelism = parallelism });

    private static string Text(IReadOnlyDictionary<string, int> limits) => limits.Count == 0 ? "none" : string.Join(',', limits.Select(static limit => $"{limit.Key}={limit.Value}"));

    private static void Change<TOut>(string rule, ref BroadcastContext<TOut> context)
    {
        if (rule.StartsWith('-')) context.Remove(Limits, rule[1..]);
        else if (rule.Contains('=', StringComparison.Ordinal)) context.Set(Limits, rule.Split('=')[0], int.Parse(rule.Split('=')[1], System.Globalization.CultureInfo.InvariantCulture));
    }

    private sealed class KeyedRules(bool answers = true) : KeyedBroadcastFunction<string, string, string, string>
    {
        private static readonly ValueState<int> Count = new("count");

        public override IReadOnlyList<StateDeclaration> States => [Count];

        public override void Process(in string record, ref KeyedContext<string, string> context)
        {
            var count = context.Update(Count, static count => count + 1);
            context.RegisterEventTimer(1000);
            if (answers) context.Emit($"{record} {Text(context.Entries(Limits))} {count}");
        }

        public override void ProcessBroadcast(in string record, ref BroadcastContext<string> context, SubtaskKeys<string, string> keys)
        {
            Change(record, ref context);
            if (record == "each") keys.ForEach(static (ref key) => key.Emit($"{key.Key} has {key.Get(Count)}"));
            if (record == "break") keys.ForEach(static (ref key) => throw new FormatException(key.Key));
            if (record == "forget")
            {
                keys.ForEach(static (ref key) =>
                {
                    key.Clear(Count);
                    key.DeleteEventTimer(1000);
                });
            }

            if (record != "bad") return;
            context.Remove(Limits, "x");
            context.Set(Limits, "y", 7);
            context.Set(Limits, "new", 7);
            context.Clear(Limits);
            context.Set(Limits, "newer", 7);
            keys.ForEach(static (ref key) => key.Clear(Count));
            context.Emit("nothing of this stays");
            throw new FormatException("bad");
        }

        public override void OnEventTimer(long timestamp, ref KeyedContext<string, string> context) =>
            context.Emit($"{context.Key} timed with {context.Get(Count)} {Text(context.Entries(Limits))}");
    }

    private sealed class PlainRules : BroadcastFunction<string, string, string>
    {
        public override void Process(in string record, ref FunctionContext<string> context) => context.Emit($"{record} {Text(context.Entries(Limits))}");

        public override void ProcessBroadcast(in string record, ref BroadcastContext<string> context) => Change(record, ref context);
    }
}
