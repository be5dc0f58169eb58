namespace OrleansStream.Jobs;

/// <summary>The jobs of a cluster, as any of its silos sees them.</summary>
public interface IStreamJobs
{
    /// <summary>The names of the jobs that this silo knows, sorted.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>How a job is doing.</summary>
    /// <exception cref="JobRefusedException">There is no job of that name.</exception>
    Task<JobStatus> GetStatusAsync(string job);

    /// <summary>Starts a job, or lets it go on from its last checkpoint. A repeat changes nothing while it runs.</summary>
    /// <param name="job">The job's name.</param>
    /// <param name="start">What to start it with; null for what it was registered with, at the parallelism of its last rescale, if that was one.</param>
    /// <exception cref="JobRefusedException">There is no job of that name.</exception>
    Task StartAsync(string job, JobStart? start = null);

    /// <summary>Takes a last checkpoint and stops the job. It goes on when started again.</summary>
    /// <exception cref="JobRefusedException">There is no job of that name.</exception>
    Task StopAsync(string job, string reason);

    /// <summary>
    /// Lets a job that runs go on at another parallelism: takes a checkpoint, ends the attempt with it, and begins the next one from there at once. Records that arrive meanwhile are only
    /// delayed; nothing is lost or doubled. Every later attempt has the new parallelism, too, on whichever silo and after whatever failure, until the job is rescaled again, or started by hand or
    /// registered with another parallelism. If the checkpoint fails, the job goes on from the one before it, at the new parallelism.
    /// </summary>
    /// <param name="job">The job's name.</param>
    /// <param name="parallelism">How many subtasks each stage is to have: from 1 to the number of key groups, <see cref="Hosting.OrleansStreamOptions.MaxParallelism"/>.</param>
    /// <param name="cancellation">Stops waiting. The job is rescaled all the same.</param>
    /// <returns>True when the new attempt runs; false when the job had that parallelism already, so that nothing was done: a repeat does no harm.</returns>
    /// <exception cref="JobRefusedException">There is no job of that name, it does not run, the parallelism is out of range, or another planned move is under way.</exception>
    /// <exception cref="StreamException">The job ended before it ran at the new parallelism, or the silo that led it died before the checkpoint was published: it goes on as it was.</exception>
    Task<bool> RescaleAsync(string job, int parallelism, CancellationToken cancellation = default);

    /// <summary>Completes when the job has finished, failed or was stopped.</summary>
    Task<JobStatus> WaitForEndAsync(string job, CancellationToken cancellation = default);

    /// <summary>The job's graph as text, one operator a line.</summary>
    string DescribeAsText(string job);

    /// <summary>The job's graph as JSON.</summary>
    string DescribeAsJson(string job);
}

/// <summary>What a job is started with.</summary>
[GenerateSerializer, Immutable, Alias("os.JobStart")]
public sealed record JobStart
{
    /// <summary>The job's own arguments. A job goes on from a checkpoint only with the arguments that it was begun with.</summary>
    [Id(0)] public JobArguments Arguments { get; init; } = JobArguments.None;

    /// <summary>How many subtasks each stage has; may differ from start to start. 0 for the number of cores, at most 8.</summary>
    [Id(1)] public int Parallelism { get; init; }

    /// <summary>The most records per second of each source, all its subtasks together; null for no limit but its own.</summary>
    [Id(2)] public double? RecordsPerSecond { get; init; }

    /// <summary>Time between checkpoints; null for the silo's option.</summary>
    [Id(3)] public TimeSpan? CheckpointInterval { get; init; }

    /// <summary>The parallelism that the job was registered with, 0 for none in particular, when it was rescaled to <see cref="Parallelism"/>; null when that comes from elsewhere.</summary>
    [Id(4)] internal int? RescaledOver { get; init; }

    /// <summary>The parallelism that the job is registered with, 0 for none in particular, when nobody chose another for this start; else null.</summary>
    [Id(5)] internal int? Registered { get; init; }
}
