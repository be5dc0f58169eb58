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
    private const string Job = "benchmark";

    /// <summary>The status tells of the latest 20 checkpoints; asked this often, none is missed at intervals of 50 ms and more.</summary>
    private static readonly TimeSpan StatusInterval = TimeSpan.FromSeconds(1);

    /// <summary>Runs a job to its end, measured from its start to its end.</summary>
    /// <returns>The checkpoints that were committed, oldest first.</returns>
    public static async Task<IReadOnlyList<CheckpointStatus>> RunAsync(RunSettings settings, Action<JobGraph> define)
    {
        var folder = FolderFor(settings);
        try
        {
            using var host = Build(builder => builder.AddOrleansStream(options =>
            {
                // Checkpoints cannot be switched off: where none are wanted, only the final one is taken, into memory.
                if (folder is null) options.Checkpoints.Store = static _ => new MemoryCheckpoints();
                else options.Checkpoints.Folder = folder.FullName;
                options.Checkpoints.Interval = folder is null ? TimeSpan.FromDays(1) : settings.CheckpointInterval;
                options.Restarts = RestartStrategy.None;
                options.ReviveJobs = false;
            }).Services.AddSingleton(new JobRegistration(Job, _ => new LambdaJob(define), new JobStart())));
            await host.StartAsync();
            var jobs = host.Services.GetRequiredService<IStreamJobs>();
            var checkpoints = new SortedDictionary<int, CheckpointStatus>();
            Measurement.Begin();
            await jobs.StartAsync(Job, new JobStart { Parallelism = settings.Parallelism });
            var ending = jobs.WaitForEndAsync(Job);
            while (await Task.WhenAny(ending, Task.Delay(StatusInterval)) != ending) Collect(await jobs.GetStatusAsync(Job), checkpoints);
            var status = await ending;
            Measurement.End();
            Collect(status, checkpoints);
            await host.StopAsync();
            if (status.Phase != JobPhase.Finished) throw new InvalidOperationException($"The job ended as {status.Phase}: {status.Cause}");
            return [.. checkpoints.Values.Where(static checkpoint => checkpoint.State == "committed")];
        }
        finally
        {
            folder?.Delete(recursive: true);
        }
    }

    /// <summary>A silo without logs: on free ports and a cluster of its own, unless ports are given.</summary>
    public static IHost Build(Action<ISiloBuilder> configure, ClusterPorts? ports = null) => Host.CreateDefaultBuilder()
        .ConfigureLogging(static logging => logging.ClearProviders())
        .UseOrleans(builder =>
        {
            var (silo, gateway, primary) = ports ?? new ClusterPorts(FreePort(), FreePort(), null);
            builder.UseLocalhostClustering(silo, gateway, primary is { } port ? new IPEndPoint(IPAddress.Loopback, port) : null);
            configure(builder);
        })
        .Build();

    private static void Collect(JobStatus status, SortedDictionary<int, CheckpointStatus> checkpoints)
    {
        foreach (var checkpoint in status.Checkpoints) checkpoints[int.Parse(checkpoint.Id.Split('-')[1], System.Globalization.CultureInfo.InvariantCulture)] = checkpoint;
    }

    /// <summary>A new folder for the checkpoints of a run; null when none are wanted.</summary>
    public static DirectoryInfo? FolderFor(RunSettings settings)
    {
        if (!settings.TakesCheckpoints) return null;
        return settings.Storage is { } folder
            ? Directory.CreateDirectory(Path.Combine(folder, $"benchmark-{Path.GetRandomFileName()}"))
            : Directory.CreateTempSubdirectory("orleansstream-benchmark-");
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>A job that is a lambda.</summary>
internal sealed class LambdaJob(Action<JobGraph> define) : IStreamJob
{
    public void Define(JobGraph graph, JobArguments args) => define(graph);
}

/// <summary>Where a silo listens, and the port of the cluster's first silo; null when it is the first itself.</summary>
internal sealed record ClusterPorts(int Silo, int Gateway, int? Primary);
