using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

/// <summary>What sessions must give: every session of a key is found anew after each step from the records that were taken so far.</summary>
internal static class SessionReference
{
    public static (IReadOnlyList<string> Results, IReadOnlyList<string> Late) Of(WindowCase input, Func<Numbered, long> gapOf, long lateness)
    {
        var results = new List<string>();
        var late = new List<string>();
        foreach (var key in input.Steps.Where(static step => !step.IsWatermark).Select(static step => step.Record.Key).Distinct())
        {
            var taken = new List<Numbered>();
            var watermark = long.MinValue;
            foreach (var step in input.Steps.Append(new CaseStep(new Numbered(null!, 0, long.MaxValue))))
            {
                if (step.IsWatermark)
                {
                    var reached = Math.Max(watermark, step.Record.Time);
                    foreach (var session in Sessions(taken).Where(session => session.Window.Last > watermark && session.Window.Last <= reached)) Fire(session, WindowFiring.OnTime);
                    watermark = reached;
                    // A session that is over takes nothing more in: its records are out of the game.
                    foreach (var session in Sessions(taken).Where(session => (Int128)session.Window.Last + lateness <= watermark).ToList()) taken.RemoveAll(session.Records.Contains);
                }
                else if (step.Record.Key == key)
                {
                    var session = Sessions([.. taken, step.Record]).Single(session => session.Records.Contains(step.Record));
                    if ((Int128)session.Window.Last + lateness <= watermark)
                    {
                        late.Add(step.Record.ToString());
                        continue;
                    }

                    taken.Add(step.Record);
                    if (session.Window.Last <= watermark) Fire(session, WindowFiring.Late);
                }
            }

            void Fire((TimeWindow Window, List<Numbered> Records) session, WindowFiring firing) =>
                results.Add(WindowCase.Text(key, session.Window, Listing.Of(session.Records.Select(static record => record.Number)), firing, session.Window.Last));
        }

        return (WindowCase.Sorted(results), WindowCase.Sorted(late));

        List<(TimeWindow Window, List<Numbered> Records)> Sessions(IEnumerable<Numbered> records)
        {
            var sessions = new List<(TimeWindow Window, List<Numbered> Records)>();
            foreach (var record in records.OrderBy(static record => record.Time))
            {
                var end = record.Time + gapOf(record);
                if (sessions.Count > 0 && record.Time < sessions[^1].Window.End)
                {
                    var (window, inIt) = sessions[^1];
                    inIt.Add(record);
                    sessions[^1] = (new TimeWindow(window.Start, Math.Max(window.End, end)), inIt);
                }
                else
                {
                    sessions.Add((new TimeWindow(record.Time, end), [record]));
                }
            }

            return sessions;
        }
    }
}
