using System.Globalization;
using System.Text.Json;
using OrleansStream.Benchmarks.Aggregate;
using OrleansStream.Benchmarks.Peers;

namespace OrleansStream.Benchmarks.Scale;

/// <summary>One step along an axis: what differs from the other steps, and the runs.</summary>
/// <param name="Axis">What grows.</param>
/// <param name="Value">How far.</param>
/// <param name="Contender">Who ran.</param>
/// <param name="Settings">With what.</param>
internal sealed record ScaleStep(string Axis, int Value, IContender Contender, RunSettings Settings)
{
    public List<Measurement> Runs { get; } = [];

    public double Rate(Measurement run) => Settings.Events / run.Time.TotalSeconds;

    public double MedianRate => Statistics.Median(Runs.Select(Rate));
}

/// <summary>How cost grows with the work: more keys, more subtasks, more stages. All steps run in turn within each run.</summary>
internal sealed class ScaleWorkload : IWorkload
{
    private const string Keys = "keys";
    private const string Parallelism = "parallelism";
    private const string Stages = "keyed stages";

    public string Name => "scale";

    public string Description => "the aggregate job at 10 k to 10 M keys beside the plain loop, at parallelism 1, 2, 4, and in chains of 1 to 6 keyed stages; --picture draws it";

    public long DefaultEvents => 20_000_000;

    public async Task<int> RunAsync(RunSettings settings, string command)
    {
        if (settings.Silos > 1) throw new BadSettingsException($"'{Name}' runs in one process; leave out --silos {settings.Silos}.");
        if (settings.Only.Count > 0) throw new BadSettingsException($"'{Name}' always runs all of its steps; leave out --only.");
        var steps = Steps(settings).ToList();
        var expected = new Dictionary<int, Answer>();
        var right = true;
        for (var run = 0; run <= settings.Runs; run++)
        {
            // Steps with the same keys stand beside each other, so that the input is made few times.
            foreach (var step in steps)
            {
                if (!expected.TryGetValue(step.Settings.Keys, out var answer)) expected[step.Settings.Keys] = answer = AggregateContest.Work.Expected(step.Settings);
                AggregateContest.Input(step.Settings);
                var (measured, outcome) = await Measurement.OfAsync(() => step.Contender.RunAsync(step.Settings));
                right &= outcome.Answer == answer;
                if (run > 0) step.Runs.Add(measured);
                await Console.Error.WriteLineAsync(Text($"{(run == 0 ? "warm-up" : $"run {run}")}: {step.Contender.Name}, {step.Axis} {step.Value:N0}: {step.Rate(measured) / 1e6:0.000} M/s{(outcome.Answer == answer ? "" : $", WRONG: {outcome.Answer}, expected {answer}")}"));
            }
        }

        Print(settings, command, steps, right);
        if (settings.Json is { } json) await File.WriteAllTextAsync(json, ToJson(settings, command, steps, right));
        if (settings.Picture is { } picture) await File.WriteAllTextAsync(picture, Picture(steps));
        return right ? 0 : 1;
    }

    private static IEnumerable<ScaleStep> Steps(RunSettings settings)
    {
        var engine = new AggregateJob(AggregateContest.Input);
        var loop = new PlainLoop<Amount, TotalTable>(AggregateContest.Work);
        foreach (var parallelism in new[] { 1, 2, 4 }) yield return new(Parallelism, parallelism, engine, settings with { Parallelism = parallelism });
        foreach (var stages in Enumerable.Range(1, 6)) yield return new(Stages, stages, new StagesJob(stages), settings);
        foreach (var keys in new[] { 10_000, 100_000, 1_000_000, 10_000_000 })
        {
            yield return new(Keys, keys, engine, settings with { Keys = keys });
            yield return new(Keys, keys, loop, settings with { Keys = keys });
        }
    }

    private static void Print(RunSettings settings, string command, List<ScaleStep> steps, bool right)
    {
        Console.WriteLine("scale: a running count and sum per key, as in 'aggregate', as the work grows");
        Console.WriteLine(Text($"{settings.Events:N0} records; where nothing else is said {settings.Keys:N0} keys, parallelism {settings.Parallelism}; {settings.StorageText}; {settings.Runs} runs, steps in turn, behind one that is not counted"));
        Console.WriteLine($"machine: {Machine.Observe(settings)}");
        Console.WriteLine($"command: {command}");
        Console.WriteLine();
        Console.WriteLine("| what grows | contender | M records/s, median (min-max) | M/s per core used | bytes allocated/record | GC pauses ms (longest) | peak MiB (at the start) |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
        foreach (var step in steps)
        {
            Console.WriteLine(Text(
                $"| {step.Axis} {step.Value:N0} | {step.Contender.Name} | {step.MedianRate / 1e6:0.000} ({step.Runs.Min(step.Rate) / 1e6:0.000}-{step.Runs.Max(step.Rate) / 1e6:0.000}) | {Median(step, run => step.Settings.Events / run.Processor.TotalSeconds) / 1e6:0.000} | {Median(step, run => (double)run.AllocatedBytes / step.Settings.Events):0.00} | {Median(step, static run => run.Pauses.TotalMilliseconds):0.0} ({step.Runs.Max(static run => run.LongestPause.TotalMilliseconds):0.0}) | {step.Runs.Max(static run => run.PeakBytes) / 1048576d:0} ({Median(step, static run => run.BeganAtBytes) / 1048576d:0}) |"));
        }

        Console.WriteLine();
        Console.WriteLine($"Of 10 M possible keys about 6.3 M occur, where records are that many. A chain passes each record on from stage to stage; each keeps a total. {ResidentMemory.How}, input included.");
        Console.WriteLine(right ? "All answers are right." : "THERE ARE WRONG ANSWERS: no figure here counts.");
    }

    private static string Picture(List<ScaleStep> steps) => new LineChart("M records/s as the work grows").Draw(
    [
        .. new[] { Keys, Parallelism, Stages }.Select(axis => new ChartPanel(
            axis,
            axis == Keys,
            [.. steps.Where(step => step.Axis == axis).GroupBy(static step => step.Contender.Name).Select(static line => new ChartLine(line.Key, [.. line.Select(static step => ((double)step.Value, step.MedianRate / 1e6))]))])),
    ]);

    private static string ToJson(RunSettings settings, string command, List<ScaleStep> steps, bool right) => JsonSerializer.Serialize(
        new
        {
            workload = "scale",
            settings,
            command,
            machine = Machine.Observe(settings),
            answersAreRight = right,
            steps = steps.Select(static step => new
            {
                axis = step.Axis,
                value = step.Value,
                contender = step.Contender.Name,
                eventsPerSecond = step.MedianRate,
                runs = step.Runs.Select(run => new
                {
                    eventsPerSecond = step.Rate(run),
                    eventsPerSecondPerCore = step.Settings.Events / run.Processor.TotalSeconds,
                    allocatedBytesPerEvent = (double)run.AllocatedBytes / step.Settings.Events,
                    pausesMs = run.Pauses.TotalMilliseconds,
                    longestPauseMs = run.LongestPause.TotalMilliseconds,
                    beganAtBytes = run.BeganAtBytes,
                    peakBytes = run.PeakBytes,
                }),
            }),
        },
        Report.Indented);

    private static double Median(ScaleStep step, Func<Measurement, double> figure) => Statistics.Median(step.Runs.Select(figure));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
