namespace OrleansStream.Jobs;

/// <summary>
/// One job of the cluster, as everybody calls it: passes on to the <see cref="IJobLeaderGrain"/> on the silo that leads the job, and finds or chooses that silo. It holds nothing that could be
/// lost: there may be two of them for a while, or none.
/// </summary>
internal interface IJobGrain : IGrainWithStringKey
{
    Task StartAsync(JobStart start);

    /// <summary>Starts the job as it was registered, unless it is active or was stopped or failed for good.</summary>
    Task ReviveAsync();

    Task StopAsync(string reason);

    /// <summary>Asks for another parallelism; the answer says whether that can be, and comes before it is done.</summary>
    Task<RescaleAnswer> RescaleAsync(int parallelism);

    /// <summary>Answers when no planned move is under way, or after a few seconds.</summary>
    Task<JobStatus> WaitMovedAsync();

    /// <summary>A silo leaves: goes on without it, and answers when nothing of the job is there any more. Starts a job that should run and is not active.</summary>
    /// <param name="silo">The silo that leaves.</param>
    /// <param name="handed">What the job's leader on that silo gave away, when it was there; else null.</param>
    [ResponseTimeout("00:30:00")]
    Task MoveAwayAsync(string silo, HandOver? handed);

    Task<JobStatus> StatusAsync();

    /// <summary>Answers when the job has ended, or after a few seconds.</summary>
    Task<JobStatus> WaitAsync();
}

/// <summary>
/// Leads a job from one silo, pinned to it: outside of Orleans' directory, which ends what it has lost track of when another silo leaves. There may be two leaders for a while; the history decides
/// which one counts.
/// </summary>
internal interface IJobLeaderGrain : IGrainWithStringKey
{
    Task StartAsync(JobStart start);

    Task ReviveAsync();

    Task StopAsync(string reason);

    Task<RescaleAnswer> RescaleAsync(int parallelism);

    Task<JobStatus> WaitMovedAsync();

    /// <inheritdoc cref="IJobGrain.MoveAwayAsync"/>
    /// <returns>False when this silo leaves, too: ask another.</returns>
    [ResponseTimeout("00:30:00")]
    Task<bool> MoveAwayAsync(string silo, HandOver? handed);

    /// <summary>This silo leaves: ends the attempt at a checkpoint of its own, and the driver with it.</summary>
    [ResponseTimeout("00:30:00")]
    Task<HandOver> HandOverAsync();

    Task<JobStatus> StatusAsync();

    Task<JobStatus> WaitAsync();

    /// <summary>The attempt's end may be there: look.</summary>
    Task WakeAsync();

    /// <summary>The silo leaves: end the attempt at once and go on elsewhere, or later.</summary>
    Task LeaveAsync(string cause);
}
