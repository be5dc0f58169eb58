using System.Globalization;
using System.Text.Json.Serialization;
using OrleansStream.Jobs;

namespace OrleansStream.Http;

/// <summary>A job in a few figures, of all its subtasks together.</summary>
/// <param name="Job">The job's name.</param>
/// <param name="Phase">Where it stands, in lower case.</param>
/// <param name="Attempt">The attempt that runs, or ran last; 0 before the first.</param>
/// <param name="Parallelism">The job's parallelism.</param>
/// <param name="RecordsPerSecond">Records that its sources read per second, lately.</param>
/// <param name="Watermark">The lowest watermark of the stages that nobody reads; null before the first.</param>
/// <param name="InputEnded">Whether that watermark is the end of input.</param>
/// <param name="LastCheckpoint">The newest checkpoint that was published; null when there is none of this attempt.</param>
/// <param name="Cause">Why the job waits, failed or was refused.</param>
/// <param name="Moving">The planned move that is under way, such as <c>rescaling to 4</c>; null when there is none.</param>
/// <param name="HeldBackBy">The source and split that the watermark waits for, as <c>source/split</c>; null when there is only one split, or none holds it back.</param>
public sealed record JobSummary(
    string Job,
    string Phase,
    int Attempt,
    int Parallelism,
    double RecordsPerSecond,
    DateTimeOffset? Watermark,
    bool InputEnded,
    CheckpointView? LastCheckpoint,
    string? Cause,
    string? Moving,
    string? HeldBackBy)
{
    /// <summary>The watermark for people.</summary>
    [JsonIgnore]
    public string WatermarkText => InputEnded ? "at the end of input"
        : Watermark is { } watermark ? watermark.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)
        : "not yet";

    /// <summary>Sums a status up.</summary>
    public static JobSummary Of(JobStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        var isRunning = status.Phase is JobPhase.Running or JobPhase.Stopping;
        var read = status.Stages.SelectMany(static stage => stage.Reads).ToHashSet();
        var last = status.Stages.Where(stage => !read.Contains(stage.Name)).SelectMany(static stage => stage.Subtasks).ToList();
        var watermark = Lowest(last);
        return new JobSummary(
            status.Job,
            PhaseOf(status),
            status.Attempt,
            status.Parallelism,
            isRunning ? status.Stages.Where(static stage => stage.Reads.Count == 0).Sum(static stage => stage.Subtasks.Sum(static subtask => subtask.RecordsPerSecond)) : 0,
            watermark == DateTimeOffset.MaxValue ? null : watermark,
            watermark == DateTimeOffset.MaxValue,
            status.Checkpoints.FirstOrDefault(static checkpoint => checkpoint.State is "published" or "committed") is { } checkpoint ? CheckpointView.Of(checkpoint) : null,
            status.Cause,
            status.Moving,
            isRunning ? HeldBackByOf(status.Sources) : null);
    }

    private static string? HeldBackByOf(IReadOnlyList<SourceStatus> sources) =>
        sources.Sum(static source => source.Splits) > 1 && sources.FirstOrDefault(static source => source.HoldsBack) is { } source ? $"{source.Name}/{source.SlowestSplit}" : null;

    internal static string PhaseOf(JobStatus status) => status.Phase.ToString().ToLowerInvariant();

    /// <summary>The watermark of several subtasks together: none as long as one has none.</summary>
    internal static DateTimeOffset? Lowest(IReadOnlyCollection<SubtaskStatus> subtasks) =>
        subtasks.Count == 0 || subtasks.Any(static subtask => subtask.Watermark is null) ? null : subtasks.Min(static subtask => subtask.Watermark);
}
