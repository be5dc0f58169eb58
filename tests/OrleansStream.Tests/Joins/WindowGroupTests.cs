using OrleansStream.Windows;

namespace OrleansStream.Tests.Joins;

/// <summary>Groups of windows of every kind, with lateness, against windows that keep a list of rows each.</summary>
public sealed class WindowGroupTests
{
    [Fact]
    public Task Tumbling_windows_give_the_groups_of_windows_that_keep_their_own_rows() => CheckAsync(static one =>
    {
        var size = 1 + one.Next(12);
        return (TumblingWindows.Of(Ms(size)), Aligned(size, size), false);
    });

    [Fact]
    public Task Sliding_windows_give_the_groups_of_windows_that_keep_their_own_rows() => CheckAsync(static one =>
    {
        // Sizes that are not a multiple of the slide, and slides longer than the size, which leave rows out.
        var (size, slide) = (1 + one.Next(16), 1 + one.Next(8));
        return (SlidingWindows.Of(Ms(size), Ms(slide)), Aligned(size, slide), false);
    });

    [Fact]
    public Task Sessions_give_the_groups_of_windows_that_merge_with_their_rows() => CheckAsync(static one =>
    {
        var gap = 1 + one.Next(8);
        return (SessionWindows.WithGap(Ms(gap)), (time, windows) => windows.Add(new TimeWindow(time, Clamp((Int128)time + gap))), true);
    });

    private static Task CheckAsync(Func<JoinCase, (WindowAssigner Windows, Action<long, List<TimeWindow>> Assign, bool Merges)> choose) => JoinCases.CheckAsync(async one =>
    {
        var (windows, assign, merges) = choose(one);
        var lateness = one.Next(2) * one.Next(8);
        var found = await one.RunAsync("join", (graph, one, output) => graph.From("left", one.Left).KeyBy(static text => text[0]).Join(graph.From("right", one.Right).KeyBy(static text => text[0]))
            .Window(windows, Ms(lateness)).CoGroup("join", static group => (string[])[Text(group.Key, group.Window, group.Left, group.Right)]).To("out", output));

        Assert.Equal(JoinCase.Sorted(one.Records.GroupBy(static record => record.Key).SelectMany(key => Reference(one, key, assign, merges, lateness))), found);
    });

    private static TimeSpan Ms(long milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    /// <summary>The groups of one key: windows with lists of their own, as Flink's window operator keeps them.</summary>
    private static IEnumerable<string> Reference(JoinCase one, IEnumerable<JoinRecord> records, Action<long, List<TimeWindow>> assign, bool merges, long lateness)
    {
        var windows = new List<(TimeWindow Window, List<JoinRecord> Rows)>();
        var byStep = records.ToDictionary(static record => record.Step);
        for (var step = 0; step < one.Watermarks.Count; step++)
        {
            var before = step == 0 ? long.MinValue : one.Watermarks[step - 1];
            if (byStep.TryGetValue(step, out var record))
            {
                var assigned = new List<TimeWindow>();
                assign(record.Time, assigned);
                foreach (var window in assigned)
                {
                    var entered = Enter(windows, window, record, merges);
                    if (Late(entered.Window, lateness) <= before) windows.Remove(entered);
                    else if (entered.Window.Last <= before) yield return Show(entered);
                }
            }

            foreach (var window in windows.Where(window => window.Window.Last > before && window.Window.Last <= one.Watermarks[step])) yield return Show(window);
            windows.RemoveAll(window => Late(window.Window, lateness) <= one.Watermarks[step]);
        }
    }

    private static (TimeWindow Window, List<JoinRecord> Rows) Enter(List<(TimeWindow Window, List<JoinRecord> Rows)> windows, TimeWindow window, JoinRecord record, bool merges)
    {
        var same = windows.Where(other => merges ? other.Window.Start < window.End && window.Start < other.Window.End : other.Window == window).ToList();
        var whole = new TimeWindow(same.Select(static other => other.Window.Start).Append(window.Start).Min(), same.Select(static other => other.Window.End).Append(window.End).Max());
        windows.RemoveAll(same.Contains);
        windows.Add((whole, [.. same.SelectMany(static other => other.Rows).Append(record).OrderBy(static row => row.Step)]));
        return windows[^1];
    }

    private static long Late(TimeWindow window, long lateness) => Clamp((Int128)window.Last + lateness);

    private static string Show((TimeWindow Window, List<JoinRecord> Rows) window) =>
        Text(window.Rows[0].Key, window.Window, window.Rows.Where(static row => row.IsLeft).Select(static row => row.Text), window.Rows.Where(static row => !row.IsLeft).Select(static row => row.Text))
        + $" @{window.Window.Last}";

    private static string Text(char key, TimeWindow window, IEnumerable<string> left, IEnumerable<string> right) =>
        $"{key} {window.Start}..{window.Last}: {string.Join('+', left)} & {string.Join('+', right)}";

    private static Action<long, List<TimeWindow>> Aligned(long size, long slide) => (time, windows) =>
    {
        for (var start = (Int128)time - size + 1; start <= time; start++)
        {
            if (start % slide == 0) windows.Add(new TimeWindow(Clamp(start), Clamp(start + size)));
        }
    };

    private static long Clamp(Int128 time) => (long)Int128.Max(long.MinValue, Int128.Min(time, long.MaxValue));
}
