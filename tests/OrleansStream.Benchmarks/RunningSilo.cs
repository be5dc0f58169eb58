using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OrleansStream.Graph;
using OrleansStream.Hosting;
using OrleansStream.Jobs;

namespace OrleansStream.Benchmarks;

/// <summary>A silo in this process with one job, for runs that look at the job while it works.</summary>
internal sealed class RunningSilo : IAsyncDisposable
{
    public const string Job = "benchmark";

    private readonly IHost _host;

    private RunningSilo(IHost host)
    {
        _host = host;
        Jobs = Service<IStreamJobs>();
    }

    public IStreamJobs Jobs { get; }

    /// <summary>Starts a silo, and not yet its job.</summary>
    /// <param name="folder">Where checkpoints are; a job that left some there goes on from them.</param>
    /// <param name="interval">Time between checkpoints.</param>
    /// <param name="define">Defines the job.</param>
    /// <param name="ports">Where the silo listens; a cluster of its own when null.</param>
    public static async Task<RunningSilo> StartAsync(string folder, TimeSpan interval, Action<JobGraph> define, ClusterPorts? ports = null)
    {
        var host = EmbeddedSilo.Build(
            builder => builder.AddOrleansStream(options =>
            {
                options.Checkpoints.Folder = folder;
                options.Checkpoints.Interval = interval;
                options.Restarts = RestartStrategy.None;
                options.ReviveJobs = false;
            }).Services.AddSingleton(new JobRegistration(Job, _ => new LambdaJob(define), new JobStart())),
            ports);
        await host.StartAsync();
        return new RunningSilo(host);
    }

    public T Service<T>()
        where T : notnull => _host.Services.GetRequiredService<T>();

    /// <summary>Waits for the job's end, which must be a good one.</summary>
    public async Task<JobStatus> WaitForEndAsync()
    {
        var status = await Jobs.WaitForEndAsync(Job);
        return status.Phase is JobPhase.Finished or JobPhase.Stopped ? status : throw new InvalidOperationException($"The job ended as {status.Phase}: {status.Cause}");
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
