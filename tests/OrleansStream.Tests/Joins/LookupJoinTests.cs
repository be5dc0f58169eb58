using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Joins;

public sealed class LookupJoinTests
{
    private readonly TestInput<string> _input = new();
    private readonly TestOutput<string> _output = new();
    private readonly TestOutput<DeadLetter<string>> _letters = new();

    [Fact]
    public async Task A_record_is_joined_with_each_row_that_is_found_for_it()
    {
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", _input).Lookup<string>("ask", AskAsync).Select(static (record, row) => $"{record}|{row}").To("out", _output));
        Feed();
        await harness.RunAsync();

        Assert.Equal([new("a2|0", 2), new("a2|1", 2), new("c1|0", 4)], _output.Records);
    }

    [Fact]
    public async Task A_left_join_lets_out_records_for_which_nothing_is_found()
    {
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", _input).Lookup<string>("ask", AskAsync).SelectLeft(static (record, row) => $"{record}|{row}").To("out", _output));
        Feed();
        await harness.RunAsync();

        Assert.Equal([new("a2|0", 2), new("a2|1", 2), new("b0|", 3), new("c1|0", 4)], _output.Records);
    }

    [Fact]
    public async Task A_record_that_cannot_be_looked_up_or_joined_becomes_a_dead_letter_of_its_own()
    {
        await using var harness = await JobHarness.StartAsync(graph =>
        {
            var joined = graph.From("in", _input).KeyBy(static text => text[0]).Lookup<string>("ask", AskAsync)
                .Select(static (record, row) => record == "a2" && row == "1" ? throw new FormatException("second") : $"{record}|{row}", OnError.DeadLetter);
            joined.To("out", _output);
            joined.DeadLetters<string>().To("letters", _letters);
        });
        Feed();
        _input.Add("d!", 5);
        await harness.RunAsync();

        Assert.Equal(["c1|0"], _output.Values);
        Assert.Equal([new("ask", "a2", 2, "a", "FormatException: second"), new("ask", "d!", 5, "d", "TimeoutException: nobody there")], _letters.Values);
    }

    [Fact]
    public async Task Without_dead_letters_a_lookup_that_fails_ends_the_attempt()
    {
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", _input).Lookup<string>("ask", AskAsync).Select(static (record, row) => $"{record}|{row}").To("out", _output));
        _input.Add("d!", 5);
        var error = await Assert.ThrowsAnyAsync<StreamException>(harness.RunAsync);

        Assert.Contains("operator 'ask'", error.Message);
        Assert.Contains("TimeoutException: nobody there", error.Message);
    }

    [Fact]
    public Task However_a_lookup_join_is_run_its_results_are_the_same() => EveryWay.RunAsync(() => Scenario.Of<string, string>(
        static (graph, input, output) => graph.From("in", input).KeyBy(static text => text[0]).Lookup<string>("ask", AskAsync).SelectLeft(static (record, row) => $"{record}|{row}").To("out", output),
        [static input => input.Add("a2", 2), static input => input.Add("b0", 3), static input => input.Watermark(3), static input => input.Add("a3", 4), static input => input.Add("c1", 5), static input => input.End()]));

    [Fact]
    public void Impossible_options_of_a_lookup_are_refused_and_results_that_nobody_reads_too()
    {
        var refusals = Tests.Graph.GraphSamples.Refusals(graph =>
        {
            graph.From("in", _input).Lookup<string>("Ask!", AskAsync, new AsyncOptions { Capacity = 0 }).Select(static (record, row) => $"{record}|{row}").To("out", _output);
            graph.From("in-2", _input).Lookup<string>("ask", AskAsync).SelectLeft(static (record, row) => $"{record}|{row}");
        });

        Assert.Equal(
            [
                "SelectAsync 'Ask!': a name has 1 to 64 characters of a-z, 0-9 and '-'.",
                "SelectAsync 'Ask!': a capacity of 0 is not between 1 and 1,000,000.",
                "Lookup after 'ask': nobody reads its results; end the stream with To.",
            ],
            refusals);
    }

    /// <summary>As many rows as the record says.</summary>
    private static Task<IReadOnlyList<string>> AskAsync(string record, CancellationToken cancellation) => record[1] == '!'
        ? Task.FromException<IReadOnlyList<string>>(new TimeoutException("nobody there"))
        : Task.FromResult<IReadOnlyList<string>>([.. Enumerable.Range(0, record[1] - '0').Select(static row => row.ToString(System.Globalization.CultureInfo.InvariantCulture))]);

    private void Feed()
    {
        _input.Add("a2", 2);
        _input.Add("b0", 3);
        _input.Add("c1", 4);
    }
}
