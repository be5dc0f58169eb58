using System.Globalization;
using OrleansStream.Http;
using Spectre.Console;

namespace OrleansStream.Silo.CommandLine.Client;

/// <summary>Shows answers of a silo to people.</summary>
internal static class ClientTables
{
    private const int Widest = 200;

    public static IEnumerable<string> Jobs(IReadOnlyList<JobSummary> jobs, DateTimeOffset now) => Render(
        ["job", "phase", "attempt", "parallelism", "records/s", "watermark", "last checkpoint"],
        jobs.Select(job => new[]
        {
            job.Job, job.Phase, Number(job.Attempt), Number(job.Parallelism), Number(job.RecordsPerSecond), job.WatermarkText,
            job.LastCheckpoint is { } last ? $"{last.Id}, {Ago(last.At, now)}" : "none yet",
        }));

    public static IEnumerable<string> Job(JobView job)
    {
        var summary = job.Summary;
        yield return $"{summary.Job}: {summary.Moving ?? summary.Phase}, attempt {summary.Attempt}{(job.RestoredFrom is { } from ? $" from checkpoint {from}" : "")}, parallelism {summary.Parallelism}";
        if (summary.Cause is { } cause) yield return Terminal.OneLine.Of(cause);
        if (job.StoreTrouble is { } trouble) yield return Terminal.OneLine.Of(trouble);
        var checkpoint = summary.LastCheckpoint is { } last ? $"last checkpoint {last.Id}, {Ago(last.At, job.At)}" : "no checkpoint yet";
        yield return $"{Number(summary.RecordsPerSecond)} records/s, watermark {summary.WatermarkText}{(summary.HeldBackBy is { } by ? $", held back by {by}" : "")}, {checkpoint}";
        if (job.LastMove is { } move) yield return string.Create(CultureInfo.InvariantCulture, $"last move: {move.Reason}, checkpoint {move.CheckpointMs:N0} ms, pause {move.PauseMs:N0} ms, {Ago(move.At, job.At)}");
        if (job.Stages.Count == 0) yield break;
        foreach (var line in Render(
            ["stage", "subtasks", "records/s", "in", "out", "late", "watermark", "back-pressure"],
            job.Stages.Select(static stage => new[]
            {
                stage.Name, Number(stage.Subtasks.Count), Number(stage.RecordsPerSecond), Number(stage.RecordsIn), Number(stage.RecordsOut), Number(stage.Subtasks.Sum(static subtask => subtask.LateRecords)),
                stage.InputEnded ? "at the end of input" : stage.Watermark is { } watermark ? Time(watermark) : "not yet", string.Create(CultureInfo.InvariantCulture, $"{stage.BackPressure * 100:F0} %"),
            }))) yield return line;
    }

    public static IEnumerable<string> Checkpoints(IReadOnlyList<CheckpointView> checkpoints) => checkpoints.Count == 0
        ? ["No checkpoint yet in this attempt."]
        : Render(
            ["checkpoint", "began, UTC", "state", "kind", "took", "written", "state size", "longest stall"],
            checkpoints.Select(static checkpoint => new[]
            {
                checkpoint.Id, Time(checkpoint.At), checkpoint.State, checkpoint.IsFull ? "full" : "incremental",
                string.Create(CultureInfo.InvariantCulture, $"{checkpoint.DurationMs:N0} ms"), Bytes(checkpoint.WrittenBytes), Bytes(checkpoint.StateBytes),
                string.Create(CultureInfo.InvariantCulture, $"{checkpoint.LongestStallMs:F1} ms"),
            }));

    private static List<string> Render(string[] heads, IEnumerable<string[]> rows)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns([.. heads.Select(static head => new TableColumn(Markup.Escape(head)).NoWrap())]);
        foreach (var row in rows) table.AddRow([.. row.Select(static cell => new Text(cell))]);
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = Widest;
        console.Write(table);
        return [.. text.ToString().Split('\n').Select(static line => line.TrimEnd()).Where(static line => line.Length > 0)];
    }

    private static string Number(double number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static string Ago(DateTimeOffset then, DateTimeOffset now) => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (now - then).TotalSeconds):F0} s ago");

    private static string Bytes(long bytes) => bytes switch
    {
        < 1024 => $"{bytes} B",
        < 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:F1} KiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:F1} MiB"),
    };
}
