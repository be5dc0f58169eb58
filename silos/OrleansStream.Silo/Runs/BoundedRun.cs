using System.Diagnostics;
using OrleansStream.Jobs;
using OrleansStream.Silo.CommandLine;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.Runs;

/// <summary>
/// Runs a job over files to its end, in a silo of this process, over a checkpoint folder of its own. Killed at any moment and run again it goes on from the last
/// checkpoint; run again after its end it does nothing.
/// </summary>
internal sealed class BoundedRun(Screen screen)
{
    public required string Job { get; init; }

    public required JobStart Start { get; init; }

    public required IReadOnlyList<string> Inputs { get; init; }

    public required string Output { get; init; }

    /// <summary>Where malformed rows go.</summary>
    public required string BadRecords { get; init; }

    public required bool SkipsBadRecords { get; init; }

    public required string Checkpoints { get; init; }

    public required bool IsFresh { get; init; }

    public required int? HttpPort { get; init; }

    public required bool Verbose { get; init; }

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        RefuseToOverwriteInputs();
        if (IsFresh) RefuseUnlessOurs();
        using var folder = await RunFolder.OpenAsync(Checkpoints, Job, cancellation);
        if (IsFresh) StartOver(folder);

        return await new EmbeddedRun(screen) { Job = Job, Start = Start, HttpPort = HttpPort, Verbose = Verbose }.ToEndAsync(folder, status => Conclude(status, clock.Elapsed), cancellation);
    }

    private int Conclude(JobStatus status, TimeSpan took)
    {
        var output = new RunOutput(Output);
        if (!output.Exists) throw new JobRefusedException($"The run over '{Checkpoints}' has finished, but its output '{Output}' is not there any more: restore the file, or start over with --fresh.");
        if (status.WasFinished)
        {
            screen.WriteLine($"Finished before: {Output} is complete, nothing was done. Start over with --fresh.");
            return ExitCode.Done;
        }

        var subtasks = status.Stages.SelectMany(static stage => stage.Subtasks).ToList();
        screen.WriteLine($"Finished: {Output} is complete, {EmbeddedRun.Counted(output.CountLines(), "line")}. {EmbeddedRun.Reading(status, took)}");
        if (subtasks.Sum(static subtask => subtask.LateRecords) is var late and > 0)
            screen.WriteError($"warning: {EmbeddedRun.Counted(late, "record")}{EmbeddedRun.Since(status)} came too late to count; a larger --out-of-orderness waits longer.");
        if (SkipsBadRecords && new RunOutput(BadRecords) is { Exists: true } bad && bad.CountLines() is var skipped and > 0)
            screen.WriteError($"warning: {EmbeddedRun.Counted(skipped, "malformed row")} skipped and written to {BadRecords}.");
        return ExitCode.Done;
    }

    /// <summary>An output that is an input as well would be replaced by what was made of it.</summary>
    private void RefuseToOverwriteInputs()
    {
        foreach (var input in Inputs)
        {
            var path = Path.GetFullPath(input);
            if (path == Path.GetFullPath(Output) || (SkipsBadRecords && path == Path.GetFullPath(BadRecords)))
                throw new JobRefusedException($"The output would replace the input '{input}': give another --output.");
        }
    }

    private void RefuseUnlessOurs()
    {
        RunFolder.RefuseUnlessOurs(Checkpoints, Job);
        foreach (var output in Outputs) output.RefuseUnlessOurs();
    }

    /// <summary>The history goes first: a run that is cut off here finds output that is not its own, and says so.</summary>
    private void StartOver(RunFolder folder)
    {
        folder.StartOver();
        foreach (var output in Outputs) output.Delete();
    }

    /// <summary>The side file too when this start has none: it is of the run that is forgotten.</summary>
    private IEnumerable<RunOutput> Outputs => [new(Output), new(BadRecords)];
}
