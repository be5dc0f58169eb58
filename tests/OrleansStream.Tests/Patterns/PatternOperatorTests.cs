using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Patterns;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Patterns;

/// <summary>Patterns in a job: keys, disorder, lateness, restores, errors. A record is its key, a slash, and a word.</summary>
public sealed class PatternOperatorTests
{
    private static readonly SideOutput<TimedOutMatch<string>> TimedOut = new("timed-out");
    private static readonly SideOutput<string> Late = new("late");

    private readonly TestInput<string> _input = new();
    private readonly TestOutput<Match<string>> _matches = new();
    private readonly TestOutput<TimedOutMatch<string>> _timedOut = new();
    private readonly TestOutput<string> _late = new();
    private readonly TestOutput<DeadLetter<string>> _dead = new();

    [Fact]
    public async Task Records_are_matched_in_the_order_of_their_times_when_the_watermark_has_passed_them()
    {
        await using var harness = await StartAsync(Of("a").FollowedBy("b").Where(Is('b')));
        _input.Add("k/b1", 30);
        _input.Add("k/a1", 10);
        _input.Watermark(29);
        await harness.RunAsync();
        Assert.Empty(_matches.Records);

        _input.Watermark(30);
        await harness.RunAsync();
        Assert.Equal(("a[k/a1] b[k/b1]", 30), Text(Assert.Single(_matches.Records)));
    }

    [Fact]
    public async Task Records_of_one_time_keep_the_order_in_which_they_came()
    {
        await using var harness = await StartAsync(Of("a").Next("b").Where(Is('b')));
        foreach (var record in new[] { "k/b1", "k/a1", "k/b2", "k/a2" }) _input.Add(record, 10);
        _input.Watermark(10);
        await harness.RestoreAsync();

        Assert.Equal(("a[k/a1] b[k/b2]", 10), Text(Assert.Single(_matches.Records)));
    }

    [Fact]
    public async Task Each_key_has_matches_of_its_own()
    {
        await using var harness = await StartAsync(Of("a").Next("b").Where(Is('b')), parallelism: 3);
        _input.Add("k/a1", 1);
        _input.Add("l/a1", 2);
        _input.Add("m/b1", 3);
        _input.Add("k/b1", 4);
        _input.Add("l/b1", 5);
        _input.End();
        await harness.RunAsync();

        Assert.Equal(["a[k/a1] b[k/b1]", "a[l/a1] b[l/b1]"], _matches.Values.Select(static match => match.ToString()).Order());
        Assert.True(harness.HasEnded);
    }

    [Fact]
    public async Task A_record_at_or_before_the_watermark_is_late_and_counted()
    {
        await using var harness = await StartAsync(Of("a").FollowedBy("b").Where(Is('b')));
        _input.Add("k/a1", 10);
        _input.Watermark(20);
        await harness.RunAsync();
        _input.Add("k/b0", 20);
        _input.Add("k/b1", 21);
        _input.End();
        await harness.RunAsync();

        Assert.Equal([new("k/b0", 20)], _late.Records);
        Assert.Equal(1, harness.LateRecords("match"));
        Assert.Equal("a[k/a1] b[k/b1]", Assert.Single(_matches.Values).ToString());
    }

    [Fact]
    public async Task What_runs_out_of_time_leaves_with_its_time_when_the_watermark_reaches_it_and_nothing_of_the_key_stays()
    {
        await using var harness = await StartAsync(Of("a").FollowedBy("b").Where(Is('b')).Within(TimeSpan.FromMilliseconds(100)));
        _input.Add("k/a1", 10);
        _input.Watermark(109);
        await harness.RunAsync();
        Assert.Empty(_timedOut.Records);
        Assert.Equal([110], harness.EventTimers("match", "k"));

        _input.Watermark(110);
        await harness.RestoreAsync(2);
        var timedOut = Assert.Single(_timedOut.Records);
        Assert.Equal(("a[k/a1]", 110, 110), (timedOut.Value.Partial.ToString(), timedOut.Value.Timestamp, timedOut.Timestamp));
        Assert.Equal(0, harness.KeyCount("match"));
    }

    [Fact]
    public async Task A_key_without_partial_matches_keeps_nothing()
    {
        await using var harness = await StartAsync(Of("a").FollowedBy("b").Where(Is('b')));
        _input.Add("k/x", 10);
        _input.Add("k/a1", 11);
        _input.Add("k/b1", 12);
        _input.Watermark(11);
        await harness.RunAsync();
        Assert.Equal(1, harness.KeyCount("match"));

        _input.Watermark(12);
        await harness.RunAsync();
        Assert.Single(_matches.Records);
        Assert.Equal(0, harness.KeyCount("match"));
    }

    [Fact]
    public async Task The_end_of_input_is_the_end_of_all_bounds()
    {
        await using var harness = await StartAsync(Of("a").NotFollowedBy("b").Where(Is('b')).Within(TimeSpan.FromDays(1)));
        _input.Add("k/a1", 10);
        _input.End();
        await harness.RunAsync();

        Assert.Equal(("a[k/a1]", 86_400_010), Text(Assert.Single(_matches.Records)));
    }

    [Fact]
    public async Task A_record_at_which_a_condition_throws_goes_to_the_dead_letters_and_leaves_no_trace()
    {
        await using var harness = await StartAsync(Of("a").FollowedBy("b").Where(Throwing), onError: OnError.DeadLetter);
        _input.Add("k/a1", 10);
        _input.Add("k/!", 11);
        _input.Add("k/b1", 12);
        _input.End();
        await harness.RunAsync();

        var letter = Assert.Single(_dead.Values);
        Assert.Equal(("match", "k/!", 11, "k", "FormatException: bad"), (letter.Operator, letter.Record, letter.Timestamp, letter.Key, letter.Error));
        Assert.Equal(("a[k/a1] b[k/b1]", 12), Text(Assert.Single(_matches.Records)));
        Assert.Equal(1, harness.DeadLetters("match"));
    }

    [Fact]
    public async Task A_condition_that_throws_ends_the_attempt_with_its_coordinates()
    {
        await using var harness = await StartAsync(Of("a").FollowedBy("b").Where(Throwing));
        _input.Add("k/a1", 10);
        _input.Add("k/!", 11);
        _input.End();

        var error = await Assert.ThrowsAnyAsync<StreamException>(harness.RunAsync);
        Assert.Contains("operator 'match', subtask 0, key 'k', event time 1970-01-01T00:00:00.011Z: the function threw FormatException: bad", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_past_the_limit_goes_to_the_dead_letters()
    {
        await using var harness = await StartAsync(Of("a").FollowedBy("b").Where(Is('b')), onError: OnError.DeadLetter, limit: 2);
        for (var record = 1; record <= 4; record++) _input.Add($"k/a{record}", record);
        _input.Add("k/b1", 5);
        _input.End();
        await harness.RunAsync();

        Assert.Equal(["a[k/a1] b[k/b1]", "a[k/a2] b[k/b1]"], _matches.Values.Select(static match => match.ToString()));
        Assert.Equal(["k/a3", "k/a4"], _dead.Values.Select(static letter => letter.Record));
        Assert.Contains("the limit is 2 of each", _dead.Values.First().Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_matches_of_one_watermark_all_leave_in_order()
    {
        const int Records = 300;
        await using var harness = await StartAsync(Pattern.Begin<string>("a").FollowedByAny("b"));
        for (var record = 0; record < Records; record++) _input.Add($"k/a{record}", record);
        _input.End();
        await harness.RunAsync();

        Assert.Equal(Records * (Records - 1) / 2, _matches.Records.Count);
        Assert.Equal(_matches.Records.Select(static match => match.Timestamp).Order(), _matches.Records.Select(static match => match.Timestamp));
    }

    [Fact]
    public async Task Records_of_a_closed_hierarchy_are_told_apart_by_kind()
    {
        var input = new TestInput<Happening>();
        var output = new TestOutput<Match<Happening>>();
        await using var harness = await JobHarness.StartAsync(graph => graph.From("in", input).KeyBy(static happening => happening.Key)
            .Match("match", Pattern.Begin<Happening>("opened").OfType<Opened>().FollowedBy("closed").OfType<Closed>().Where(static closed => closed.Key == "k"))
            .To("out", output));
        input.Add(new Closed("k"), 1);
        input.Add(new Opened("k"), 2);
        input.Add(new Opened("l"), 2);
        input.Watermark(2);
        await harness.RestoreAsync();
        input.Add(new Closed("k"), 3);
        input.Add(new Closed("l"), 3);
        input.End();
        await harness.RunAsync();

        Assert.Equal([new Opened("k")], Assert.Single(output.Values)["opened"]);
    }

    private static Pattern<string> Of(string first) => Pattern.Begin<string>(first).Where(Is(first[0]));

    private static Func<string, bool> Is(char letter) => record => record[2] == letter;

    private static bool Throwing(string record) => record[2] == '!' ? throw new FormatException("bad") : record[2] == 'b';

    private static (string Match, long Time) Text(TestRecord<Match<string>> record) => (record.Value.ToString(), record.Timestamp);

    private Task<JobHarness> StartAsync(Pattern<string> pattern, int parallelism = 1, OnError onError = OnError.Fail, int limit = 10_000) => JobHarness.StartAsync(
        graph =>
        {
            var bounded = PatternCheck.HasBound(pattern);
            var matches = graph.From("in", _input).KeyBy(static record => record[..1]).Match("match", pattern, bounded ? TimedOut : null, Late, limit, onError);
            matches.To("out", _matches);
            matches.SideOutput(Late).To("late", _late);
            if (bounded) matches.SideOutput(TimedOut).To("timed-out", _timedOut);
            if (onError == OnError.DeadLetter) matches.DeadLetters<string>().To("dead", _dead);
        },
        new HarnessOptions { Parallelism = parallelism });
}

[GenerateSerializer, Immutable, Alias("os.tests.Happening")]
internal abstract record Happening([property: Id(0)] string Key);

[GenerateSerializer, Immutable, Alias("os.tests.Opened")]
internal sealed record Opened(string Key) : Happening(Key);

[GenerateSerializer, Immutable, Alias("os.tests.Closed")]
internal sealed record Closed(string Key) : Happening(Key);
