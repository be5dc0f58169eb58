using OrleansStream.Functions;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Functions;

public sealed class AsyncOperatorTests
{
    private readonly Desk _desk = new();
    private readonly TestInput<string> _input = new();
    private readonly TestOutput<string> _output = new();
    private readonly TestOutput<DeadLetter<string>> _letters = new();

    [Fact]
    public async Task Ordered_results_leave_in_the_order_of_the_records()
    {
        await using var harness = await StartAsync(new AsyncOptions());
        await GiveAsync(harness, "a", "b", "c");
        Assert.Equal(["a", "b", "c"], _desk.Asked);
        _desk.Answer("c", "b");
        await harness.RunAsync();
        Assert.Empty(_output.Values);
        _desk.Answer("a");
        await harness.RunAsync();

        Assert.Equal([new("A", 1), new("B", 2), new("C", 3)], _output.Records);
    }

    [Fact]
    public async Task Unordered_results_leave_as_they_come_but_never_overtake_a_watermark()
    {
        await using var harness = await StartAsync(new AsyncOptions { Order = AsyncOrder.Unordered });
        _input.Add("a", 1);
        _input.Add("b", 2);
        _input.Watermark(2);
        _input.Add("c", 3);
        _input.Add("d", 4);
        await harness.RunAsync();
        _desk.Answer("d", "b");
        await harness.RunAsync();
        Assert.Equal(["B"], _output.Values);
        Assert.Equal(long.MinValue, harness.Watermark("below"));
        _desk.Answer("a");
        await harness.RunAsync();
        Assert.Equal(["B", "A", "D"], _output.Values);
        Assert.Equal(2, harness.Watermark("below"));
        _desk.Answer("c");
        await harness.RunAsync();

        Assert.Equal(["B", "A", "D", "C"], _output.Values);
    }

    [Theory]
    [InlineData(AsyncOrder.Ordered)]
    [InlineData(AsyncOrder.Unordered)]
    public async Task A_watermark_waits_for_the_records_before_it(AsyncOrder order)
    {
        await using var harness = await StartAsync(new AsyncOptions { Order = order });
        _input.Add("a", 1);
        _input.Watermark(1);
        _input.Watermark(5);
        await harness.RunAsync();
        Assert.Equal(long.MinValue, harness.Watermark("below"));
        _desk.Answer("a");
        await harness.RunAsync();

        Assert.Equal(5, harness.Watermark("below"));
    }

    [Fact]
    public async Task No_more_than_the_capacity_are_asked_for_and_none_are_taken_meanwhile()
    {
        await using var harness = await StartAsync(new AsyncOptions { Capacity = 2 });
        await GiveAsync(harness, "a", "b", "c", "d");
        Assert.Equal(["a", "b"], _desk.Asked);
        await GiveAsync(harness, "e");
        _desk.Answer("b");
        await harness.RunAsync();
        // The answer of b waits for that of a, and so still counts.
        Assert.Equal(["a", "b"], _desk.Asked);
        _desk.Answer("a");
        await harness.RunAsync();
        Assert.Equal(["a", "b", "c", "d"], _desk.Asked);
        _desk.Answer("c", "d");
        await harness.RunAsync();
        _desk.Answer("e");
        await harness.RunAsync();

        Assert.Equal(["A", "B", "C", "D", "E"], _output.Values);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_checkpoint_passes_while_calls_are_in_flight_and_they_are_made_again_after_it(int parallelism)
    {
        await using var harness = await StartAsync(new AsyncOptions { Capacity = 2 });
        _input.Add("a", 1);
        _input.Add("b", 2);
        _input.Watermark(2);
        _input.Add("c", 3);
        await harness.RestoreAsync(parallelism);
        Assert.Equal(["a", "b"], _desk.Asked);
        Assert.Equal(["a", "b"], _desk.Cancelled);
        _desk.Asked.Clear();
        _desk.IsQuick = true;
        await harness.RunAsync();

        Assert.Equal(["a", "b", "c"], _desk.Asked.Order());
        Assert.Equal([new("A", 1), new("B", 2), new("C", 3)], _output.Records);
        Assert.Equal(2, harness.Watermark("below"));
    }

    [Fact]
    public async Task What_was_answered_and_not_handed_on_is_asked_for_again_and_what_was_handed_on_is_not()
    {
        await using var harness = await StartAsync(new AsyncOptions());
        await GiveAsync(harness, "a", "b", "c");
        _desk.Answer("a", "c");
        await harness.RestoreAsync();
        _desk.Asked.Clear();
        _desk.IsQuick = true;
        await harness.RunAsync();

        Assert.Equal(["b", "c"], _desk.Asked);
        Assert.Equal(["A", "B", "C"], _output.Values);
    }

    [Fact]
    public async Task The_answer_to_a_call_of_before_a_restart_is_not_heard()
    {
        await using var harness = await StartAsync(new AsyncOptions());
        await GiveAsync(harness, "a");
        await harness.RestoreAsync();
        await harness.RunAsync();
        _desk.Answer("a");
        await harness.RunAsync();
        Assert.Empty(_output.Values);
        _desk.Answer("a");
        await harness.RunAsync();

        Assert.Equal(["A"], _output.Values);
    }

    [Theory]
    [InlineData(AsyncOrder.Ordered)]
    [InlineData(AsyncOrder.Unordered)]
    public async Task The_end_of_input_waits_for_what_is_in_flight_and_a_checkpoint_does_not_wait_for_the_end(AsyncOrder order)
    {
        await using var harness = await StartAsync(new AsyncOptions { Order = order });
        _input.Add("a", 1);
        _input.End();
        await harness.RunAsync();
        Assert.False(harness.HasEnded);
        await harness.RestoreAsync();
        await harness.RunAsync();
        Assert.False(harness.HasEnded);
        _desk.Answer("a");
        _desk.Answer("a");
        await harness.RunAsync();

        Assert.True(harness.HasEnded);
        Assert.Equal(["A"], _output.Values);
        Assert.Equal(long.MaxValue, harness.Watermark("below"));
    }

    [Fact]
    public async Task Behind_an_exchange_the_end_of_input_and_the_last_checkpoint_wait_for_what_is_in_flight()
    {
        await using var harness = await JobHarness.StartAsync(graph => graph
            .From("in", _input).KeyBy(static record => record).SelectAsync("ask", _desk.AskAsync).Rebalance().Select(static answer => answer).To("out", _output));
        _input.Add("a", 1);
        _input.End();
        await harness.RunAsync();
        Assert.False(harness.HasEnded);
        _desk.Answer("a");
        await harness.RunAsync();
        Assert.True(harness.HasEnded);
        await harness.RestoreAsync(2);
        await harness.RunAsync();

        Assert.True(harness.HasEnded);
        Assert.Equal([new("A", 1)], _output.Records);
    }

    [Fact]
    public async Task An_input_that_is_idle_holds_the_watermark_below_until_its_records_are_answered()
    {
        var input = new TestInput<string>(splits: 2);
        await using var harness = await JobHarness.StartAsync(
            graph => graph.From("in", input).SelectAsync("ask", _desk.AskAsync).Rebalance().SelectAsync("below", static (record, _) => Task.FromResult(record)).To("out", _output),
            new HarnessOptions { Parallelism = 2 });
        input.Add("a", 10, split: 0);
        input.Idle(split: 0);
        input.Watermark(50, split: 1);
        await harness.RunAsync();
        Assert.Equal(long.MinValue, harness.Watermark("below"));
        _desk.Answer("a");
        await harness.RunAsync();

        Assert.Equal(50, harness.Watermark("below"));
    }

    [Fact]
    public async Task A_record_without_result_in_time_ends_the_attempt_and_its_call_is_told()
    {
        await using var harness = await StartAsync(new AsyncOptions { Timeout = TimeSpan.FromMilliseconds(50) });
        await GiveAsync(harness, "a");
        await harness.AdvanceProcessingTimeAsync(49);
        Assert.Empty(_desk.Cancelled);

        var error = await Assert.ThrowsAsync<FunctionException>(() => harness.AdvanceProcessingTimeAsync(50));
        Assert.Equal(["a"], _desk.Cancelled);
        Assert.Contains("operator 'ask'", error.Message, StringComparison.Ordinal);
        Assert.Contains("TimeoutException: there was no result within 00:00:00.0500000, after 1 calls", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Time_outs_and_failures_go_to_the_dead_letters_in_their_turn()
    {
        await using var harness = await StartAsync(new AsyncOptions { Timeout = TimeSpan.FromMilliseconds(50) }, OnError.DeadLetter);
        await GiveAsync(harness, "a", "b", "c");
        _desk.Fail("b");
        _desk.Answer("c");
        await harness.RunAsync();
        Assert.Empty(_letters.Values);
        await harness.AdvanceProcessingTimeAsync(50);

        Assert.Equal(["a", "b"], _letters.Values.Select(static letter => letter.Record));
        Assert.Equal(["TimeoutException", "FormatException"], _letters.Values.Select(static letter => letter.Error.Split(':')[0]));
        Assert.Equal([1L, 2], _letters.Records.Select(static letter => letter.Timestamp));
        Assert.Equal(["C"], _output.Values);
    }

    [Fact]
    public async Task A_fallback_makes_the_result_and_its_own_error_counts_when_it_throws()
    {
        await using var harness = await StartAsync(
            new AsyncOptions { Timeout = TimeSpan.FromMilliseconds(50) },
            OnError.DeadLetter,
            static (record, error) => record == "c" ? throw new InvalidDataException("worse") : $"{record} {error.GetType().Name}");
        await GiveAsync(harness, "a", "b", "c");
        _desk.Fail("b");
        _desk.Fail("c");
        await harness.AdvanceProcessingTimeAsync(50);

        Assert.Equal(["a TimeoutException", "b FormatException"], _output.Values);
        Assert.Equal("InvalidDataException: worse", Assert.Single(_letters.Values).Error);
    }

    [Fact]
    public async Task A_failed_call_is_made_again_after_pauses_that_grow_up_to_a_limit()
    {
        var retry = new AsyncRetry { Attempts = 5, Delay = TimeSpan.FromMilliseconds(10), Factor = 3, LongestDelay = TimeSpan.FromMilliseconds(40) };
        await using var harness = await StartAsync(new AsyncOptions { Retry = retry });
        await GiveAsync(harness, "a");
        foreach (var due in new[] { 10, 40, 80, 120 })
        {
            var asked = _desk.Asked.Count;
            _desk.Fail("a");
            await harness.AdvanceProcessingTimeAsync(due - 1);
            Assert.Equal(asked, _desk.Asked.Count);
            await harness.AdvanceProcessingTimeAsync(due);
            Assert.Equal(asked + 1, _desk.Asked.Count);
        }

        _desk.Answer("a");
        await harness.RunAsync();
        Assert.Equal(["A"], _output.Values);
    }

    [Fact]
    public async Task The_error_of_the_last_attempt_counts_and_errors_that_are_not_worth_another_are_final()
    {
        var retry = new AsyncRetry { Attempts = 2, Delay = TimeSpan.Zero, When = static error => error is FormatException };
        await using var harness = await StartAsync(new AsyncOptions { Retry = retry }, OnError.DeadLetter);
        await GiveAsync(harness, "a", "b");
        _desk.Fail("a");
        _desk.Fail("b", new InvalidDataException("final"));
        await harness.RunAsync();
        _desk.Fail("a", new FormatException("second"));
        await harness.RunAsync();

        Assert.Equal(["a", "b", "a"], _desk.Asked);
        Assert.Equal(["FormatException: second", "InvalidDataException: final"], _letters.Values.Select(static letter => letter.Error));
    }

    [Fact]
    public async Task The_time_out_is_for_all_attempts_and_their_pauses_together()
    {
        var retry = new AsyncRetry { Attempts = 9, Delay = TimeSpan.FromMilliseconds(40), Factor = 1 };
        await using var harness = await StartAsync(new AsyncOptions { Retry = retry, Timeout = TimeSpan.FromMilliseconds(70) }, OnError.DeadLetter);
        await GiveAsync(harness, "a");
        _desk.Fail("a");
        await harness.AdvanceProcessingTimeAsync(40);
        _desk.Fail("a");
        await harness.AdvanceProcessingTimeAsync(69);
        Assert.Empty(_letters.Values);
        await harness.AdvanceProcessingTimeAsync(70);

        Assert.Contains("after 2 calls", Assert.Single(_letters.Values).Error, StringComparison.Ordinal);
        await harness.AdvanceProcessingTimeAsync(200);
        Assert.Equal(["a", "a"], _desk.Asked);
    }

    [Fact]
    public async Task A_function_that_throws_before_it_waits_or_returns_no_task_has_failed()
    {
        await using var harness = await JobHarness.StartAsync(graph =>
        {
            var asked = graph.From("in", _input).SelectAsync<string>("ask", static (record, _) => record == "a" ? throw new FormatException("at once") : null!, onError: OnError.DeadLetter);
            asked.To("out", _output);
            asked.DeadLetters<string>().To("letters", _letters);
        });
        await GiveAsync(harness, "a", "b");

        Assert.Equal(["FormatException: at once", "InvalidOperationException: the function returned null in place of a task"], _letters.Values.Select(static letter => letter.Error));
    }

    [Fact]
    public async Task Answers_come_from_other_threads_too()
    {
        await using var harness = await JobHarness.StartAsync(graph => graph
            .From("in", _input).SelectAsync("ask", static async (record, cancellation) => await Task.Run(() => Desk.AnswerTo(record), cancellation)).To("out", _output));
        for (var i = 0; i < 500; i++) _input.Add($"r{i}", i);
        _input.End();
        await harness.SettleAsync();

        Assert.Equal(Enumerable.Range(0, 500).Select(static i => $"R{i}"), _output.Values);
        Assert.True(harness.HasEnded);
    }

    private async Task GiveAsync(JobHarness harness, params string[] records)
    {
        foreach (var record in records) _input.Add(record, record[0] - 'a' + 1);
        await harness.RunAsync();
    }

    private Task<JobHarness> StartAsync(AsyncOptions options, OnError onError = OnError.Fail, Func<string, Exception, string>? fallback = null) => JobHarness.StartAsync(graph =>
    {
        var asked = graph.From("in", _input).SelectAsync("ask", _desk.AskAsync, options, fallback, onError);
        asked.KeyBy(static answer => answer.Length).SelectAsync("below", static (record, _) => Task.FromResult(record)).To("out", _output);
        if (onError == OnError.DeadLetter) asked.DeadLetters<string>().To("letters", _letters);
    });
}
