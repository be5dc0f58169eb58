using System.Text.Json;
using HdrHistogram;
using OrleansStream.Jobs;

namespace OrleansStream.Benchmarks.Latency;

/// <summary>What a paced run came to.</summary>
/// <param name="AskedPerSecond">The rate at which records came due.</param>
/// <param name="ReachedPerSecond">The rate at which they left the job.</param>
/// <param name="Time">How long was measured.</param>
/// <param name="Latencies">In nanoseconds.</param>
/// <param name="Checkpoints">Those that began and ended within the time.</param>
/// <param name="Used">What the process used within the time.</param>
/// <param name="LongestPause">Of the collector.</param>
internal sealed record LatencyFigures(
    double AskedPerSecond, double ReachedPerSecond, TimeSpan Time, HistogramBase Latencies, IReadOnlyList<CheckpointStatus> Checkpoints, Marks Used, TimeSpan LongestPause)
{
    /// <summary>The most that the same job carried; null when it was not measured.</summary>
    public double? CapacityPerSecond { get; init; }

    /// <summary>Whether the job did what came due: otherwise its latencies say how long the run was and no more.</summary>
    public bool KeptUp => ReachedPerSecond >= AskedPerSecond * 0.99;

    public double Milliseconds(double percentile) => Latencies.GetValueAtPercentile(percentile) / 1e6;

    public double CoresUsed => Used.Processor / Time;
}

internal sealed class LatencyReport(RunSettings settings, string command, LatencyFigures figures)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Percentiles, with what is asked of them in milliseconds.</summary>
    private static readonly (string Name, double Percentile, double? Asked)[] Percentiles = [("p50", 50, 1), ("p90", 90, null), ("p99", 99, 5), ("p99.9", 99.9, 20), ("max", 100, null)];

    private readonly Machine _machine = Machine.Observe(settings);

    public void Print(TextWriter to)
    {
        to.WriteLine(Text($"latency: open loop, {settings.Keys:N0} keys, parallelism {settings.Parallelism}, {settings.StorageText}"));
        to.WriteLine(_machine.ToString());
        to.WriteLine($"command: {command}");
        to.WriteLine();
        to.WriteLine(figures.CapacityPerSecond is { } capacity
            ? Text($"unpaced the job carries {capacity / 1e6:0.00} M records/s; offered: half of it, {figures.AskedPerSecond / 1e6:0.00} M/s")
            : Text($"offered: {figures.AskedPerSecond / 1e6:0.000} M records/s"));
        to.WriteLine(Text($"reached: {figures.ReachedPerSecond / 1e6:0.000} M/s over {figures.Time.TotalSeconds:0.0} s{(figures.KeptUp ? "" : ": THE JOB FELL BEHIND, no latency here counts")}"));
        to.WriteLine();
        to.WriteLine("| latency | ms | asked |");
        to.WriteLine("| --- | --- | --- |");
        foreach (var (name, percentile, asked) in Percentiles)
        {
            to.WriteLine(Text($"| {name} | {figures.Milliseconds(percentile):0.00} | {(asked is { } limit ? Text($"< {limit}: {(figures.Milliseconds(percentile) < limit ? "yes" : "NO")}") : "")} |"));
        }

        to.WriteLine();
        to.WriteLine(Text($"{figures.Latencies.TotalCount:N0} records measured, from when each was due to when the sink had it"));
        to.WriteLine(figures.Checkpoints.Count == 0
            ? "no checkpoint meanwhile"
            : Text($"{figures.Checkpoints.Count} checkpoints meanwhile ({figures.Checkpoints.Count(static c => c.IsFull)} full), median {Median():0} ms, longest {figures.Checkpoints.Max(static c => c.Duration.TotalMilliseconds):0} ms, at most {figures.Checkpoints.Max(static c => c.WrittenBytes) / 1024d:0} KiB, longest freeze {figures.Checkpoints.Max(static c => c.LongestStall.TotalMilliseconds):0.00} ms"));
        to.WriteLine(Text($"GC pauses {figures.Used.Pauses.TotalMilliseconds:0.0} ms in all, longest {figures.LongestPause.TotalMilliseconds:0.0} ms, gen 2: {figures.Used.Gen2}; {figures.Used.AllocatedBytes / (figures.ReachedPerSecond * figures.Time.TotalSeconds):0.0} bytes allocated/record; {figures.CoresUsed:0.00} cores used"));
    }

    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            workload = "latency",
            settings,
            command,
            machine = _machine,
            capacityPerSecond = figures.CapacityPerSecond,
            askedPerSecond = figures.AskedPerSecond,
            reachedPerSecond = figures.ReachedPerSecond,
            keptUp = figures.KeptUp,
            records = figures.Latencies.TotalCount,
            latencyMs = Percentiles.ToDictionary(static p => p.Name, p => figures.Milliseconds(p.Percentile)),
            checkpoints = figures.Checkpoints.Select(static c => new { c.Id, c.IsFull, ms = c.Duration.TotalMilliseconds, c.WrittenBytes, freezeMs = c.LongestStall.TotalMilliseconds }),
            pausesMs = figures.Used.Pauses.TotalMilliseconds,
            longestPauseMs = figures.LongestPause.TotalMilliseconds,
            coresUsed = figures.CoresUsed,
        },
        Indented);

    private double Median() => figures.Checkpoints.Select(static c => c.Duration.TotalMilliseconds).Order().ElementAt(figures.Checkpoints.Count / 2);

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
