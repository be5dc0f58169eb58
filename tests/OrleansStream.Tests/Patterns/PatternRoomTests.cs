using OrleansStream.Functions;
using OrleansStream.Patterns;
using OrleansStream.Stages;
using OrleansStream.Tests.Stages;

namespace OrleansStream.Tests.Patterns;

/// <summary>Patterns whose channels are full.</summary>
public sealed class PatternRoomTests
{
    private readonly SubtaskContext _context = Wiring.Context();
    private readonly Remembering<Match<string>> _matches = new();
    private readonly Remembering<TimedOutMatch<string>> _timedOut = new();

    [Fact]
    public void Without_room_a_key_pauses_between_two_records_and_goes_on_in_order_without_loss()
    {
        var full = Wiring.Output(window: 1);
        full.Enqueue(null);
        _context.Outputs.Add(full);
        var pattern = Make(Pattern.Begin<string>("a").Where(static record => record[2] == 'a'));
        pattern.GiveKeyed(Key, ("k/a3", 30), ("k/a1", 10), ("k/a4", 30), ("l/a1", 5), ("k/a5", 30), ("k/a2", 20), ("k/a9", 101));
        pattern.OnWatermark(100);
        Assert.Equal(["a[l/a1]@5"], _matches.All);

        string[] order = ["a[k/a1]@10", "a[k/a2]@20", "a[k/a3]@30", "a[k/a4]@30", "a[k/a5]@30"];
        foreach (var next in order)
        {
            Assert.True(pattern.HasPending);
            pattern.Resume();
            Assert.Equal(next, _matches.All[^1]);
        }

        full.TakeAll();
        full.Credit(1);
        pattern.Resume();
        Assert.False(pattern.HasPending);
        Assert.Equal("|100", _matches.All[^1]);
        pattern.OnWatermark(101);
        Assert.Equal(["a[l/a1]@5", .. order, "|100", "a[k/a9]@101", "|101"], _matches.All);
    }

    [Fact]
    public void Without_room_time_stands_still_between_two_bounds()
    {
        var full = Wiring.Output(window: 1);
        full.Enqueue(null);
        _context.Outputs.Add(full);
        var pattern = Make(Pattern.Begin<string>("a").FollowedBy("b").Where(static record => record[2] == 'b').Within(TimeSpan.FromMilliseconds(10)));
        pattern.GiveKeyed(Key, ("k/a1", 1), ("k/a2", 3), ("k/b1", 12));
        pattern.OnWatermark(100);
        while (pattern.HasPending && _timedOut.Records.Count == 0) pattern.Resume();
        Assert.Equal(11, Assert.Single(_timedOut.Records).At);
        Assert.Empty(_matches.Records);

        full.TakeAll();
        full.Credit(1);
        pattern.Resume();
        Assert.Equal(["a[k/a2] b[k/b1]@12", "|100"], _matches.All);
        Assert.Equal([11, 22], _timedOut.Records.Select(static record => record.At));
    }

    private static string Key(string record) => record[..1];

    private PatternOperator<string, string> Make(Pattern<string> pattern) => new(
        "match", _context, Key, PatternCompiler<string>.Compile(pattern), 100,
        new PatternOutputs<string>(new Output<Match<string>>([_matches]), new Output<TimedOutMatch<string>>([_timedOut]), new Output<string>([])), wantsTimedOut: true,
        Wiring.Failures<string>(_context, OnError.Fail))
    { Name = "match" };
}
