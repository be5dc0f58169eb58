using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansStream.Graph;
using OrleansStream.Hosting;
using OrleansStream.Jobs;

namespace OrleansStream.Benchmarks;

/// <summary>One silo in this process, made for one run.</summary>
internal static class EmbeddedSilo
{
    public static async Task<JobStatus> RunAsync(RunSettings settings, Action<JobGraph> define)
    {
        var folder = Directory.CreateTempSubdirectory("orleansstream-benchmark-");
        try
        {
            using var host = Host.CreateDefaultBuilder()
                .ConfigureLogging(static logging => logging.ClearProviders())
                .UseOrleans(builder =>
                {
                    builder.UseLocalhostClustering(FreePort(), FreePort());
                    builder.AddOrleansStream(options =>
                    {
                        options.Checkpoints.Folder = folder.FullName;
                        options.Checkpoints.Interval = settings.CheckpointInterval;
                        options.Restarts = RestartStrategy.None;
                        options.ReviveJobs = false;
                    });
                    builder.Services.AddSingleton(new JobRegistration("benchmark", _ => new LambdaJob(define), new JobStart()));
                })
                .Build();
            await host.StartAsync();
            var jobs = host.Services.GetRequiredService<IStreamJobs>();
            Measurement.Begin();
            await jobs.StartAsync("benchmark", new JobStart { Parallelism = settings.Parallelism });
            var status = await jobs.WaitForEndAsync("benchmark");
            Measurement.End();
            await host.StopAsync();
            return status;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class LambdaJob(Action<JobGraph> define) : IStreamJob
    {
        public void Define(JobGraph graph, JobArguments args) => define(graph);
    }
}
