using OrleansStream.Jobs;

namespace OrleansStream.Http;

/// <summary>All that the status page shows of a job; as JSON the answer of <c>/api/jobs/{name}</c>.</summary>
/// <param name="Summary">The job in a few figures.</param>
/// <param name="Leader">The silo that leads the job: opens its attempts and coordinates its checkpoints.</param>
/// <param name="Failures">How many attempts failed one after the other.</param>
/// <param name="RestoredFrom">The checkpoint that this attempt began from; null when it began from nothing.</param>
/// <param name="StoreTrouble">What the checkpoint store last complained of; null when all is well.</param>
/// <param name="LastMove">The last planned move; null when there was none since the silo leads the job that does.</param>
/// <param name="At">When this was so.</param>
/// <param name="Stages">The stages, from sources to sinks.</param>
/// <param name="Checkpoints">The latest checkpoints of this attempt, newest first.</param>
/// <param name="Sources">The sources that have event time, and what holds each back.</param>
public sealed record JobView(
    JobSummary Summary,
    string? Leader,
    int Failures,
    string? RestoredFrom,
    string? StoreTrouble,
    MoveView? LastMove,
    DateTimeOffset At,
    IReadOnlyList<StageView> Stages,
    IReadOnlyList<CheckpointView> Checkpoints,
    IReadOnlyList<SourceView> Sources)
{
    /// <summary>Shows a status.</summary>
    public static JobView Of(JobStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        return new JobView(
            JobSummary.Of(status),
            status.Leader,
            status.Failures,
            status.RestoredFrom,
            status.StoreTrouble,
            status.LastMove is { } move ? MoveView.Of(move) : null,
            status.At,
            [.. status.Stages.Select(StageView.Of)],
            [.. status.Checkpoints.Select(CheckpointView.Of)],
            [.. status.Sources.Select(SourceView.Of)]);
    }
}

/// <summary>A planned move that was made: a rescale, or subtasks put on other silos.</summary>
/// <param name="Reason">What for.</param>
/// <param name="Attempt">The attempt that followed.</param>
/// <param name="CheckpointMs">How long its checkpoint took, while records went on.</param>
/// <param name="PauseMs">How long no record was processed.</param>
/// <param name="At">When the next attempt ran.</param>
public sealed record MoveView(string Reason, int Attempt, double CheckpointMs, double PauseMs, DateTimeOffset At)
{
    internal static MoveView Of(MoveStatus move) => new(move.Reason, move.Attempt, move.Checkpoint.TotalMilliseconds, move.Pause.TotalMilliseconds, move.At);
}

/// <summary>A stage.</summary>
/// <param name="Name">Its name: that of its first operator.</param>
/// <param name="Operators">The operators that run in it.</param>
/// <param name="Reads">The stages that it reads.</param>
/// <param name="RecordsPerSecond">Records taken in per second, lately, by all subtasks together.</param>
/// <param name="RecordsIn">Records taken in since the attempt began.</param>
/// <param name="RecordsOut">Records sent on or written since the attempt began.</param>
/// <param name="Watermark">The lowest of its subtasks' watermarks; null before the first and at the end of input.</param>
/// <param name="InputEnded">Whether all its input has ended.</param>
/// <param name="BackPressure">The largest share of the last second in which a subtask waited for room below, 0 to 1.</param>
/// <param name="Subtasks">Its subtasks.</param>
public sealed record StageView(
    string Name,
    IReadOnlyList<string> Operators,
    IReadOnlyList<string> Reads,
    double RecordsPerSecond,
    long RecordsIn,
    long RecordsOut,
    DateTimeOffset? Watermark,
    bool InputEnded,
    double BackPressure,
    IReadOnlyList<SubtaskView> Subtasks)
{
    internal static StageView Of(StageStatus stage)
    {
        var watermark = JobSummary.Lowest(stage.Subtasks);
        return new StageView(
            stage.Name,
            stage.Operators,
            stage.Reads,
            stage.Subtasks.Sum(static subtask => subtask.RecordsPerSecond),
            stage.Subtasks.Sum(static subtask => subtask.RecordsIn),
            stage.Subtasks.Sum(static subtask => subtask.RecordsOut),
            watermark == DateTimeOffset.MaxValue ? null : watermark,
            stage.Subtasks.Count > 0 && stage.Subtasks.All(static subtask => subtask.HasEnded),
            stage.Subtasks.Select(static subtask => subtask.BackPressure).DefaultIfEmpty().Max(),
            [.. stage.Subtasks.Select(SubtaskView.Of)]);
    }
}

/// <summary>A subtask. Counts are since the attempt began.</summary>
/// <param name="Index">Its index in the stage.</param>
/// <param name="Silo">The silo that it runs on.</param>
/// <param name="RecordsPerSecond">Records taken in per second, lately.</param>
/// <param name="RecordsIn">Records taken in.</param>
/// <param name="RecordsOut">Records sent on or written.</param>
/// <param name="LateRecords">Records whose window was gone.</param>
/// <param name="DeadLetters">Records that went to the dead letters.</param>
/// <param name="BadRecords">Input that could not be read and was put aside.</param>
/// <param name="Watermark">The watermark; null before the first and at the end of input.</param>
/// <param name="BackPressure">The share of the last second in which it waited for room below, 0 to 1.</param>
/// <param name="InputEnded">Whether its input has ended.</param>
/// <param name="Position">Where its source stands; null where it has none.</param>
public sealed record SubtaskView(
    int Index,
    string Silo,
    double RecordsPerSecond,
    long RecordsIn,
    long RecordsOut,
    long LateRecords,
    long DeadLetters,
    long BadRecords,
    DateTimeOffset? Watermark,
    double BackPressure,
    bool InputEnded,
    string? Position)
{
    internal static SubtaskView Of(SubtaskStatus subtask) => new(
        subtask.Index,
        subtask.Silo,
        subtask.RecordsPerSecond,
        subtask.RecordsIn,
        subtask.RecordsOut,
        subtask.LateRecords,
        subtask.DeadLetters,
        subtask.BadRecords,
        subtask.Watermark == DateTimeOffset.MaxValue ? null : subtask.Watermark,
        subtask.BackPressure,
        subtask.HasEnded,
        subtask.Position);
}

/// <summary>A checkpoint.</summary>
/// <param name="Id">Its id, as <c>attempt-number</c>.</param>
/// <param name="At">When it began.</param>
/// <param name="State">In flight, published, committed, or given up.</param>
/// <param name="IsFull">Whether its snapshots hold all state.</param>
/// <param name="DurationMs">From its beginning to its publication.</param>
/// <param name="WrittenBytes">Bytes written for it.</param>
/// <param name="StateBytes">Bytes of all that it names.</param>
/// <param name="LongestStallMs">The longest time in which one subtask processed nothing because it froze.</param>
public sealed record CheckpointView(string Id, DateTimeOffset At, string State, bool IsFull, double DurationMs, long WrittenBytes, long StateBytes, double LongestStallMs)
{
    internal static CheckpointView Of(CheckpointStatus checkpoint) => new(
        checkpoint.Id,
        checkpoint.At,
        checkpoint.State,
        checkpoint.IsFull,
        checkpoint.Duration.TotalMilliseconds,
        checkpoint.WrittenBytes,
        checkpoint.StateBytes,
        checkpoint.LongestStall.TotalMilliseconds);
}
