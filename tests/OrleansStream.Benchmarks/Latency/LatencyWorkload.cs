using System.Diagnostics;
using OrleansStream.Benchmarks.Pacing;
using OrleansStream.Benchmarks.Watches;
using OrleansStream.Jobs;

namespace OrleansStream.Benchmarks.Latency;

/// <summary>How long a record takes through a stateful job at a steady rate: first what the job can do at most, unless a rate is given, then half of it.</summary>
internal sealed class LatencyWorkload : IWorkload
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Probe = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(20);

    /// <summary>For how long a job that fell behind may take to do the rest.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public string Name => "latency";

    public string Description => "paced source -> key by int -> running count and sum, emitting each -> sink, open loop: latency from when a record was due";

    /// <summary>As many as are due in the measured time.</summary>
    public long DefaultEvents => 0;

    public async Task<int> RunAsync(RunSettings settings, string command)
    {
        double? capacity = null;
        if (settings.Rate is null)
        {
            capacity = await ProbeAsync(settings);
            await Console.Error.WriteLineAsync(FormattableString.Invariant($"unpaced: {capacity / 1e6:0.00} M/s"));
        }

        var rate = settings.Rate ?? capacity!.Value / 2;
        var length = settings.Events > 0 ? TimeSpan.FromSeconds(settings.Events / rate) : settings.Seconds ?? Measured;
        var figures = (await PacedAsync(settings, rate, length)) with { CapacityPerSecond = capacity };
        var report = new LatencyReport(settings, command, figures);
        report.Print(Console.Out);
        if (settings.Json is { } file) await File.WriteAllTextAsync(file, report.ToJson());
        return figures.KeptUp ? 0 : 1;
    }

    /// <summary>The most that the job carries, in records per second.</summary>
    private static async Task<double> ProbeAsync(RunSettings settings)
    {
        var loop = new OpenLoop(null);
        var sink = new LatencySink();
        await using var run = await JobRun.StartAsync(settings, loop, sink);
        await Task.Delay(WarmUp);
        var (began, before) = (Stopwatch.GetTimestamp(), sink.Count);
        await Task.Delay(Probe);
        var rate = (sink.Count - before) / Stopwatch.GetElapsedTime(began).TotalSeconds;
        loop.End();
        await run.Silo.WaitForEndAsync();
        return rate;
    }

    private static async Task<LatencyFigures> PacedAsync(RunSettings settings, double rate, TimeSpan length)
    {
        var loop = new OpenLoop(rate, (long)(rate * (WarmUp + length).TotalSeconds));
        var sink = new LatencySink();
        await using var run = await JobRun.StartAsync(settings, loop, sink);
        await using var watch = new CheckpointWatch(run.Silo.Jobs, RunningSilo.Job);
        await loop.Begun;
        var from = loop.Start + (long)(WarmUp.TotalSeconds * Stopwatch.Frequency);
        sink.Measure(from, loop.Start + (long)((WarmUp + length).TotalSeconds * Stopwatch.Frequency));
        await Task.Delay(Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), from));

        var (at, began, before, checkpointsFrom) = (Stopwatch.GetTimestamp(), Marks.Take(), sink.Count, TimeProvider.System.GetUtcNow());
        PauseListener.Instance.Reset();
        await Task.Delay(length);
        var (came, took) = (sink.Count - before, Stopwatch.GetElapsedTime(at));
        var (ended, longestPause) = (Marks.Take(), PauseListener.Instance.Longest);
        var checkpoints = watch.Complete.Where(checkpoint => checkpoint.At >= checkpointsFrom).ToList();

        var end = run.Silo.WaitForEndAsync();
        if (await Task.WhenAny(end, Task.Delay(Patience)) != end) loop.End();
        await end;
        return new LatencyFigures(rate, came / took.TotalSeconds, took, sink.Latencies(), checkpoints, ended.Since(began), longestPause);
    }

    /// <summary>One run of the job.</summary>
    private sealed record JobRun(RunningSilo Silo, PacingThread Pacing, DirectoryInfo Folder) : IAsyncDisposable
    {
        public static async Task<JobRun> StartAsync(RunSettings settings, OpenLoop loop, LatencySink sink)
        {
            var folder = EmbeddedSilo.FolderFor(settings) ?? throw new BadSettingsException("Latency is measured with checkpoints; leave out --storage none.");
            var pacing = new PacingThread();
            var silo = await RunningSilo.StartAsync(folder.FullName, settings.CheckpointInterval, LatencyJob.Of(loop, pacing, settings.Keys, settings.Parallelism, sink));
            await silo.Jobs.StartAsync(RunningSilo.Job, new JobStart { Parallelism = settings.Parallelism });
            return new JobRun(silo, pacing, folder);
        }

        public async ValueTask DisposeAsync()
        {
            await Silo.DisposeAsync();
            Pacing.Dispose();
            Folder.Delete(recursive: true);
        }
    }
}

/// <summary>What the process has used so far.</summary>
internal readonly record struct Marks(TimeSpan Processor, TimeSpan Pauses, long AllocatedBytes, int Gen2)
{
    public static Marks Take() => new(Environment.CpuUsage.TotalTime, GC.GetTotalPauseDuration(), GC.GetTotalAllocatedBytes(), GC.CollectionCount(2));

    public Marks Since(Marks before) => new(Processor - before.Processor, Pauses - before.Pauses, AllocatedBytes - before.AllocatedBytes, Gen2 - before.Gen2);
}
