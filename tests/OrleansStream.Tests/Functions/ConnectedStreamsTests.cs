using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.State;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Functions;

public sealed class ConnectedStreamsTests
{
    private readonly TestInput<string> _words = new();
    private readonly TestInput<int> _numbers = new();
    private readonly TestOutput<string> _output = new();
    private readonly TestOutput<DeadLetter<string>> _wordLetters = new();
    private readonly TestOutput<DeadLetter<int>> _numberLetters = new();

    [Fact]
    public async Task Records_of_either_stream_are_mapped_by_its_own_function()
    {
        await using var harness = await JobHarness.StartAsync(graph =>
        {
            var both = graph.From("words", _words).Connect(graph.From("numbers", _numbers));
            both.Select(static word => word.ToUpperInvariant(), static number => $"#{number}").To("out", _output);
            both.SelectMany(static word => word.Select(static letter => letter.ToString()), static number => Enumerable.Repeat("x", number)).To("many", _many);
        });
        _words.Add("ab", 1);
        _numbers.Add(2, 5);
        await harness.RunAsync();

        Assert.Equal([new("AB", 1), new("#2", 5)], _output.Records);
        Assert.Equal(["a", "b", "x", "x"], _many.Values);
    }

    [Fact]
    public async Task The_watermark_is_the_lower_of_both_streams_and_goes_on_with_one_when_the_other_has_ended()
    {
        await using var harness = await StartKeyedAsync(OnError.Fail);
        _words.Watermark(50);
        await harness.RunAsync();
        Assert.Equal(long.MinValue, harness.Watermark("both"));
        _numbers.Watermark(30);
        await harness.RunAsync();
        Assert.Equal(30, harness.Watermark("both"));
        _numbers.End();
        await harness.RunAsync();
        Assert.Equal(50, harness.Watermark("both"));
        _words.End();
        await harness.RunAsync();
        Assert.Equal(long.MaxValue, harness.Watermark("both"));
        Assert.True(harness.HasEnded);
    }

    [Fact]
    public async Task An_idle_stream_does_not_hold_back_the_other()
    {
        await using var harness = await StartKeyedAsync(OnError.Fail);
        _words.Watermark(50);
        _numbers.Idle();
        await harness.RunAsync();

        Assert.Equal(50, harness.Watermark("both"));
    }

    [Fact]
    public async Task Both_sides_of_a_key_share_its_state_and_its_timers()
    {
        await using var harness = await StartKeyedAsync(OnError.Fail, 2);
        _words.Add("1a", 10);
        _numbers.Add(1, 20);
        _words.Add("2b", 30);
        await harness.RunAsync();
        Assert.Equal("a#", harness.Get("both", Gather.Seen, 1));
        Assert.Equal([110, 120], harness.EventTimers("both", 1));
        _words.End();
        _numbers.End();
        await harness.RunAsync();

        Assert.Equal(["1:a# at 110", "1: at 120", "2:b at 130"], _output.Values.Order(StringComparer.Ordinal).OrderBy(static text => text[^3..]));
        Assert.Equal(0, harness.KeyCount("both"));
    }

    [Fact]
    public async Task A_record_of_either_side_at_which_the_function_throws_becomes_a_dead_letter_without_other_effect()
    {
        await using var harness = await StartKeyedAsync(OnError.DeadLetter);
        _words.Add("1a", 10);
        _words.Add("1!", 11);
        _numbers.Add(1, 20);
        _numbers.Add(-1, 21);
        await harness.RunAsync();

        Assert.Equal("a#", harness.Get("both", Gather.Seen, 1));
        Assert.Equal([110, 120], harness.EventTimers("both", 1));
        Assert.Equal([new(new("both", "1!", 11, "1", "FormatException: no"), 11)], _wordLetters.Records);
        Assert.Equal([new(new("both", -1, 21, "1", "FormatException: no"), 21)], _numberLetters.Records);
        Assert.Equal(2, harness.DeadLetters("both"));
    }

    [Fact]
    public async Task Two_streams_of_one_type_share_their_dead_letters()
    {
        var others = new TestInput<string>();
        await using var harness = await JobHarness.StartAsync(graph =>
        {
            var both = graph.From("words", _words).Connect(graph.From("others", others)).Select(static word => Fail(word), static word => Fail(word), OnError.DeadLetter);
            both.To("out", _output);
            both.DeadLetters<string>().To("letters", _wordLetters);
        });
        _words.Add("first", 1);
        others.Add("second", 2);
        await harness.RunAsync();

        Assert.Equal(["first", "second"], _wordLetters.Values.Select(static letter => letter.Record));
        Assert.Empty(_output.Records);

        static string Fail(string word) => throw new FormatException(word);
    }

    [Fact]
    public async Task A_record_at_which_the_function_throws_ends_the_attempt_when_nothing_else_was_said()
    {
        await using var harness = await StartKeyedAsync(OnError.Fail);
        _numbers.Add(-1, 21);
        var error = await Assert.ThrowsAnyAsync<StreamException>(harness.RunAsync);

        Assert.Contains("operator 'both', subtask 0, key '1', event time 1970-01-01T00:00:00.021Z: the function threw FormatException: no", error.Message);
    }

    [Fact]
    public async Task A_stream_can_be_connected_with_itself()
    {
        await using var harness = await JobHarness.StartAsync(graph =>
        {
            var words = graph.From("words", _words);
            words.Connect(words).Process("twice", static _ => new Twice()).To("out", _output);
        }, new HarnessOptions { Parallelism = 2 });
        _words.Add("a", 1);
        _words.Watermark(7);
        await harness.RunAsync();

        Assert.Equal(["first a", "second a"], _output.Values.Order(StringComparer.Ordinal));
        Assert.Equal(7, harness.Watermark("twice"));
    }

    [Fact]
    public Task However_a_job_of_two_inputs_is_run_its_results_are_the_same() => EveryWay.RunAsync(() =>
    {
        var words = new TestInput<string>();
        var numbers = new TestInput<int>();
        var output = new TestOutput<string>();
        return new Scenario(
            graph => graph.From("words", words).KeyBy(static word => word[0] - '0').Connect(graph.From("numbers", numbers).KeyBy(static number => number))
                .Process("both", static _ => new Gather()).To("out", output),
            [
                () => words.Add("1a", 10), () => numbers.Add(1, 20), () => words.Add("2b", 30), () => numbers.Add(3, 40), () => words.Watermark(60), () => numbers.Watermark(80),
                () => words.Add("1c", 90), () => words.Watermark(115), () => numbers.Watermark(112), () => numbers.Add(2, 125), () => numbers.End(), () => words.Add("3d", 140), () => words.End(),
            ],
            new Dictionary<string, Func<IEnumerable<string>>> { ["the output"] = () => output.Values.Select(static text => text[..2]) });
    });

    private readonly TestOutput<string> _many = new();

    private Task<JobHarness> StartKeyedAsync(OnError onError, int parallelism = 1) => JobHarness.StartAsync(graph =>
    {
        var both = graph.From("words", _words).KeyBy(static word => word[0] - '0').Connect(graph.From("numbers", _numbers).KeyBy(static number => Math.Abs(number)))
            .Process("both", static _ => new Gather(), onError);
        both.To("out", _output);
        if (onError != OnError.DeadLetter) return;
        both.DeadLetters<string>().To("word-letters", _wordLetters);
        both.DeadLetters<int>().To("number-letters", _numberLetters);
    }, new HarnessOptions { Parallelism = parallelism });

    private sealed class Gather : KeyedCoFunction<int, string, int, string>
    {
        public static readonly ValueState<string> Seen = new("seen") { Default = "" };

        public override IReadOnlyList<StateDeclaration> States => [Seen];

        public override void ProcessFirst(in string record, ref KeyedContext<int, string> context)
        {
            Add(record[1..], ref context);
            if (record.EndsWith('!')) throw new FormatException("no");
        }

        public override void ProcessSecond(in int record, ref KeyedContext<int, string> context)
        {
            Add("#", ref context);
            if (record < 0) throw new FormatException("no");
        }

        public override void OnEventTimer(long timestamp, ref KeyedContext<int, string> context)
        {
            context.Emit($"{context.Key}:{context.Get(Seen)} at {timestamp}");
            context.Clear(Seen);
        }

        private static void Add(string text, ref KeyedContext<int, string> context)
        {
            context.Set(Seen, context.Get(Seen) + text);
            context.RegisterEventTimer(context.Timestamp + 100);
        }
    }

    private sealed class Twice : CoFunction<string, string, string>
    {
        public override void ProcessFirst(in string record, ref FunctionContext<string> context) => context.Emit($"first {record}");

        public override void ProcessSecond(in string record, ref FunctionContext<string> context) => context.Emit($"second {record}");
    }
}
