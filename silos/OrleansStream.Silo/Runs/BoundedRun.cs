using System.Diagnostics;
using System.Globalization;
using OrleansStream.Jobs;
using OrleansStream.Silo.CommandLine;
using OrleansStream.Silo.Hosting;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.Runs;

/// <summary>
/// Runs a job over files to its end, in a silo of this process, over a checkpoint folder of its own. Killed at any moment and run again it goes on from the last
/// checkpoint; run again after its end it does nothing.
/// </summary>
internal sealed class BoundedRun(Screen screen)
{
    /// <summary>A run that fails ends soon: these restarts take about a second together.</summary>
    private static readonly RestartStrategy QuickRestarts = RestartStrategy.Exponential(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(1), attempts: 3);

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

        var silo = await EmbeddedSilo.StartAsync(
            new SiloSettings { Start = Start, Screen = screen, Store = folder.Store, Restarts = QuickRestarts, HttpPort = HttpPort, Verbose = Verbose }, cancellation);
        JobStatus status;
        try
        {
            if (HttpPort is { } port) screen.WriteLine($"Status page: http://localhost:{port}");
            await silo.Jobs.StartAsync(Job, Start);
            status = await new Progress(silo.Jobs, Job, screen, TimeProvider.System).ShowUntilEndAsync(cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await silo.DisposeAsync();
            screen.WriteLine($"Stopped before the end of the input. The same command goes on from the last checkpoint in {Checkpoints}.");
            return ExitCode.Interrupted;
        }
        catch
        {
            await silo.DisposeAsync();
            throw;
        }

        await silo.DisposeAsync();
        return Conclude(status, clock.Elapsed);
    }

    private int Conclude(JobStatus status, TimeSpan took)
    {
        if (status.Phase == JobPhase.Stopped)
        {
            screen.WriteLine($"Stopped before the end of the input: {OneLine.Of(status.Cause ?? "by somebody else")} The same command goes on from the last checkpoint in {Checkpoints}.");
            return ExitCode.Interrupted;
        }

        if (status.Phase != JobPhase.Finished)
        {
            var again = status.Failures > 1 ? $" (after {status.Failures} attempts)" : "";
            screen.WriteError($"error: {OneLine.Of(status.Cause ?? "the job ended without a cause")}{again}");
            return ExitCode.Failed;
        }

        var output = new RunOutput(Output);
        if (!output.Exists) throw new JobRefusedException($"The run over '{Checkpoints}' has finished, but its output '{Output}' is not there any more: restore the file, or start over with --fresh.");
        if (status.WasFinished)
        {
            screen.WriteLine($"Finished before: {Output} is complete, nothing was done. Start over with --fresh.");
            return ExitCode.Done;
        }

        var subtasks = status.Stages.SelectMany(static stage => stage.Subtasks).ToList();
        var read = status.Stages.Where(static stage => stage.Reads.Count == 0).Sum(static stage => stage.Subtasks.Sum(static subtask => subtask.RecordsIn));
        var since = status.RestoredFrom is { } checkpoint ? $" since checkpoint {checkpoint}" : "";
        screen.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Finished: {Output} is complete, {Counted(output.CountLines(), "line")}. Read {Counted(read, "record")}{since} in {took.TotalSeconds:F1} s."));
        if (subtasks.Sum(static subtask => subtask.LateRecords) is var late and > 0)
            screen.WriteError(string.Create(CultureInfo.InvariantCulture, $"warning: {Counted(late, "record")}{since} came after the window had closed, counted in no line; a larger --out-of-orderness keeps the windows open longer."));
        if (SkipsBadRecords && new RunOutput(BadRecords) is { Exists: true } bad && bad.CountLines() is var skipped and > 0)
            screen.WriteError(string.Create(CultureInfo.InvariantCulture, $"warning: {Counted(skipped, "malformed row")} skipped and written to {BadRecords}."));
        return ExitCode.Done;
    }

    private static string Counted(long count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}{(count == 1 ? "" : "s")}");

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
