using OrleansStream.Graph;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.Time;

namespace OrleansStream.Tests.Stages;

public sealed class SplitsReportTests
{
    [Fact]
    public async Task A_source_subtask_names_the_split_that_holds_it_back_and_those_that_are_paused_or_idle()
    {
        var strategy = WatermarkStrategy.Monotonous<long>().WithAlignment("all", TimeSpan.FromMilliseconds(10)).WithIdleness(TimeSpan.FromMilliseconds(50));
        var subtask = await LoneSubtask.OpenAsync(graph => graph.From("in", new Waiting([100, 5, 0])).WithTimestamps(strategy).To("out", new CollectingSink<long>()), "in");
        subtask.Run();

        // The one without a record holds the others back, and they are read up to their first.
        var report = subtask.Subtask.ReportSplits()!;
        Assert.Equal(("in", 3, "split-2", EventTime.Beginning), (report.Source, report.Count, report.Slowest, report.SlowestWatermark));
        Assert.Equal(["split-0", "split-1"], report.PausedNames);
        Assert.Equal((2, 0), (report.Paused, report.Idle));

        subtask.Step(advance: 50);
        report = subtask.Subtask.ReportSplits()!;
        Assert.Equal(("split-1", 4L, 1, 1), (report.Slowest, report.SlowestWatermark, report.Idle, report.Paused));
        Assert.Equal(["split-2"], report.IdleNames);
        Assert.Equal(["split-0"], report.PausedNames);
        Assert.False(report.IsIdle);
    }

    [Fact]
    public async Task Where_there_is_no_event_time_or_no_source_nothing_is_reported()
    {
        var source = await LoneSubtask.OpenAsync(static graph => Define(graph), "in");
        source.Run();
        Assert.Null(source.Subtask.ReportSplits());
        var below = await LoneSubtask.OpenAsync(static graph => Define(graph), "out");
        Assert.Null(below.Subtask.ReportSplits());

        static void Define(JobGraph graph) => graph.From("in", new Waiting([1])).Rebalance().To("out", new CollectingSink<long>());
    }

    /// <summary>One record in each split, of that time, none where the time is 0; then nothing more for now.</summary>
    private sealed class Waiting(long[] times) : Source<long>
    {
        public override ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation) => new([.. times.Select(static (_, split) => new SourceSplit($"split-{split}", ""))]);

        public override ValueTask<SplitReader<long>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation) =>
            new(new Reader(times[split.Name[^1] - '0']));

        private sealed class Reader(long time) : SplitReader<long>
        {
            private bool _given = time == 0;

            public override string Position => "";

            public override ReadOnlyMemory<byte> SaveOffset() => ReadOnlyMemory<byte>.Empty;

            public override ReadStatus Read(SourceOutput<long> output)
            {
                if (_given) return ReadStatus.Waiting;
                _given = true;
                output.Add(time, time);
                return ReadStatus.More;
            }
        }
    }
}
