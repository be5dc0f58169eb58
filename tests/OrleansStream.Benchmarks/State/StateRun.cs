using OrleansStream.Benchmarks.Pacing;
using OrleansStream.Benchmarks.Watches;
using OrleansStream.Graph;
using OrleansStream.Jobs;

namespace OrleansStream.Benchmarks.State;

/// <summary>One start of the job on a silo of its own.</summary>
internal sealed class StateRun : IAsyncDisposable
{
    private StateRun(RunningSilo silo, Feed feed, UpdatedSink sink)
    {
        Silo = silo;
        Feed = feed;
        Sink = sink;
    }

    public RunningSilo Silo { get; }

    public Feed Feed { get; }

    public UpdatedSink Sink { get; }

    /// <summary>Starts the silo, and not yet the job.</summary>
    public static async Task<StateRun> PrepareAsync(RunSettings settings, string folder, PacingThread pacing)
    {
        var feed = new Feed(settings.Keys, settings.Parallelism, pacing);
        var sink = new UpdatedSink();
        return new StateRun(await RunningSilo.StartAsync(folder, settings.CheckpointInterval, Define(settings, feed, sink)), feed, sink);
    }

    public Task StartAsync(RunSettings settings) => Silo.Jobs.StartAsync(RunningSilo.Job, new JobStart { Parallelism = settings.Parallelism });

    /// <summary>Completes when everything that was given is processed.</summary>
    public async Task ProcessedAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (Sink.Count < Feed.Given - Feed.GivenBefore)
        {
            await timer.WaitForNextTickAsync();
            var status = await Silo.Jobs.GetStatusAsync(RunningSilo.Job);
            if (status.Phase == JobPhase.Failed) throw new InvalidOperationException($"The job failed: {status.Cause}");
        }
    }

    /// <summary>
    /// The first delta that holds every <paramref name="stride"/>th key, and nothing else: the keys change right behind a checkpoint, and again behind the next one when that
    /// came too early or was full by the engine's own rule.
    /// </summary>
    public async Task<CheckpointStatus> DeltaAsync(CheckpointWatch watch, int stride)
    {
        var resting = TimeProvider.System.GetUtcNow();
        while (true)
        {
            var before = await watch.FirstAsync(resting, static _ => true);
            await Feed.SweepAsync(stride);
            await ProcessedAsync();
            resting = TimeProvider.System.GetUtcNow();
            var next = await watch.FirstAsync(before.At, checkpoint => checkpoint.Id != before.Id);
            if (next.At >= resting && !next.IsFull) return next;
        }
    }

    public ValueTask DisposeAsync() => Silo.DisposeAsync();

    private static Action<JobGraph> Define(RunSettings settings, Feed feed, UpdatedSink sink) => settings.ValueBytes switch
    {
        16 => Define<Tally16>(feed, sink),
        32 => Define<Tally32>(feed, sink),
        64 => Define<Tally64>(feed, sink),
        var other => throw new BadSettingsException($"--value-bytes is {other}; there are values of 16, 32 and 64 bytes."),
    };

    private static Action<JobGraph> Define<TValue>(Feed feed, UpdatedSink sink)
        where TValue : struct, ITally<TValue> => graph => graph
        .From("updates", feed.Source)
        .KeyBy(static update => update.Key)
        .Process("tally", static _ => new TallyFunction<TValue>())
        .To("updated", sink);
}
