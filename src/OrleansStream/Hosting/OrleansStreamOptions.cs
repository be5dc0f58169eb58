using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.State;

namespace OrleansStream.Hosting;

/// <summary>How a silo runs jobs. All silos of a cluster must have the same.</summary>
public sealed class OrleansStreamOptions
{
    /// <summary>How checkpoints are taken and kept.</summary>
    public CheckpointOptions Checkpoints { get; } = new();

    /// <summary>Which files jobs may open.</summary>
    public FileAccessOptions Files { get; } = new();

    /// <summary>The number of key groups, and so the highest parallelism that a job can ever be scaled to; from 1 to 32,768, 128 unless set. Fixed once a job has run.</summary>
    public int MaxParallelism { get; set; } = KeyGroups.DefaultMaxParallelism;

    /// <summary>What follows a failed attempt: <see cref="RestartStrategy.Exponential"/> unless set.</summary>
    public RestartStrategy Restarts { get; set; } = RestartStrategy.Exponential();

    /// <summary>Whether a silo that starts starts its registered jobs too, as far as they were not stopped, finished or failed for good. True unless set.</summary>
    public bool ReviveJobs { get; set; } = true;

    /// <summary>
    /// How long a silo that is told to stop waits for its jobs to go on elsewhere, behind a checkpoint, before it leaves all the same; then they go on from their last checkpoint. 20 s unless set,
    /// zero for not at all. The time that the host gives its services to stop, 30 s by default, must be longer.
    /// </summary>
    public TimeSpan HandOverPatience { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// After how long without another change of the cluster, and of the job, a job whose subtasks are unevenly spread over the silos is moved, by a checkpoint and a new attempt: so a silo that joins
    /// gets its share. 10 s unless set; null for never.
    /// </summary>
    public TimeSpan? RebalanceAfter { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The longest that a planned move (a rescale, a silo that joins) is put off while the silos read ahead what the subtasks that come to them need, and the job goes on: the pause is then short whatever
    /// the size of the state. Meanwhile that state is in memory twice; what a silo has no room for it does not read ahead, and says so. Before a silo leaves it is two fifths of <see cref="HandOverPatience"/> at most.
    /// 2 min unless set; zero for not at all, and then nothing is read ahead of a recovery either, as it is when a silo seems to have gone and is not yet out of the cluster.
    /// </summary>
    public TimeSpan LongestReadAhead { get; set; } = TimeSpan.FromMinutes(2);

    internal IEnumerable<string> Problems()
    {
        if (LongestReadAhead < TimeSpan.Zero || LongestReadAhead > TimeSpan.FromHours(1)) yield return $"{nameof(LongestReadAhead)} is {LongestReadAhead}; it must be from 0 to 1 h";
        if (HandOverPatience < TimeSpan.Zero || HandOverPatience > TimeSpan.FromMinutes(30)) yield return $"{nameof(HandOverPatience)} is {HandOverPatience}; it must be from 0 to 30 min";
        if (RebalanceAfter < TimeSpan.Zero) yield return $"{nameof(RebalanceAfter)} is {RebalanceAfter}; it must not be negative, and null for never";
        if (MaxParallelism is < 1 or > KeyGroups.LargestMaxParallelism) yield return $"{nameof(MaxParallelism)} is {MaxParallelism}; it must be from 1 to {KeyGroups.LargestMaxParallelism}";
        if (Restarts is null) yield return $"{nameof(Restarts)} is null; use RestartStrategy.None for no restarts";
        foreach (var problem in Checkpoints.Problems()) yield return $"{nameof(Checkpoints)}.{problem}";
        if (Files.Roots.Any(string.IsNullOrWhiteSpace)) yield return $"{nameof(Files)}.{nameof(Files.Roots)} has an empty folder; name a folder, or leave it out";
    }

    internal JobRules ToRules() => new()
    {
        Restarts = Restarts,
        RebalanceAfter = RebalanceAfter,
        LongestReadAhead = LongestReadAhead,
        LongestUrgentReadAhead = TimeSpan.FromTicks(Math.Min(LongestReadAhead.Ticks, HandOverPatience.Ticks * 2 / 5)),
        Checkpoints = new CheckpointRules
        {
            Interval = Checkpoints.Interval,
            Timeout = Checkpoints.Timeout,
            RetainedCount = Checkpoints.Retained,
            TolerableGivenUp = Checkpoints.TolerableGivenUp,
        },
    };
}

/// <summary>Which files jobs may open. What a job is given as its arguments may come from far away; its code may not.</summary>
public sealed class FileAccessOptions
{
    /// <summary>The folders whose files the sources and sinks of jobs may open; none, and so no limit, unless set. See <see cref="FileAccessRules"/>.</summary>
    public IList<string> Roots { get; } = [];
}

/// <summary>How checkpoints are taken and kept.</summary>
public sealed class CheckpointOptions
{
    /// <summary>The local folder for checkpoints; made when it is not there. Unused when <see cref="Store"/> is set. <c>checkpoints</c> in the working folder unless set.</summary>
    public string Folder { get; set; } = "checkpoints";

    /// <summary>Makes a store other than the local folder.</summary>
    public Func<IServiceProvider, ICheckpointStore>? Store { get; set; }

    /// <summary>
    /// A folder on a disk of this silo's own, made when it is not there, in which it keeps the snapshots that it wrote beside the store: a job that goes on, here or on a silo that can ask this one,
    /// reads them from there, if they are to the last bit what the manifest names. Trouble with it is logged, and does no other harm. Two silos never share one. None unless set.
    /// </summary>
    public string? LocalSnapshots { get; set; }

    /// <summary>About how many bytes of snapshots are kept in <see cref="LocalSnapshots"/>, the newest; 8 GiB unless set, 16 MiB at least.</summary>
    public long LocalSnapshotBytes { get; set; } = 8L << 30;

    /// <summary>Time from the beginning of one checkpoint to that of the next; 10 s unless set, 10 ms at least.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>After how long a checkpoint that is not complete is given up; 10 min unless set.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How many of the newest checkpoints are kept, 1 at least, 2 unless set. Whatever the number, what is kept spans two full snapshots.</summary>
    public int Retained { get; set; } = 2;

    /// <summary>How many checkpoints in a row may be given up before the attempt ends; 3 unless set.</summary>
    public int TolerableGivenUp { get; set; } = 3;

    /// <summary>About how many bytes of a snapshot are encoded before they are written; by the number of key groups unless a test sets it.</summary>
    internal int? PieceBytes { get; set; }

    internal IEnumerable<string> Problems()
    {
        if (Store is null && string.IsNullOrWhiteSpace(Folder)) yield return $"{nameof(Folder)} is empty; name a folder, or set {nameof(Store)}";
        if (LocalSnapshots is not null && string.IsNullOrWhiteSpace(LocalSnapshots)) yield return $"{nameof(LocalSnapshots)} is empty; name a folder, or leave it null";
        if (LocalSnapshotBytes < 16 << 20) yield return $"{nameof(LocalSnapshotBytes)} is {LocalSnapshotBytes}; it must be {16 << 20} at least";
        if (Interval < TimeSpan.FromMilliseconds(10)) yield return $"{nameof(Interval)} is {Interval}; it must be 10 ms at least";
        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromDays(1)) yield return $"{nameof(Timeout)} is {Timeout}; it must be above 0 and a day at most";
        if (Retained < 1) yield return $"{nameof(Retained)} is {Retained}; it must be 1 at least";
        if (TolerableGivenUp < 0) yield return $"{nameof(TolerableGivenUp)} is {TolerableGivenUp}; it must not be negative";
    }
}
