using System.Globalization;
using OrleansStream.Jobs;

namespace OrleansStream.Benchmarks.Processes;

/// <summary>The engine as a contender whose work was done by several processes.</summary>
internal sealed record SpreadContender(int Silos) : IContender
{
    public string Name => string.Create(CultureInfo.InvariantCulture, $"orleansstream, {Silos} silos");

    public string Description => "the same job over silos in processes of their own, over TCP on one machine; processor time, memory and allocations are of all of them together, the longest pause of any";

    public Task<Outcome> RunAsync(RunSettings settings) => throw new NotSupportedException("It is run by its processes.");
}

/// <summary>Runs a contest's job over several silo processes. Peers have no such form.</summary>
internal static class SpreadRunner
{
    public static async Task<Report> RunAsync(Contest contest, RunSettings settings, string command)
    {
        if (contest.SpreadJob is not { } job) throw new BadSettingsException($"'{contest.Name}' runs in one process; leave out --silos {settings.Silos}.");
        if (settings.Parallelism < settings.Silos) throw new BadSettingsException($"--parallelism {settings.Parallelism} leaves some of {settings.Silos} silos without work; it must be {settings.Silos} at least.");
        var folder = EmbeddedSilo.FolderFor(settings) ?? throw new BadSettingsException("Several silos need a folder that they share; leave out --storage none.");
        var entry = new ContenderRuns(new SpreadContender(settings.Silos), settings.Events, contest.Expected(settings));
        var routes = job.RoutesOf(settings);
        // The processes measure themselves, on the same system: whether they can reset their peaks shows here too.
        ResidentMemory.ResetPeak();
        try
        {
            await using var cluster = await SiloCluster.StartAsync(contest.Name, settings, folder.FullName);
            for (var run = 0; run <= settings.Runs; run++)
            {
                var (measured, outcome, stages, sent) = await cluster.RunAsync(run);
                if (outcome.Answer != entry.Expected) entry.WrongAnswer ??= outcome.Answer;
                if (run > 0) entry.Runs.Add((measured, outcome));
                await Console.Error.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{(run == 0 ? "warm-up" : $"run {run}")}: {entry.Contender.Name}: {entry.Rate(measured) / 1e6:0.000} M/s, {measured.Time.TotalSeconds:0.0} s{(outcome.Answer == entry.Expected ? "" : $", WRONG: {outcome.Answer}, expected {entry.Expected}")}"));
                if (run == settings.Runs) entry.Remarks.AddRange(Spread(stages, routes, settings, sent));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return new Report(contest, settings, command, [entry], Machine.Observe(settings));
    }

    /// <summary>Where the subtasks ran, and what crossed.</summary>
    private static IEnumerable<string> Spread(IReadOnlyList<StageStatus> stages, Routes routes, RunSettings settings, long? sent)
    {
        foreach (var stage in stages)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"stage {stage.Name}: {string.Join(", ", stage.Subtasks.Select(static subtask => string.Create(CultureInfo.InvariantCulture, $"subtask {subtask.Index} on {subtask.Silo} took {subtask.RecordsIn:N0}")))}");
        }

        var silos = stages.Select(static stage => stage.Subtasks.Select(static subtask => subtask.Silo).ToList()).ToList();
        if (silos.Any(of => of.Distinct().Count() != settings.Silos)) throw new InvalidOperationException($"The subtasks are not spread over all {settings.Silos} silos.");
        var crossing = routes.Crossing(silos[0], silos[1]);
        yield return string.Create(CultureInfo.InvariantCulture, $"{crossing:N0} of {settings.Events:N0} records went from one silo to another")
            + (sent is { } bytes ? string.Create(CultureInfo.InvariantCulture, $", {(double)bytes / crossing:0.0} bytes each on the wire, by Orleans' own count of all its messages") : "");
    }
}

/// <summary>The silo processes of one measurement.</summary>
internal sealed class SiloCluster : IAsyncDisposable
{
    private readonly List<SiloChild> _silos = [];

    private SiloCluster()
    {
    }

    public static async Task<SiloCluster> StartAsync(string workload, RunSettings settings, string folder)
    {
        var cluster = new SiloCluster();
        try
        {
            var primary = EmbeddedSilo.FreePort();
            for (var silo = 0; silo < settings.Silos; silo++)
            {
                var ports = new ClusterPorts(silo == 0 ? primary : EmbeddedSilo.FreePort(), EmbeddedSilo.FreePort(), primary);
                cluster._silos.Add(SiloChild.Start(new SiloOrder(workload, settings, folder, ports)));
            }

            await cluster.AllAsync(SiloVerb.Join);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs the job once: started through the first silo, measured in all.</summary>
    public async Task<(Measurement Measured, Outcome Outcome, IReadOnlyList<StageStatus> Stages, long? SentBytes)> RunAsync(int run)
    {
        await AllAsync(SiloVerb.Begin, run);
        var ran = (await _silos[0].AskAsync(SiloVerb.Run, run)).Ran!;
        var parts = await AllAsync(SiloVerb.End, run);
        var answer = parts.Aggregate(default(Answer), static (sum, part) => sum + part.Answer);
        return (Sum(ran.Time, [.. parts.Select(static part => part.Measured!)]), new Outcome(answer, ran.Checkpoints), ran.Stages, parts.Select(static part => part.SentBytes).Aggregate((long?)0, static (sum, bytes) => sum + bytes));
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await AllAsync(SiloVerb.Leave);
        }
        catch (Exception error) when (error is InvalidOperationException or IOException)
        {
            await Console.Error.WriteLineAsync(error.Message);
        }

        foreach (var silo in _silos) await silo.DisposeAsync();
    }

    private static Measurement Sum(TimeSpan time, IReadOnlyList<Measurement> parts) => new()
    {
        Time = time,
        Processor = parts.Aggregate(TimeSpan.Zero, static (sum, part) => sum + part.Processor),
        AllocatedBytes = parts.Sum(static part => part.AllocatedBytes),
        Pauses = parts.Aggregate(TimeSpan.Zero, static (sum, part) => sum + part.Pauses),
        LongestPause = parts.Max(static part => part.LongestPause),
        Collections = [.. Enumerable.Range(0, 3).Select(generation => parts.Sum(part => part.Collections[generation]))],
        BeganAtBytes = parts.Sum(static part => part.BeganAtBytes),
        PeakBytes = parts.Sum(static part => part.PeakBytes),
    };

    private async Task<IReadOnlyList<SiloReply>> AllAsync(SiloVerb verb, int run = 0) => await Task.WhenAll(_silos.Select(silo => silo.AskAsync(verb, run)));
}
