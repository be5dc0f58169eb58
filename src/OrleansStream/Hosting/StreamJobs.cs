using Microsoft.Extensions.Options;
using OrleansStream.Graph;
using OrleansStream.Jobs;

namespace OrleansStream.Hosting;

/// <inheritdoc/>
internal sealed class StreamJobs(IGrainFactory grains, JobRegistry jobs, IOptions<OrleansStreamOptions> options, TimeProvider time) : IStreamJobs
{
    /// <summary>How long a wait for a move lasts before a job that nobody leads is looked at again.</summary>
    private static readonly TimeSpan TakeoverPause = TimeSpan.FromMilliseconds(100);

    public IReadOnlyList<string> Names => jobs.Names;

    public Task<JobStatus> GetStatusAsync(string job) => Grain(job).StatusAsync();

    public Task StartAsync(string job, JobStart? start = null) => Grain(job).StartAsync(start ?? Registered(job));

    public Task StopAsync(string job, string reason) => Grain(job).StopAsync(reason);

    public async Task<bool> RescaleAsync(string job, int parallelism, CancellationToken cancellation = default)
    {
        var answer = await Grain(job).RescaleAsync(parallelism).WaitAsync(cancellation);
        if (answer.Problem is { } problem) throw new JobRefusedException(problem);
        if (answer.IsAlready) return false;
        while (true)
        {
            var status = await Grain(job).WaitMovedAsync().WaitAsync(cancellation);
            if (status is { Phase: JobPhase.Running, Moving: null })
            {
                return status.Parallelism == parallelism ? true
                    : throw new StreamException($"Job '{job}' was taken over by another silo before it was rescaled to {parallelism}, and goes on at {status.Parallelism}; ask again.");
            }

            if (status.HasEnded) throw new StreamException($"Job '{job}' is {status.Phase.ToString().ToLowerInvariant()}, and did not come to run at parallelism {parallelism}{(status.Cause is { } cause ? $": {cause}" : "")}.");
            // Nobody leads the job at the moment: its silo has left, and another one takes over.
            if (status.Moving is null) await Task.Delay(TakeoverPause, time, cancellation);
        }
    }

    public async Task<JobStatus> WaitForEndAsync(string job, CancellationToken cancellation = default)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var status = await Grain(job).WaitAsync().WaitAsync(cancellation);
            if (status.HasEnded) return status;
        }
    }

    public string DescribeAsText(string job) => GraphDescription.ToText(GraphOf(job));

    public string DescribeAsJson(string job) => GraphDescription.ToJson(GraphOf(job));

    private JobGraph GraphOf(string job)
    {
        var start = jobs.Find(job).Start ?? new JobStart();
        return jobs.PlanOf(job, start.Arguments, JobRegistry.ParallelismOf(start), options.Value.MaxParallelism).Graph;
    }

    private JobStart Registered(string job)
    {
        var registered = jobs.Find(job).Start ?? new JobStart();
        return registered with { Registered = registered.Parallelism };
    }

    private IJobGrain Grain(string job) => grains.GetGrain<IJobGrain>(jobs.Find(job).Name);
}
