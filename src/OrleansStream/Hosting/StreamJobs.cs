using Microsoft.Extensions.Options;
using OrleansStream.Graph;
using OrleansStream.Jobs;

namespace OrleansStream.Hosting;

/// <inheritdoc/>
internal sealed class StreamJobs(IGrainFactory grains, JobRegistry jobs, IOptions<OrleansStreamOptions> options) : IStreamJobs
{
    public IReadOnlyList<string> Names => jobs.Names;

    public Task<JobStatus> GetStatusAsync(string job) => Grain(job).StatusAsync();

    public Task StartAsync(string job, JobStart? start = null) => Grain(job).StartAsync(start ?? jobs.Find(job).Start ?? new JobStart());

    public Task StopAsync(string job, string reason) => Grain(job).StopAsync(reason);

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

    private IJobGrain Grain(string job) => grains.GetGrain<IJobGrain>(jobs.Find(job).Name);
}
