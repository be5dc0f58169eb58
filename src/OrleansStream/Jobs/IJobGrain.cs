namespace OrleansStream.Jobs;

/// <summary>One job of the cluster. There may be two activations for a while; the history decides which one counts.</summary>
internal interface IJobGrain : IGrainWithStringKey
{
    Task StartAsync(JobStart start);

    /// <summary>Starts the job as it was registered, unless it is active or was stopped or failed for good.</summary>
    Task ReviveAsync();

    Task StopAsync(string reason);

    Task<JobStatus> StatusAsync();

    /// <summary>Answers when the job has ended, or after a few seconds.</summary>
    Task<JobStatus> WaitAsync();

    /// <summary>The attempt's end may be there: look.</summary>
    Task WakeAsync();

    /// <summary>The silo leaves: end the attempt at once and go on elsewhere, or later.</summary>
    Task LeaveAsync(string cause);
}
