using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.Tests.Stages;
using OrleansStream.Time;

namespace OrleansStream.Tests.Sources;

public sealed class SourceHeadTests
{
    [Fact]
    public async Task Splits_are_read_in_turn_and_the_end_comes_when_all_have_ended()
    {
        var (head, end) = await OpenAsync(new Scripted(["a1", "a2", "."], ["b1", "."]));

        Assert.Equal([PollResult.Read, PollResult.Read, PollResult.Read, PollResult.Ended], Enumerable.Range(0, 4).Select(_ => head.Poll()));
        Assert.Equal(["a1", "b1", "a2"], end.Values);
    }

    [Fact]
    public async Task A_split_that_waits_does_not_hold_the_others_up()
    {
        var (head, end) = await OpenAsync(new Scripted(["?", "a1", "."], ["b1", "b2", "."]));

        Assert.Equal([PollResult.Read, PollResult.Read, PollResult.Dry], Enumerable.Range(0, 3).Select(_ => head.Poll()));
        Assert.True(head.TryTakeWaiting(out _, out var ready));
        Assert.False(head.TryTakeWaiting(out _, out _));
        ready();
        Assert.Equal([PollResult.Read, PollResult.Ended], Enumerable.Range(0, 2).Select(_ => head.Poll()));
        Assert.Equal(["b1", "b2", "a1"], end.Values);
    }

    [Fact]
    public async Task A_split_that_ends_without_a_record_stops_holding_the_watermark_back()
    {
        var context = Wiring.Context(null, 1, "source", new SourceSplit("0", ""), new SourceSplit("1", ""));
        var end = new Remembering<string>();
        var timestamps = new TimestampOperator<string>(
            context, static record => record[1] * 1000L, new SplitWatermarks(0, null), new Output<string>([end]), Wiring.Failures<string>(context))
        { Name = "timestamps-2" };
        var head = new SourceHead<string>(context, new Scripted(["a1", "."], ["b9", "?"]), null, new Output<string>([timestamps]), new Dictionary<string, ISideOutput>()) { Name = "source" };
        context.Source = head;
        await head.OpenAsync(TestContext.Current.CancellationToken);
        while (head.Poll() == PollResult.Read)
        {
        }

        Assert.Equal(('9' * 1000L) - 1, end.Watermarks[^1]);
    }

    [Fact]
    public async Task A_reader_that_throws_is_named_with_split_and_position()
    {
        var (head, _) = await OpenAsync(new Scripted(["a1", "!"]));
        head.Poll();

        var error = Assert.Throws<FunctionException>(() => head.Poll());

        Assert.Equal("Job 'payments', source 'source', split '0', at step 1: reading failed with InvalidDataException: torn", error.Message);
    }

    [Fact]
    public async Task The_rate_is_shared_by_all_subtasks()
    {
        var records = Enumerable.Range(0, 100).Select(static n => $"a{n}").ToArray();
        var context = Wiring.Context(new SubtaskId(0, 1), 2, "source", new SourceSplit("0", ""));
        var end = new Remembering<string>();
        var head = new SourceHead<string>(context, new Scripted(records), 20, new Output<string>([end]), new Dictionary<string, ISideOutput>()) { Name = "source" };
        await head.OpenAsync(TestContext.Current.CancellationToken);
        for (var now = 0; now <= 5000; now++)
        {
            context.Now = new Clock(now, now);
            head.Poll();
        }

        Assert.InRange(end.Records.Count, 50, 51);
    }

    private static async Task<(SourceHead<string> Head, Remembering<string> End)> OpenAsync(Scripted source)
    {
        var context = Wiring.Context(null, 1, "source", [.. (await source.DiscoverAsync(TestContext.Current.CancellationToken))]);
        var end = new Remembering<string>();
        var head = new SourceHead<string>(context, source, null, new Output<string>([end]), new Dictionary<string, ISideOutput>()) { Name = "source" };
        await head.OpenAsync(TestContext.Current.CancellationToken);
        return (head, end);
    }

    /// <summary>Reads what is written: a record, <c>?</c> for nothing at hand, <c>.</c> for the end, <c>!</c> for a fault.</summary>
    private sealed class Scripted(params string[][] splits) : Source<string>
    {
        public override ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation) =>
            new([.. splits.Select(static (_, index) => new SourceSplit($"{index}", ""))]);

        public override ValueTask<SplitReader<string>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation) =>
            new(new Reader(splits[int.Parse(split.Name, System.Globalization.CultureInfo.InvariantCulture)]));

        private sealed class Reader(string[] steps) : SplitReader<string>
        {
            private int _next;

            public override string Position => $"step {_next}";

            public override ReadOnlyMemory<byte> SaveOffset() => NumberedOffset.Encode(_next);

            public override ReadStatus Read(SourceOutput<string> output)
            {
                if (_next == steps.Length) return ReadStatus.Waiting;
                if (steps[_next] == "!") throw new InvalidDataException("torn");
                var step = steps[_next++];
                if (step is "." or "?") return step == "." ? ReadStatus.Ended : ReadStatus.Waiting;
                output.Add(step);
                return ReadStatus.More;
            }
        }
    }
}
