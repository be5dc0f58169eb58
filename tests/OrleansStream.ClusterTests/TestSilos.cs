using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansStream.Graph;
using OrleansStream.Hosting;
using OrleansStream.Jobs;

namespace OrleansStream.ClusterTests;

/// <summary>Silos of one cluster in this process, talking over loopback as separate machines would, over one checkpoint folder.</summary>
public sealed class TestSilos : IAsyncDisposable
{
    private const int FirstPort = 15_000;
    private const int Ports = 15_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static int _ports = Random.Shared.Next(Ports);

    private readonly List<IHost> _hosts = [];
    private readonly Action<OrleansStreamOptions>? _configure;
    private readonly Action<ISiloBuilder> _jobs;
    private IPEndPoint? _primary;

    private TestSilos(string folder, Action<OrleansStreamOptions>? configure, Action<ISiloBuilder> jobs)
    {
        Folder = folder;
        _configure = configure;
        _jobs = jobs;
    }

    public string Folder { get; }

    public IStreamJobs Jobs => _hosts[0].Services.GetRequiredService<IStreamJobs>();

    /// <summary>The jobs as one of the silos sees them.</summary>
    public IStreamJobs JobsOf(int silo) => _hosts[silo].Services.GetRequiredService<IStreamJobs>();

    public IServiceProvider Services => _hosts[0].Services;

    /// <summary>Those of all silos.</summary>
    public IEnumerable<IServiceProvider> AllServices => _hosts.Select(static host => host.Services);

    public static Task<TestSilos> StartAsync(string folder, Action<JobGraph, JobArguments> job, int silos = 1, Action<OrleansStreamOptions>? configure = null) =>
        StartAsync(folder, silos, configure, siloBuilder => siloBuilder.Services.AddSingleton(new JobRegistration("job", _ => new LambdaJob(job), null)));

    public static async Task<TestSilos> StartAsync(string folder, int silos, Action<OrleansStreamOptions>? configure, Action<ISiloBuilder> jobs)
    {
        var cluster = new TestSilos(folder, configure, jobs);
        for (var i = 0; i < silos; i++) await cluster.AddAsync();
        return cluster;
    }

    /// <summary>Lets another silo join.</summary>
    public async Task AddAsync()
    {
        var siloPort = FreePort();
        var gatewayPort = FreePort();
        var host = Host.CreateDefaultBuilder()
            .ConfigureLogging(static logging => logging.ClearProviders().AddConsole().SetMinimumLevel(LogLevel.Error))
            .UseOrleans(builder =>
            {
                builder.UseLocalhostClustering(siloPort, gatewayPort, _primary);
                builder.AddOrleansStream(options =>
                {
                    options.Checkpoints.Folder = Folder;
                    options.Checkpoints.Interval = TimeSpan.FromMilliseconds(200);
                    _configure?.Invoke(options);
                });
                _jobs(builder);
            })
            .Build();
        await host.StartAsync();
        _primary ??= new IPEndPoint(IPAddress.Loopback, siloPort);
        _hosts.Add(host);
    }

    public async Task<JobStatus> RunAsync(int parallelism, JobArguments? arguments = null, double? recordsPerSecond = null)
    {
        await Jobs.StartAsync("job", new JobStart { Parallelism = parallelism, Arguments = arguments ?? JobArguments.None, RecordsPerSecond = recordsPerSecond });
        return await EndAsync();
    }

    /// <summary>Waits for the job's end.</summary>
    public async Task<JobStatus> EndAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            return await Jobs.WaitForEndAsync("job", limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The job did not end within {Patience}: {await DescribeAsync()}");
        }
    }

    /// <summary>Waits until the job's status is as wanted.</summary>
    public async Task<JobStatus> WaitAsync(Func<JobStatus, bool> wanted)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var status = await Jobs.GetStatusAsync("job");
            if (wanted(status)) return status;
            if (status.HasEnded || TimeProvider.System.GetElapsedTime(began) > Patience) throw new TimeoutException($"The job did not come to be as wanted: {await DescribeAsync()}");
            await Task.Delay(20);
        }
    }

    /// <summary>Takes a silo out of the cluster; it gets no time for farewells unless it is to leave gracefully.</summary>
    public async Task RemoveAsync(int silo, bool gracefully)
    {
        var host = _hosts[silo];
        _hosts.RemoveAt(silo);
        await host.StopAsync(gracefully ? CancellationToken.None : new CancellationToken(canceled: true));
        host.Dispose();
    }

    private async Task<string> DescribeAsync()
    {
        var status = await Jobs.GetStatusAsync("job");
        var stages = status.Stages.Select(static stage =>
            $"{stage.Name}: {string.Join(", ", stage.Subtasks.Select(static subtask => $"{subtask.RecordsIn} in, {subtask.RecordsOut} out, ended {subtask.HasEnded}"))}");
        return $"{status.Phase}, attempt {status.Attempt}, {status.Cause}; {string.Join("; ", stages)}; {string.Join(", ", status.Checkpoints.Select(static checkpoint => $"{checkpoint.Id} {checkpoint.State}"))}";
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in Enumerable.Reverse(_hosts))
        {
            await host.StopAsync();
            host.Dispose();
        }
    }

    /// <summary>
    /// A port that nobody listens on. Below those from which systems take one for a connection that somebody opens: such a port may be gone before it is used.
    /// </summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = FirstPort + (int)((uint)Interlocked.Increment(ref _ports) % Ports);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody's; the next one.
            }
        }
    }
}

/// <summary>A job of a lambda.</summary>
internal sealed class LambdaJob(Action<JobGraph, JobArguments> define) : IStreamJob
{
    public void Define(JobGraph graph, JobArguments args) => define(graph, args);
}

/// <summary>A folder of a test's own, deleted behind it.</summary>
public sealed class TestFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("orleansstream-test-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
