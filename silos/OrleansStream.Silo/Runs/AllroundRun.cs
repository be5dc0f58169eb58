using System.Diagnostics;
using OrleansStream.Jobs;
using OrleansStream.Silo.CommandLine;
using OrleansStream.Silo.Jobs.Allround;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.Runs;

/// <summary>
/// Runs the job that checks itself to its end, in a silo of this process, and then checks the files that it has committed. Killed at any moment and run again it goes on from the last
/// checkpoint; run again after its end it only checks the files again.
/// </summary>
internal sealed class AllroundRun(Screen screen)
{
    public required JobStart Start { get; init; }

    public required string Output { get; init; }

    public required long Events { get; init; }

    public required long Keys { get; init; }

    public required string Checkpoints { get; init; }

    public required bool IsFresh { get; init; }

    public required int? HttpPort { get; init; }

    public required bool Verbose { get; init; }

    private AllroundOutput Written => new(Output);

    private IEnumerable<RunOutput> Outputs => [new(Written.Records), new(Written.Summary)];

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        if (File.Exists(Output)) throw new JobRefusedException($"The output '{Output}' is a file: give a folder.");
        if (IsFresh)
        {
            RunFolder.RefuseUnlessOurs(Checkpoints, AllroundJob.JobName);
            foreach (var output in Outputs) output.RefuseUnlessOurs();
        }

        using var folder = await RunFolder.OpenAsync(Checkpoints, AllroundJob.JobName, cancellation);
        if (IsFresh)
        {
            // The history goes first: a run that is cut off here finds output that is not its own, and says so.
            folder.StartOver();
            foreach (var output in Outputs) output.Delete();
        }

        return await new EmbeddedRun(screen) { Job = AllroundJob.JobName, Start = Start, HttpPort = HttpPort, Verbose = Verbose }.ToEndAsync(folder, status => Conclude(status, clock.Elapsed), cancellation);
    }

    /// <summary>Checks the files of a job that has finished, and says what was found.</summary>
    /// <param name="screen">Where to say it.</param>
    /// <param name="output">The files.</param>
    /// <param name="events">How many records there must be; what the summary says when null.</param>
    /// <param name="keys">Of how many keys; what the summary says when null.</param>
    /// <returns>The exit code.</returns>
    public static int Check(Screen screen, AllroundOutput output, long? events, long? keys)
    {
        var found = output.Check(events, keys);
        foreach (var problem in found.Problems) screen.WriteError($"error: {problem}");
        if (found.ProblemCount > found.Problems.Count) screen.WriteError($"error: And {EmbeddedRun.Counted(found.ProblemCount - found.Problems.Count, "more problem")}.");
        if (!found.Holds) return ExitCode.Failed;
        screen.WriteLine($"All held: {output.Summary} says, as it must,");
        screen.WriteLine(AllroundJob.Show(found.Summary!));
        screen.WriteLine($"and {output.Records} has {EmbeddedRun.Counted(found.Lines, "line")}: every record once, in the order of its key.");
        return ExitCode.Done;
    }

    private int Conclude(JobStatus status, TimeSpan took)
    {
        if (new[] { Written.Records, Written.Summary }.FirstOrDefault(static file => !File.Exists(file)) is { } gone)
            throw new JobRefusedException($"The run over '{Checkpoints}' has finished, but its output '{gone}' is not there any more: restore the file, or start over with --fresh.");
        screen.WriteLine(status.WasFinished ? "Finished before: nothing was run. Start over with --fresh." : $"Finished. {EmbeddedRun.Reading(status, took)}");
        return Check(screen, Written, Events, Keys);
    }
}
