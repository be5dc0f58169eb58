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
    private readonly List<IHost> _hosts = [];

    private TestSilos(string folder) => Folder = folder;

    public string Folder { get; }

    public IStreamJobs Jobs => _hosts[0].Services.GetRequiredService<IStreamJobs>();

    public IServiceProvider Services => _hosts[0].Services;

    public static Task<TestSilos> StartAsync(string folder, Action<JobGraph, JobArguments> job, int silos = 1, Action<OrleansStreamOptions>? configure = null) =>
        StartAsync(folder, silos, configure, siloBuilder => siloBuilder.Services.AddSingleton(new JobRegistration("job", _ => new LambdaJob(job), new JobStart())));

    public static async Task<TestSilos> StartAsync(string folder, int silos, Action<OrleansStreamOptions>? configure, Action<ISiloBuilder> jobs)
    {
        var cluster = new TestSilos(folder);
        IPEndPoint? primary = null;
        for (var i = 0; i < silos; i++)
        {
            var siloPort = FreePort();
            var gatewayPort = FreePort();
            var first = primary;
            var host = Host.CreateDefaultBuilder()
                .ConfigureLogging(static logging => logging.ClearProviders().AddConsole().SetMinimumLevel(LogLevel.Warning))
                .UseOrleans(builder =>
                {
                    builder.UseLocalhostClustering(siloPort, gatewayPort, first);
                    builder.AddOrleansStream(options =>
                    {
                        options.Checkpoints.Folder = folder;
                        options.Checkpoints.Interval = TimeSpan.FromMilliseconds(200);
                        options.ReviveJobs = false;
                        configure?.Invoke(options);
                    });
                    jobs(builder);
                })
                .Build();
            await host.StartAsync();
            primary ??= new IPEndPoint(IPAddress.Loopback, siloPort);
            cluster._hosts.Add(host);
        }

        return cluster;
    }

    public async Task<JobStatus> RunAsync(int parallelism, JobArguments? arguments = null, double? recordsPerSecond = null)
    {
        await Jobs.StartAsync("job", new JobStart { Parallelism = parallelism, Arguments = arguments ?? JobArguments.None, RecordsPerSecond = recordsPerSecond });
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            return await Jobs.WaitForEndAsync("job", limit.Token);
        }
        catch (OperationCanceledException)
        {
            var status = await Jobs.GetStatusAsync("job");
            throw new TimeoutException($"The job did not end within 60 s: {status.Phase}, attempt {status.Attempt}, {status.Cause}; "
                + string.Join("; ", status.Stages.Select(static stage => $"{stage.Name}: {string.Join(", ", stage.Subtasks.Select(static subtask => $"{subtask.RecordsIn} in, {subtask.RecordsOut} out, ended {subtask.HasEnded}"))}"))
                + "; " + string.Join(", ", status.Checkpoints.Select(static checkpoint => $"{checkpoint.Id} {checkpoint.State}")));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in Enumerable.Reverse(_hosts))
        {
            await host.StopAsync();
            host.Dispose();
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class LambdaJob(Action<JobGraph, JobArguments> define) : IStreamJob
    {
        public void Define(JobGraph graph, JobArguments args) => define(graph, args);
    }
}

/// <summary>A folder of a test's own, deleted behind it.</summary>
public sealed class TestFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("orleansstream-test-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
