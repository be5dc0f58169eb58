using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using OrleansStream.Dashboard;
using OrleansStream.Hosting;
using OrleansStream.Http;
using OrleansStream.Jobs;
using OrleansStream.Silo.Terminal;
using StackExchange.Redis;

namespace OrleansStream.Silo.Hosting;

/// <summary>One silo of a cluster in this process, with the page and the verbs of the cluster over HTTP.</summary>
internal sealed class ClusterSilo : IAsyncDisposable
{
    /// <summary>A stop that takes longer is cut off. It has to hand its subtasks over.</summary>
    public static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(30);

    private readonly WebApplication _app;

    private ClusterSilo(WebApplication app) => _app = app;

    public static async Task<ClusterSilo> StartAsync(ClusterSettings settings, Screen screen, CancellationToken cancellation)
    {
        var app = Build(settings, screen);
        try
        {
            MachinePorts.RefuseUnlessFree(settings.HttpAddress, settings.HttpPort, "the status page", "--http-port");
            MachinePorts.RefuseUnlessFree(settings.SiloAddress, settings.SiloPort, "this silo", "--silo-port");
            MachinePorts.RefuseUnlessFree(settings.SiloAddress, settings.GatewayPort, "the gateway of this silo", "--gateway-port");
            await RequireMembersAsync(settings.Clustering);
            await app.StartAsync(cancellation);
            return new ClusterSilo(app);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Completes when the silo has left, for instance because the others declared it dead.</summary>
    public async Task WaitForEndAsync(CancellationToken cancellation)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var stopping = _app.Lifetime.ApplicationStopping.Register(() => ended.TrySetResult());
        await ended.Task.WaitAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        using (var limit = new CancellationTokenSource(LongestStop))
        {
            try
            {
                await _app.StopAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                // Cut off: the others go on from the last checkpoint.
            }
        }

        await _app.DisposeAsync();
    }

    /// <summary>Refuses a place of members that does not answer, in words for a person: Orleans has many for it, and none of what to do.</summary>
    private static async Task RequireMembersAsync(ClusterPlace place)
    {
        try
        {
            await using var redis = await ConnectionMultiplexer.ConnectAsync(place.Redis);
            await redis.GetDatabase().PingAsync();
        }
        catch (Exception error) when (error is RedisException or ArgumentException or TimeoutException)
        {
            throw new JobRefusedException($"The members of the cluster are to be in Redis at '{place}', and it does not answer ({error.GetType().Name}): start one there, or say with --clustering where it is.");
        }
    }

    private static WebApplication Build(ClusterSettings settings, Screen screen)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.AddProvider(new ScreenLoggerProvider(screen, settings.Verbose, TimeProvider.System));
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("OrleansStream", LogLevel.Information);
        if (settings.Verbose) builder.Logging.SetMinimumLevel(LogLevel.Information);
        else builder.Logging.AddFilter("Orleans", LogLevel.Error).AddFilter("Microsoft", LogLevel.Error);
        builder.Services.RemoveAll<IHostLifetime>().AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(static options => options.ShutdownTimeout = LongestStop);
        builder.Services.AddSingleton<TextWriter>(screen.Lines);
        builder.UseOrleans(silo =>
        {
            silo.Configure<ClusterOptions>(options => options.ClusterId = options.ServiceId = settings.ClusterId);
            silo.UseRedisClustering(settings.Clustering.Redis);
            silo.UseQuickFailureDetection();
            silo.ConfigureEndpoints(settings.SiloAddress, settings.SiloPort, settings.GatewayPort, listenOnAnyHostAddress: false);
            silo.AddOrleansStream(options =>
            {
                if (settings.Storage.Folder is { } checkpoints) options.Checkpoints.Folder = checkpoints;
                else options.Checkpoints.UseAzureBlobs(settings.Storage.Azure!);
                // A store or a network that is down for an hour is no reason to give a job up; somebody has to come and see, not to start it again.
                options.Restarts = RestartStrategy.Exponential(attempts: int.MaxValue);
                foreach (var folder in settings.Files) options.Files.Roots.Add(folder);
                options.Checkpoints.LocalSnapshots = settings.LocalSnapshots;
                if (settings.CheckpointInterval is { } interval) options.Checkpoints.Interval = interval;
            });
            KnownJobs.AddTo(silo, start: null);
        });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.ListenForStreamJobs());
        builder.Services.AddRouting().AddStreamHttp(http =>
        {
            (http.Address, http.Port, http.Jwt) = (settings.HttpAddress, settings.HttpPort, settings.Jwt);
            foreach (var key in settings.ApiKeys) http.ApiKeys.Add(key);
        });
        var app = builder.Build();
        app.MapStreamJobs();
        app.MapStreamDashboard();
        return app;
    }
}
