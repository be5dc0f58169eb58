using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.State;

namespace OrleansStream.Hosting;

/// <summary>Adds OrleansStream to a silo.</summary>
public static class OrleansStreamHosting
{
    /// <summary>Lets the silo run stream jobs. Called again, it only adds to the options.</summary>
    /// <param name="builder">The silo.</param>
    /// <param name="configure">Sets options; they are checked when the silo starts.</param>
    public static ISiloBuilder AddOrleansStream(this ISiloBuilder builder, Action<OrleansStreamOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        FaultPoints.RequireKnown();
        var services = builder.Services;
        services.AddOptions<OrleansStreamOptions>().ValidateOnStart();
        if (configure is not null) services.Configure(configure);
        if (services.Any(static service => service.ServiceType == typeof(JobRegistry))) return builder;

        services.AddSingleton<IValidateOptions<OrleansStreamOptions>, OptionsCheck>();
        services.AddSingleton<JobRegistry>();
        services.AddSingleton<StreamServices>();
        services.AddSingleton<SiloSubtasks>();
        services.AddSingleton(static provider => new KeptTables(provider.GetRequiredService<StreamServices>().Time));
        services.AddSingleton(static provider => new TablesAhead(provider.GetRequiredService<StreamServices>().Time));
        services.AddSingleton<Rehearsals>();
        services.AddSingleton<ReadingAhead>();
        services.AddSingleton<SuspectedSilos>();
        services.AddSingleton<ConnectionWatch>();
        services.Configure<SiloConnectionOptions>(ConnectionWatch.Watch);
        services.AddSingleton<SiloJobs>();
        services.AddSingleton<CoordinatorHandover>();
        services.AddSingleton<IJobPort, GrainJobPort>();
        services.AddSingleton<ISnapshotPeers, GrainSnapshotPeers>();
        services.AddSingleton<IStreamJobs, StreamJobs>();
        services.AddSingleton(static provider => new FileAccessRules(provider.GetRequiredService<IOptions<OrleansStreamOptions>>().Value.Files.Roots));
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton<Diagnostics.StreamMetrics>();
        services.AddSingleton<ICheckpointStore>(static provider =>
        {
            var options = provider.GetRequiredService<IOptions<OrleansStreamOptions>>().Value.Checkpoints;
            return options.Store?.Invoke(provider) ?? new LocalFolderStore(options.Folder, provider.GetRequiredService<TimeProvider>());
        });
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, JobLifecycle>();
        builder.AddPlacementDirector<PinnedPlacement, PinnedPlacementDirector>();
        return builder;
    }

    /// <summary>Registers a job. Every silo of the cluster registers the same jobs.</summary>
    /// <typeparam name="TJob">The job; made with the silo's services.</typeparam>
    /// <param name="builder">The silo.</param>
    /// <param name="name">The job's name: <c>^[a-z0-9-]{1,64}$</c>.</param>
    /// <param name="start">What to start it with when the silo starts; null when it waits for <see cref="IStreamJobs.StartAsync"/>. Once started, it is revived
    /// wherever it is left off, until it is stopped, finishes or fails for good.</param>
    public static ISiloBuilder AddStreamJob<TJob>(this ISiloBuilder builder, string name, JobStart? start = null)
        where TJob : class, IStreamJob
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (name is null || !JobGraph.Named().IsMatch(name)) throw new ArgumentException($"'{name}' cannot be a job's name: use 1 to 64 characters of a-z, 0-9 and '-'.", nameof(name));
        builder.Services.AddSingleton(new JobRegistration(name, static services => ActivatorUtilities.CreateInstance<TJob>(services), start));
        return builder;
    }

    private sealed class OptionsCheck : IValidateOptions<OrleansStreamOptions>
    {
        public ValidateOptionsResult Validate(string? name, OrleansStreamOptions options) =>
            options.Problems().ToList() is { Count: > 0 } problems ? ValidateOptionsResult.Fail(problems.Select(static problem => $"OrleansStream: {problem}.")) : ValidateOptionsResult.Success;
    }
}
