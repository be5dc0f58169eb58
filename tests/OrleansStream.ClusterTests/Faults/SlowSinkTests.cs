using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>A sink that is far slower than the source.</summary>
[Collection(nameof(MeasuredAlone))]
public sealed class SlowSinkTests(ITestOutputHelper output)
{
    private const int Splits = 2;

    [Fact]
    public async Task A_slow_sink_holds_the_source_back_and_memory_stays_flat()
    {
        var made = 0L;
        var place = new SlowPlace(perMillisecond: 10);
        var results = new CollectingSink<long>();
        await using var run = await PressureRun.StartAsync(output, parallelism: Splits, graph => graph
            .From("numbers", Generator.Of(n => Made(n, ref made), splits: Splits))
            .PartitionBy(static (number, subtasks) => (int)(number / Splits % subtasks))
            .To("results", new SlowSink<long>(results, place)));

        await run.RequireBoundedAsync(() => Interlocked.Read(ref made), () => place.Done, channels: Splits * Splits);
        await run.Cluster.Jobs.StopAsync("job", "for the test");
        var stopped = await run.Cluster.EndAsync();

        Assert.True((stopped.Phase, stopped.Attempt) == (JobPhase.Stopped, 1), $"{stopped.Phase}: {stopped.Cause}");
        run.RequireShortCalls();
        var committed = results.Committed;
        for (var split = 0; split < Splits; split++)
        {
            // As far as each split was read, every record once.
            var numbers = committed.Where(number => number % Splits == split).Order().ToList();
            Assert.NotEmpty(numbers);
            Assert.Equal(Enumerable.Range(0, numbers.Count).Select(n => ((long)n * Splits) + split), numbers);
        }
    }

    private static long Made(long number, ref long made)
    {
        Interlocked.Increment(ref made);
        return number;
    }

    private sealed class SlowSink<T>(CollectingSink<T> inner, SlowPlace place) : Sink<T>
    {
        public override SinkGuarantee Guarantee => inner.Guarantee;

        public override async ValueTask<SinkWriter<T>> OpenAsync(SinkContext context, CancellationToken cancellation) => new Writer(await inner.OpenAsync(context, cancellation), place);

        public override ValueTask CommitAsync(IReadOnlyList<PendingOutput> outputs, CommitPermit permit, CancellationToken cancellation) => inner.CommitAsync(outputs, permit, cancellation);

        public override ValueTask FinishAsync(long outputs, CommitPermit permit, CancellationToken cancellation) => inner.FinishAsync(outputs, permit, cancellation);

        private sealed class Writer(SinkWriter<T> inner, SlowPlace place) : SinkWriter<T>
        {
            public override void Write(ReadOnlySpan<T> values, ReadOnlySpan<long> timestamps)
            {
                foreach (var _ in values) place.Take();
                inner.Write(values, timestamps);
            }

            public override ValueTask<string?> PrepareAsync(CheckpointId checkpoint, CancellationToken cancellation) => inner.PrepareAsync(checkpoint, cancellation);
        }
    }
}
