using OrleansStream.Graph;
using OrleansStream.Joins;
using OrleansStream.Testing;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Joins;

public sealed class JoinEveryWayTests
{
    private static readonly TimeSpan Ten = TimeSpan.FromMilliseconds(10);

    [Fact]
    public Task An_interval_join_gives_the_same_however_it_is_run() =>
        RunAsync(static join => join.Between(-Ten, Ten).SelectFull("join", static (l, r) => $"{l}|{r}"), ["a1|a2 @20", "a4|a2 @21", "b3| @34", "c6| @67", "|a5 @70"]);

    [Fact]
    public Task A_window_join_gives_the_same_however_it_is_run() =>
        RunAsync(static join => join.Window(TumblingWindows.Of(Ten)).SelectFull("join", static (l, r) => $"{l}|{r}"), ["a1| @19", "a4|a2 @29", "b3| @29", "c6| @59", "|a5 @69"]);

    [Fact]
    public Task A_group_is_the_same_however_it_is_run() => RunAsync(
        static join => join.Window(TumblingWindows.Of(3 * Ten)).CoGroup("join", Group),
        ["&a5 @89", "a1+a4&a2 @29", "b3& @29", "c6& @59"]);

    [Fact]
    public Task A_temporal_join_gives_the_same_however_it_is_run() =>
        RunAsync(static join => join.AsOf().SelectLeft("join", static (l, r) => $"{l}|{r}"), ["a1| @19", "a4|a2 @21", "b3| @24", "c6| @57"]);

    private static IEnumerable<string> Group(CoGroup<char, string, string> group) => [$"{string.Join('+', group.Left)}&{string.Join('+', group.Right)}"];

    private static async Task RunAsync(Func<KeyedJoin<char, string, string>, DataStream<string>> define, string[] expected)
    {
        var results = await EveryWay.RunAsync(() =>
        {
            var (left, right, output) = (new TestInput<string>(), new TestInput<string>(), new TestOutput<string>());
            return new Scenario(
                graph => define(graph.From("left", left).KeyBy(static text => text[0]).Join(graph.From("right", right).KeyBy(static text => text[0]))).To("out", output),
                [
                    () => left.Add("a1", 19), () => right.Add("a2", 20), () => left.Add("b3", 24), () => left.Add("a4", 21), () => left.Watermark(30), () => right.Watermark(24),
                    () => right.Add("a5", 60), () => right.Watermark(50), () => left.Watermark(40), () => left.Add("c6", 57), () => left.End(), () => right.End(),
                ],
                new Dictionary<string, Func<IEnumerable<string>>> { ["the output"] = () => Scenario.Text(output) });
        });

        Assert.Equal(expected.Order(StringComparer.Ordinal), results["the output"]);
    }
}
