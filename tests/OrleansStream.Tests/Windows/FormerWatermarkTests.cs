using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Tests.Stages;
using OrleansStream.Tests.State;
using OrleansStream.Time;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

/// <summary>Subtasks that were at different watermarks are restored as one, which is at the highest: what came due in between is still to fire.</summary>
public sealed class FormerWatermarkTests
{
    private static readonly SlidingWindows Sliding = SlidingWindows.Of(TimeSpan.FromMilliseconds(1000), TimeSpan.FromMilliseconds(500));

    [Theory]
    [InlineData("panes", "[0,1000) OnTime", "[500,1500) OnTime", "[500,1500) OnTime")]
    [InlineData("windows", "[0,1000) OnTime", "[500,1500) OnTime", "[500,1500) OnTime")]
    [InlineData("timers", "[0,1000) OnTime", "[500,1500) OnTime", "[500,1500) OnTime")]
    [InlineData("sessions", "[600,1000) OnTime", null, null)]
    public async Task Windows_that_came_due_between_the_watermarks_fire_at_once_and_those_that_had_fired_do_not(string kind, string atOnce, string? later, string? laterToo)
    {
        var store = new SegmentStore();
        var slow = await SaveAsync(0, 100);
        var fast = await SaveAsync(1, 1200);
        var context = Wiring.Context();
        var results = new Remembering<WindowResult<string, string>>();
        var windows = Make(kind, context, results);
        await context.State.RestoreAsync(store, [slow.Chain, fast.Chain], TestContext.Current.CancellationToken);
        context.FormerWatermarks = [new FormerWatermark(slow.Chain.FormerGroups, 100), new FormerWatermark(fast.Chain.FormerGroups, 1200)];
        await windows.OpenAsync(TestContext.Current.CancellationToken);
        var resumable = Assert.IsAssignableFrom<IResumable>(windows);

        Assert.True(resumable.HasPending);
        resumable.Resume();
        Assert.False(resumable.HasPending);
        Assert.Equal([$"{slow.Key} {atOnce}"], Lines());
        windows.OnWatermark(EventTime.End);

        string[] expected = [$"{slow.Key} {atOnce}", .. later is null ? (string[])[] : [$"{slow.Key} {later}", $"{fast.Key} {laterToo}"]];
        Assert.Equal(expected.Order(StringComparer.Ordinal), Lines().Order(StringComparer.Ordinal));

        List<string> Lines() => [.. results.Values.Select(static result => $"{result.Key} [{result.Window.Start},{result.Window.End}) {result.Firing}")];

        async Task<(string Key, SegmentChain Chain)> SaveAsync(int index, long watermark)
        {
            var former = Wiring.Context(new SubtaskId(1, index), parallelism: 2);
            var key = Enumerable.Range('a', 26).Select(static c => $"{(char)c}").First(key => former.Groups.Contains(KeyGroups.Of(KeyCodec<string>.Default.Hash(key), 128)));
            var formerWindows = Make(kind, former, new Remembering<WindowResult<string, string>>());
            await formerWindows.OpenAsync(TestContext.Current.CancellationToken);
            formerWindows.GiveKeyed(static record => record.Key, (new Numbered(key, 1, 600), 600L));
            formerWindows.OnWatermark(watermark);
            var segment = former.State.Freeze(Wiring.Checkpoint(1), full: true, []).Encode();
            return (key, new SegmentChain(index, former.Groups, [store.Put($"segment-{index}", segment)]));
        }
    }

    private static Operator<Numbered> Make(string kind, SubtaskContext context, Remembering<WindowResult<string, string>> results)
    {
        var output = new Output<WindowResult<string, string>>([results]);
        var lateness = TimeSpan.FromMilliseconds(500);
        if (kind == "panes")
        {
            return new SlidingOperator<string, Numbered, string, string>(
                "list", context, static record => record.Key, Sliding, lateness, new Listing(), output, new Output<Numbered>([]), Wiring.Failures<Numbered>(context))
            { Name = "list" };
        }

        WindowAssigner assigner = kind == "sessions" ? SessionWindows.WithGap(TimeSpan.FromMilliseconds(400)) : Sliding;
        var outputs = new WindowOutputs<WindowResult<string, string>>("list", output, new Dictionary<string, ISideOutput>(), hold: false);
        return new GeneralWindowOperator<string, Numbered>("list", context, new WindowSettings<string, Numbered>
        {
            Key = static record => record.Key,
            Assign = assigner.For<Numbered>()!,
            IsProcessingTime = false,
            IsEndless = false,
            Merges = assigner.Merges,
            Lateness = lateness,
            Trigger = kind == "timers" ? Triggers.EventTime<Numbered>() : null,
            Content = new AggregateContent<string, Numbered, string, string>(new Listing(), _ => new ResultTarget<string, string>(outputs)),
            Outputs = outputs,
            Late = new Output<Numbered>([]),
            Failures = Wiring.Failures<Numbered>(context),
        })
        { Name = "list" };
    }
}
