using OrleansStream.Jobs;

namespace OrleansStream.Checkpoints;

/// <summary>What a job's log says.</summary>
/// <param name="Last">The newest attempt that has an entry; null when there is none. It may have been sealed before it started.</param>
/// <param name="LastStarted">How the newest attempt that started did.</param>
/// <param name="Kept">All kept checkpoints, newest first.</param>
/// <param name="End">How the job ended: <see cref="Finished"/>, <see cref="Stopped"/> or <see cref="Failed"/>, when no attempt started after it; else null.</param>
internal sealed record JobHistory(Attempt? Last, Started? LastStarted, IReadOnlyList<ManifestRef> Kept, LogEntry? End)
{
    /// <summary>Of a job that never ran.</summary>
    public static JobHistory Empty { get; } = new(null, null, [], null);

    /// <summary>The parallelism of the next attempt, when the last thing that the job did was to take a checkpoint for a rescale; else null.</summary>
    public int? NextParallelism { get; init; }

    /// <summary>How many attempts there are.</summary>
    public int Attempts => Last?.Number ?? 0;
}

/// <summary>An attempt that its taker alone may begin.</summary>
/// <param name="WriterId">The taker.</param>
/// <param name="Next">The attempt. The first one of a history belongs to whoever begins it first.</param>
/// <param name="History">Everything before it; nothing can be added to it any more.</param>
internal sealed record Takeover(string WriterId, Attempt Next, JobHistory History);
