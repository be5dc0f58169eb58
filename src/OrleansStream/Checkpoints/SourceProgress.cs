using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.Time;

namespace OrleansStream.Checkpoints;

/// <summary>Puts the reports of source subtasks together: how far each source has come in event time, and which of them the job waits for.</summary>
internal static class SourceProgress
{
    /// <summary>The most splits of a kind that are named for one source.</summary>
    private const int MostNamed = 8;

    /// <summary>The status of every source of which a subtask has reported event time.</summary>
    /// <param name="reports">The latest reports of an attempt's subtasks, in their order.</param>
    /// <param name="now">The silo's clock.</param>
    public static IReadOnlyList<SourceStatus> Of(IEnumerable<SubtaskReport> reports, DateTimeOffset now)
    {
        var sources = reports.Where(static report => report.Splits is not null).GroupBy(static report => report.Splits!.Source).Select(static same => new Source(same.Key, [.. same])).ToList();
        var lowest = sources.Select(static source => source.SlowestWatermark).DefaultIfEmpty(EventTime.End).Min();
        return sources.Select(source => source.ToStatus(now, source.Slowest is not null && source.SlowestWatermark == lowest)).ToArray();
    }

    private sealed class Source
    {
        private readonly string _name;
        private readonly SubtaskReport[] _subtasks;

        public Source(string name, SubtaskReport[] subtasks)
        {
            (_name, _subtasks) = (name, subtasks);
            var slowest = subtasks.Select(static subtask => subtask.Splits!).Where(static splits => splits.Slowest is not null).MinBy(static splits => splits.SlowestWatermark);
            Slowest = slowest?.Slowest;
            SlowestWatermark = slowest?.SlowestWatermark ?? EventTime.End;
        }

        public string? Slowest { get; }

        public long SlowestWatermark { get; }

        /// <summary>Of the subtasks that are not idle; where all are, of all that have not ended.</summary>
        private long Watermark => _subtasks.Where(static subtask => !subtask.Splits!.IsIdle).Select(static subtask => subtask.Watermark).DefaultIfEmpty(_subtasks.Min(static subtask => subtask.Watermark)).Min();

        public SourceStatus ToStatus(DateTimeOffset now, bool holdsBack)
        {
            var watermark = EventTime.ToDateTime(Watermark);
            return new SourceStatus
            {
                Name = _name,
                Watermark = watermark,
                Lag = Watermark == EventTime.End ? null : now - watermark,
                SlowestSplit = Slowest,
                HoldsBack = holdsBack,
                Splits = _subtasks.Sum(static subtask => subtask.Splits!.Count),
                EndedSplits = _subtasks.Sum(static subtask => subtask.Splits!.Ended),
                IdleSplits = _subtasks.Sum(static subtask => subtask.Splits!.Idle),
                IdleNames = Names(static splits => splits.IdleNames),
                PausedSplits = _subtasks.Sum(static subtask => subtask.Splits!.Paused),
                PausedNames = Names(static splits => splits.PausedNames),
            };
        }

        private string[] Names(Func<SplitsReport, IReadOnlyList<string>> names) => _subtasks.SelectMany(subtask => names(subtask.Splits!)).Take(MostNamed).ToArray();
    }
}
