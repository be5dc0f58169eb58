using System.Globalization;
using System.Text.Json;
using OrleansStream.Jobs;

namespace OrleansStream.Benchmarks;

/// <summary>The figures of all contenders: each run, medians with their range, and the ratios between them.</summary>
internal sealed class Report(Contest contest, RunSettings settings, string command, IReadOnlyList<ContenderRuns> measured, Machine machine)
{
    /// <summary>How figures are written.</summary>
    public static JsonSerializerOptions Indented { get; } = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public bool AnswersAreRight => measured.All(static entry => entry.AnswersAreRight);

    public void Print(TextWriter to)
    {
        to.WriteLine(Text($"{contest.Name}: {contest.Description}"));
        to.WriteLine(Text($"{settings.Events:N0} records, {settings.Keys:N0} keys, parallelism {settings.Parallelism}, {settings.StorageText}; {settings.Runs} runs, contenders in turn, behind one that is not counted"));
        to.WriteLine($"machine: {machine}");
        to.WriteLine($"command: {command}");
        PrintMedians(to);
        PrintRatios(to);
        PrintRuns(to);
        PrintCheckpoints(to);
        to.WriteLine();
        foreach (var remark in measured.SelectMany(static entry => entry.Remarks)) to.WriteLine(remark);
        foreach (var entry in measured) to.WriteLine($"{entry.Contender.Name}: {entry.Contender.Description}");
        to.WriteLine($"A rate is of the contender's own count of records; per core: by processor time; {ResidentMemory.How}, input included.");
        foreach (var entry in measured.Where(static entry => !entry.AnswersAreRight)) to.WriteLine($"WRONG ANSWER of {entry.Contender.Name}: {entry.WrongAnswer}, expected {entry.Expected}");
        to.WriteLine(AnswersAreRight ? "All answers are right." : "THERE ARE WRONG ANSWERS: no figure here counts.");
    }

    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            workload = contest.Name,
            settings,
            command,
            machine,
            residentMemory = ResidentMemory.How,
            answersAreRight = AnswersAreRight,
            contenders = measured.Select(entry => new
            {
                name = entry.Contender.Name,
                description = entry.Contender.Description,
                remarks = entry.Remarks,
                events = entry.Events,
                eventsPerSecond = Median(entry, run => entry.Rate(run)),
                runs = entry.Runs.Select(run => new
                {
                    seconds = run.Measured.Time.TotalSeconds,
                    eventsPerSecond = entry.Rate(run.Measured),
                    eventsPerSecondPerCore = entry.RatePerCore(run.Measured),
                    allocatedBytesPerEvent = entry.BytesPerEvent(run.Measured),
                    pausesMs = run.Measured.Pauses.TotalMilliseconds,
                    longestPauseMs = run.Measured.LongestPause.TotalMilliseconds,
                    collections = run.Measured.Collections,
                    beganAtBytes = run.Measured.BeganAtBytes,
                    peakBytes = run.Measured.PeakBytes,
                    checkpoints = run.Outcome.Checkpoints.Select(static checkpoint => new
                    {
                        id = checkpoint.Id,
                        isFull = checkpoint.IsFull,
                        durationMs = checkpoint.Duration.TotalMilliseconds,
                        writtenBytes = checkpoint.WrittenBytes,
                        stateBytes = checkpoint.StateBytes,
                        longestStallMs = checkpoint.LongestStall.TotalMilliseconds,
                    }),
                }),
            }),
        },
        Indented);

    private void PrintMedians(TextWriter to)
    {
        to.WriteLine();
        to.WriteLine("| contender | M records | M records/s, median (min-max) | M/s per core used | bytes allocated/record | GC pauses ms, all (longest) | GCs gen 0/1/2 | peak MiB (at the start) |");
        to.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var entry in measured)
        {
            var runs = entry.Runs.Select(static run => run.Measured).ToList();
            var rates = runs.Select(entry.Rate).ToList();
            to.WriteLine(Text(
                $"| {entry.Contender.Name} | {entry.Events / 1e6:0.###} | {Statistics.Median(rates) / 1e6:0.000} ({rates.Min() / 1e6:0.000}-{rates.Max() / 1e6:0.000}) | {Median(entry, entry.RatePerCore) / 1e6:0.000} | {Median(entry, entry.BytesPerEvent):0.00} | {Median(entry, static run => run.Pauses.TotalMilliseconds):0.0} ({runs.Max(static run => run.LongestPause.TotalMilliseconds):0.0}) | {string.Join('/', Enumerable.Range(0, 3).Select(generation => Text($"{Median(entry, run => run.Collections[generation]):0}")))} | {runs.Max(static run => run.PeakBytes) / 1048576d:0} ({Median(entry, static run => run.BeganAtBytes) / 1048576d:0}) |"));
        }
    }

    private void PrintRatios(TextWriter to)
    {
        if (measured.Count < 2) return;
        to.WriteLine();
        var ours = measured[0];
        foreach (var other in measured.Skip(1))
        {
            var ratios = ours.Runs.Zip(other.Runs, (us, them) => ours.Rate(us.Measured) / other.Rate(them.Measured)).ToList();
            to.WriteLine(Text($"{ours.Contender.Name} / {other.Contender.Name}: {Statistics.Median(ratios):0.00} ({ratios.Min():0.00}-{ratios.Max():0.00}), run by run"));
        }
    }

    private void PrintRuns(TextWriter to)
    {
        to.WriteLine();
        to.WriteLine($"| M records/s | {string.Join(" | ", Enumerable.Range(1, settings.Runs).Select(static run => Text($"run {run}")))} |");
        to.WriteLine($"| --- |{string.Concat(Enumerable.Repeat(" --- |", settings.Runs))}");
        foreach (var entry in measured) to.WriteLine($"| {entry.Contender.Name} | {string.Join(" | ", entry.Runs.Select(run => Text($"{entry.Rate(run.Measured) / 1e6:0.000}")))} |");
    }

    private void PrintCheckpoints(TextWriter to)
    {
        foreach (var entry in measured.Where(static entry => entry.Runs.Any(static run => run.Outcome.Checkpoints.Count > 0)))
        {
            to.WriteLine();
            to.WriteLine($"| {entry.Contender.Name}: checkpoints | number | duration ms, median (longest) | KiB written, median (most) | longest stall ms |");
            to.WriteLine("| --- | --- | --- | --- | --- |");
            foreach (var (run, index) in entry.Runs.Select(static (run, index) => (run, index)))
            {
                var taken = run.Outcome.Checkpoints;
                if (taken.Count > 0) to.WriteLine(Text($"| run {index + 1} | {taken.Count} | {Spread(taken, static checkpoint => checkpoint.Duration.TotalMilliseconds)} | {Spread(taken, static checkpoint => checkpoint.WrittenBytes / 1024d)} | {taken.Max(static checkpoint => checkpoint.LongestStall.TotalMilliseconds):0.00} |"));
            }
        }
    }

    private static string Spread(IReadOnlyList<CheckpointStatus> taken, Func<CheckpointStatus, double> figure) =>
        Text($"{Statistics.Median(taken.Select(figure)):0} ({taken.Max(figure):0})");

    private static double Median(ContenderRuns entry, Func<Measurement, double> figure) => Statistics.Median(entry.Runs.Select(run => figure(run.Measured)));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
