using System.Globalization;
using OrleansStream.Jobs;
using OrleansStream.Silo.CommandLine;
using OrleansStream.Silo.Hosting;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.Runs;

/// <summary>One start of a bounded job in a silo of this process, shown until it ends; what it finished with is the caller's to say.</summary>
internal sealed class EmbeddedRun(Screen screen)
{
    /// <summary>A run that fails ends soon: these restarts take about a second together.</summary>
    private static readonly RestartStrategy QuickRestarts = RestartStrategy.Exponential(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(1), attempts: 3);

    public required string Job { get; init; }

    public required JobStart Start { get; init; }

    public required int? HttpPort { get; init; }

    public required bool Verbose { get; init; }

    /// <summary>Runs the job to its end over a folder that is held already.</summary>
    /// <param name="folder">Its checkpoints.</param>
    /// <param name="finished">Called when the job has finished and the silo has stopped; says so and gives the exit code.</param>
    /// <param name="cancellation">Stops the job before its end.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> ToEndAsync(RunFolder folder, Func<JobStatus, int> finished, CancellationToken cancellation)
    {
        var silo = await EmbeddedSilo.StartAsync(
            new SiloSettings { Job = Job, Start = Start, Screen = screen, Store = folder.Store, Restarts = QuickRestarts, HttpPort = HttpPort, Verbose = Verbose }, cancellation);
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
            screen.WriteLine($"Stopped before the end of the input. The same command goes on from the last checkpoint in {folder.Path}.");
            return ExitCode.Interrupted;
        }
        catch
        {
            await silo.DisposeAsync();
            throw;
        }

        await silo.DisposeAsync();
        if (status.Phase == JobPhase.Finished) return finished(status);
        if (status.Phase == JobPhase.Stopped)
        {
            screen.WriteLine($"Stopped before the end of the input: {OneLine.Of(status.Cause ?? "by somebody else")} The same command goes on from the last checkpoint in {folder.Path}.");
            return ExitCode.Interrupted;
        }

        var again = status.Failures > 1 ? $" (after {status.Failures} attempts)" : "";
        screen.WriteError($"error: {OneLine.Of(status.Cause ?? "the job ended without a cause")}{again}");
        return ExitCode.Failed;
    }

    /// <summary>How many records this start has read, and since when: <c>Read 12,000 records since checkpoint 1-7 in 3.2 s.</c></summary>
    public static string Reading(JobStatus status, TimeSpan took)
    {
        var read = status.Stages.Where(static stage => stage.Reads.Count == 0).Sum(static stage => stage.Subtasks.Sum(static subtask => subtask.RecordsIn));
        return string.Create(CultureInfo.InvariantCulture, $"Read {Counted(read, "record")}{Since(status)} in {took.TotalSeconds:F1} s.");
    }

    /// <summary>Which checkpoint the counts of this start begin from; empty when from nothing.</summary>
    public static string Since(JobStatus status) => status.RestoredFrom is { } checkpoint ? $" since checkpoint {checkpoint}" : "";

    /// <summary>A number of things.</summary>
    public static string Counted(long count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}{(count == 1 ? "" : "s")}");
}
