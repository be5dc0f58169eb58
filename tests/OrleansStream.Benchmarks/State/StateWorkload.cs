using System.Diagnostics;
using OrleansStream.Benchmarks.Pacing;
using OrleansStream.Benchmarks.Watches;
using OrleansStream.Jobs;

namespace OrleansStream.Benchmarks.State;

/// <summary>
/// What checkpoints of large state cost. When a checkpoint is taken, and whether it is full, is the engine's to decide: by its interval, and by how large the deltas have
/// become. So the load goes on until a full one has come, and what is to be in a delta changes right behind another checkpoint.
/// </summary>
internal sealed class StateWorkload : IWorkload
{
    private const double DefaultRate = 1_000_000;

    /// <summary>The keys' shares that change before a delta: one of so many.</summary>
    private const int OnePercent = 100;
    private const int TenPercent = 10;

    /// <summary>How long the load has to run before the full checkpoint that counts begins.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);

    /// <summary>How long after its end a checkpoint may still show in the memory: what it held is given back then.</summary>
    private static readonly TimeSpan Afterwards = TimeSpan.FromMilliseconds(200);

    public string Name => "state";

    public string Description => "checkpoints of large keyed state: full under load, deltas, restore; updates of random int keys at a rate";

    public long DefaultEvents => 0;

    public int DefaultKeys => 1_000_000;

    public TimeSpan DefaultCheckpointInterval => TimeSpan.FromSeconds(10);

    public async Task<int> RunAsync(RunSettings settings, string command)
    {
        var folder = EmbeddedSilo.FolderFor(settings) ?? throw new BadSettingsException("Checkpoints are what is measured; leave out --storage none.");
        using var pacing = new PacingThread();
        try
        {
            var figures = await MeasureAsync(settings, settings.Rate ?? DefaultRate, folder.FullName, pacing);
            var report = new StateReport(settings, command, figures);
            report.Print(Console.Out);
            if (settings.Json is { } file) await File.WriteAllTextAsync(file, report.ToJson());
            return figures.Restored.IsRight ? 0 : 1;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<StateFigures> MeasureAsync(RunSettings settings, double rate, string folder, PacingThread pacing)
    {
        var (loaded, one, ten, last) = await CheckpointsAsync(settings, rate, folder, pacing);
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return new StateFigures(rate, loaded, one, ten, await RestoreAsync(settings, folder, pacing, last));
    }

    private static async Task<(LoadedCheckpoint Loaded, CheckpointStatus OnePercent, CheckpointStatus TenPercent, CheckpointStatus Last)> CheckpointsAsync(
        RunSettings settings, double rate, string folder, PacingThread pacing)
    {
        await using var run = await StateRun.PrepareAsync(settings, folder, pacing);
        using var samples = new MemorySamples(() => run.Sink.Count);
        await run.StartAsync(settings);
        await using var watch = new CheckpointWatch(run.Silo.Jobs, RunningSilo.Job);
        var began = Stopwatch.GetTimestamp();
        await run.Feed.SweepAsync(1);
        await run.ProcessedAsync();
        await Progress(FormattableString.Invariant($"{settings.Keys:N0} keys filled in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s; now {rate:N0} updates/s until a full checkpoint has come"));

        PauseListener.Instance.Reset();
        run.Feed.Load(rate);
        var full = await watch.FirstAsync(TimeProvider.System.GetUtcNow() + WarmUp, static checkpoint => checkpoint.IsFull);
        await Task.Delay(Afterwards);
        var loaded = Look(full, run, samples);
        run.Feed.Rest();
        await run.ProcessedAsync();
        await Progress("full checkpoint taken; now deltas of 1 % and 10 %");

        var one = await run.DeltaAsync(watch, OnePercent);
        var ten = await run.DeltaAsync(watch, TenPercent);
        await run.Silo.Jobs.StopAsync(RunningSilo.Job, "measured");
        var ended = await run.Silo.WaitForEndAsync();
        return (loaded, one, ten, ended.Checkpoints[0]);
    }

    private static LoadedCheckpoint Look(CheckpointStatus full, StateRun run, MemorySamples samples)
    {
        var begin = Ticks(full.At);
        var end = begin + (long)(full.Duration.TotalSeconds * Stopwatch.Frequency);
        var before = begin - Stopwatch.Frequency;
        return new LoadedCheckpoint(
            full,
            Gaps.Of(run.Sink.Beats, before, begin),
            Gaps.Of(run.Sink.Beats, begin, end),
            Gaps.Of(run.Feed.Beats, before, begin),
            Gaps.Of(run.Feed.Beats, begin, end),
            PauseListener.Instance.Longest,
            samples.PeakBytes(before, begin),
            samples.PeakBytes(begin, end + (long)(Afterwards.TotalSeconds * Stopwatch.Frequency)),
            samples.PerSecond(before, end));
    }

    /// <summary>A second silo goes on from the checkpoints of the first; then every key is looked at.</summary>
    private static async Task<RestoredState> RestoreAsync(RunSettings settings, string folder, PacingThread pacing, CheckpointStatus last)
    {
        await using var run = await StateRun.PrepareAsync(settings, folder, pacing);
        await Progress($"restoring from checkpoint {last.Id}");
        var sweep = run.Feed.SweepAsync(1);
        var began = Stopwatch.GetTimestamp();
        await run.StartAsync(settings);
        await run.Sink.AllBegun;
        var first = run.Sink.Beats.Max(static beats => beats.First);
        await sweep;
        await run.ProcessedAsync();
        run.Feed.End();
        var ended = await run.Silo.WaitForEndAsync();
        return new RestoredState(
            last,
            ended.RestoredFrom == last.Id,
            Stopwatch.GetElapsedTime(began, first),
            Stopwatch.GetElapsedTime(began, run.Sink.LastOpened),
            settings.Keys,
            run.Sink.Count,
            run.Feed.GivenBefore,
            run.Sink.Counts - run.Sink.Count,
            run.Sink.Wrong);
    }

    private static long Ticks(DateTimeOffset at) => Stopwatch.GetTimestamp() - (long)((TimeProvider.System.GetUtcNow() - at).TotalSeconds * Stopwatch.Frequency);

    private static Task Progress(string text) => Console.Error.WriteLineAsync(text);
}
