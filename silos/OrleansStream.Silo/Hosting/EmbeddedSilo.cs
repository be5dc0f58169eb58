using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansStream.Checkpoints;
using OrleansStream.Dashboard;
using OrleansStream.Hosting;
using OrleansStream.Http;
using OrleansStream.Jobs;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.Hosting;

/// <summary>What a silo of this process runs.</summary>
internal sealed record SiloSettings
{
    /// <summary>The one job that it knows, so that its status page shows no other; every job there is when null.</summary>
    public string? Job { get; init; }

    public required JobStart Start { get; init; }

    public required Screen Screen { get; init; }

    /// <summary>Where checkpoints go; only a silo that is never started needs none.</summary>
    public ICheckpointStore? Store { get; init; }

    public RestartStrategy Restarts { get; init; } = RestartStrategy.Exponential();

    /// <summary>Where the status page is; none when null.</summary>
    public int? HttpPort { get; init; }

    public bool Verbose { get; init; }
}

/// <summary>One silo in this process, a cluster of its own on free ports of the loopback interface, with the status page if wanted.</summary>
internal sealed class EmbeddedSilo : IAsyncDisposable
{
    /// <summary>How often ports that somebody else took first are chosen anew.</summary>
    private const int MostTries = 10;

    /// <summary>A stop that takes longer is cut off, so that Ctrl-C ends within 5 s.</summary>
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(4);

    private readonly IHost _host;

    private EmbeddedSilo(IHost host) => _host = host;

    public IStreamJobs Jobs => _host.Services.GetRequiredService<IStreamJobs>();

    /// <exception cref="JobRefusedException">The port of the status page is not free.</exception>
    public static async Task<EmbeddedSilo> StartAsync(SiloSettings settings, CancellationToken cancellation)
    {
        if (settings.HttpPort is { } wanted) MachinePorts.RefuseUnlessFree(wanted);
        for (var tries = 1; ; tries++)
        {
            var host = Build(settings);
            try
            {
                await host.StartAsync(cancellation);
                return new EmbeddedSilo(host);
            }
            catch (Exception error)
            {
                await DisposeAsync(host);
                if (error is AddressInUseException || error.InnerException is AddressInUseException) throw MachinePorts.TakenFromPage(settings.HttpPort!.Value);
                if (!MachinePorts.IsInUse(error) || tries == MostTries) throw;
            }
        }
    }

    /// <summary>What the jobs of a silo would be, without starting one.</summary>
    public static T Ask<T>(SiloSettings settings, Func<IStreamJobs, T> question)
    {
        using var host = Build(settings);
        return question(host.Services.GetRequiredService<IStreamJobs>());
    }

    public async ValueTask DisposeAsync()
    {
        using (var limit = new CancellationTokenSource(LongestStop))
        {
            try
            {
                await _host.StopAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                // Cut off: the checkpoints hold what is needed to go on.
            }
        }

        await DisposeAsync(_host);
    }

    private static IHost Build(SiloSettings settings)
    {
        if (settings.HttpPort is not { } port)
        {
            var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
            Configure(builder, settings);
            return builder.Build();
        }

        var web = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        Configure(web, settings);
        web.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.ListenForStreamJobs());
        web.Services.AddRouting().AddStreamHttp(options => options.Port = port);
        var app = web.Build();
        app.MapStreamJobs();
        app.MapStreamDashboard();
        return app;
    }

    private static void Configure(IHostApplicationBuilder builder, SiloSettings settings)
    {
        builder.Logging.AddProvider(new ScreenLoggerProvider(settings.Screen, settings.Verbose, time: null));
        builder.Logging.SetMinimumLevel(settings.Verbose ? LogLevel.Information : LogLevel.Warning);
        if (!settings.Verbose)
        {
            // What goes wrong in a cluster of one the job says itself, with its cause.
            builder.Logging.AddFilter("Orleans", LogLevel.None).AddFilter("Polly", LogLevel.None).AddFilter("Microsoft", LogLevel.Error).AddFilter("OrleansStream", LogLevel.Error);
        }

        builder.Services.RemoveAll<IHostLifetime>().AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(static options => options.ShutdownTimeout = LongestStop);
        builder.Services.AddSingleton<TextWriter>(settings.Screen.Lines);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(MachinePorts.Free(), gatewayPort: 0);
            silo.AddOrleansStream(options =>
            {
                if (settings.Store is { } store) options.Checkpoints.Store = _ => store;
                options.Restarts = settings.Restarts;
                options.ReviveJobs = false;
            });
            KnownJobs.AddTo(silo, settings.Start, settings.Job);
        });
    }

    private static async ValueTask DisposeAsync(IHost host)
    {
        if (host is IAsyncDisposable async) await async.DisposeAsync();
        else host.Dispose();
    }
}
