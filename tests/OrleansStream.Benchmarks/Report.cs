using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace OrleansStream.Benchmarks;

/// <summary>The figures of all contenders, as medians with their range, and the ratios between them.</summary>
internal sealed class Report(
    Workload workload, RunSettings settings, string command, IReadOnlyDictionary<IContender, List<Measurement>> measured, IReadOnlyDictionary<IContender, string> remarks, bool answersAgree)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly double _fsync = Runner.FsyncMilliseconds();

    public bool AnswersAgree => answersAgree;

    public void Print(TextWriter to)
    {
        to.WriteLine(Text($"{workload.Name}: {workload.Description}"));
        to.WriteLine(Text($"{settings.Events:N0} records, {settings.Keys:N0} keys, parallelism {settings.Parallelism}, a checkpoint every {settings.CheckpointInterval.TotalSeconds:0.###} s to a local folder"));
        to.WriteLine(Machine);
        to.WriteLine($"command: {command}");
        to.WriteLine();
        to.WriteLine("| contender | M records/s, median (min-max) | per core used | bytes allocated/record | GC pauses ms (gen 2) | peak MiB |");
        to.WriteLine("| --- | --- | --- | --- | --- | --- |");
        foreach (var (contender, runs) in measured)
        {
            to.WriteLine(Text(
                $"| {contender.Name} | {Median(runs, Rate):0.00} ({runs.Min(Rate):0.00}-{runs.Max(Rate):0.00}) | {Median(runs, PerCore):0.00} | {Median(runs, Bytes):0.00} | {Median(runs, static run => run.Pauses.TotalMilliseconds):0.0} ({Median(runs, static run => run.Gen2):0}) | {runs.Max(static run => run.PeakBytes) / 1048576d:0} |"));
        }

        to.WriteLine();
        var ours = measured.First();
        foreach (var (contender, runs) in measured.Skip(1))
        {
            var ratios = ours.Value.Zip(runs, (us, other) => Rate(us) / Rate(other)).ToList();
            to.WriteLine(Text($"{ours.Key.Name} / {contender.Name}: {ratios.Order().ElementAt(ratios.Count / 2):0.00} (run by run, {ratios.Min():0.00}-{ratios.Max():0.00})"));
        }

        foreach (var (contender, remark) in remarks.Where(static remark => remark.Value.Length > 0)) to.WriteLine($"{contender.Name}, last run: {remark}");
        to.WriteLine(answersAgree ? "All contenders gave the same answer." : "THE CONTENDERS GAVE DIFFERENT ANSWERS: no figure here counts.");
    }

    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            workload = workload.Name,
            settings,
            command,
            machine = Machine,
            answersAgree,
            contenders = measured.Select(pair => new
            {
                name = pair.Key.Name,
                remark = remarks[pair.Key],
                runs = pair.Value.Select(run => new { recordsPerSecond = Rate(run) * 1e6, perCore = PerCore(run) * 1e6, bytesPerRecord = Bytes(run), pausesMs = run.Pauses.TotalMilliseconds, peakBytes = run.PeakBytes }),
            }),
        },
        Indented);

    private string Machine => Text(
        $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores, {RuntimeInformation.FrameworkDescription}, {(System.Runtime.GCSettings.IsServerGC ? "server" : "workstation")} GC, build {Commit}, fsync p50 {_fsync:0.00} ms");

    private static string Commit => typeof(Jobs.JobStatus).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    private double Rate(Measurement run) => settings.Events / run.Time.TotalSeconds / 1e6;

    private double PerCore(Measurement run) => settings.Events / run.Processor.TotalSeconds / 1e6;

    private double Bytes(Measurement run) => (double)run.AllocatedBytes / settings.Events;

    private static double Median(List<Measurement> runs, Func<Measurement, double> figure) => runs.Select(figure).Order().ElementAt(runs.Count / 2);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
