using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

/// <summary>What windows that do not merge must give, by the definition and over the whole input at once: no state, no panes, no schedule.</summary>
internal static class WindowReference
{
    /// <param name="input">The case.</param>
    /// <param name="windowsOf">All windows that hold a time.</param>
    /// <param name="lateness">How long a window is kept behind its end.</param>
    public static (IReadOnlyList<string> Results, IReadOnlyList<string> Late) Of(WindowCase input, Func<long, IEnumerable<TimeWindow>> windowsOf, long lateness)
    {
        var steps = input.Steps;
        var watermarks = new long[steps.Count];
        for (var i = 0; i < steps.Count; i++)
        {
            var before = i == 0 ? long.MinValue : watermarks[i - 1];
            watermarks[i] = steps[i].IsWatermark ? Math.Max(before, steps[i].Record.Time) : before;
        }

        var results = new List<string>();
        var records = Enumerable.Range(0, steps.Count).Where(i => !steps[i].IsWatermark).ToList();
        foreach (var (key, window) in records.SelectMany(i => windowsOf(steps[i].Record.Time).Select(window => (steps[i].Record.Key, window))).Distinct())
        {
            var end = Array.FindIndex(watermarks, watermark => watermark >= window.Last) is var found && found < 0 ? steps.Count : found;
            var taken = records.Where(i => steps[i].Record.Key == key && windowsOf(steps[i].Record.Time).Contains(window) && (Int128)watermarks[i] < (Int128)window.Last + lateness).ToList();
            var onTime = taken.Where(i => i < end).ToList();
            if (onTime.Count > 0) results.Add(Line(onTime, WindowFiring.OnTime));
            foreach (var late in taken.Where(i => i > end)) results.Add(Line(taken.Where(i => i <= late), WindowFiring.Late));

            string Line(IEnumerable<int> of, WindowFiring firing) => WindowCase.Text(key, window, Listing.Of(of.Select(i => steps[i].Record.Number)), firing, window.Last);
        }

        var dropped = records.Where(i => (Int128)steps[i].Record.Time + lateness <= watermarks[i] && windowsOf(steps[i].Record.Time).All(window => (Int128)window.Last + lateness <= watermarks[i]));
        return (WindowCase.Sorted(results), WindowCase.Sorted(dropped.Select(i => steps[i].Record.ToString())));
    }

    /// <summary>All windows that begin at a multiple of the slide and hold a time.</summary>
    public static IEnumerable<TimeWindow> Sliding(long time, long size, long slide, long offset)
    {
        for (var start = (Int128)time - size + 1; start <= time; start++)
        {
            if ((start - offset) % slide != 0) continue;
            yield return new TimeWindow(start < long.MinValue ? long.MinValue : (long)start, start + size > long.MaxValue ? long.MaxValue : (long)(start + size));
        }
    }
}
