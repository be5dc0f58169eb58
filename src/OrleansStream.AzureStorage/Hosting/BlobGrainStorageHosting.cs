using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Providers;
using Orleans.Runtime.Hosting;
using Orleans.Storage;
using OrleansStream.GrainStorage;

namespace OrleansStream.Hosting;

/// <summary>
/// Keeps the state of grains in Azure Blob Storage. Orleans' own package <c>Microsoft.Orleans.Persistence.AzureStorage</c> takes over, with the same options and the same blobs, when
/// the method's name is changed to <c>AddAzureBlobGrainStorage</c>.
/// </summary>
public static class BlobGrainStorageHosting
{
    /// <summary>Keeps the state of grains that name no storage.</summary>
    /// <param name="builder">The silo.</param>
    /// <param name="configureOptions">Says where.</param>
    public static ISiloBuilder AddBlobGrainStorageAsDefault(this ISiloBuilder builder, Action<BlobGrainStorageOptions> configureOptions) =>
        builder.AddBlobGrainStorage(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME, configureOptions);

    /// <summary>Keeps the state of grains that name no storage.</summary>
    /// <param name="builder">The silo.</param>
    /// <param name="configureOptions">Says where, with services of the silo.</param>
    public static ISiloBuilder AddBlobGrainStorageAsDefault(this ISiloBuilder builder, Action<OptionsBuilder<BlobGrainStorageOptions>>? configureOptions = null) =>
        builder.AddBlobGrainStorage(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME, configureOptions);

    /// <summary>Keeps the state of grains that name this storage.</summary>
    /// <param name="builder">The silo.</param>
    /// <param name="name">The storage's name, as in <c>[PersistentState("profile", "name")]</c>.</param>
    /// <param name="configureOptions">Says where.</param>
    public static ISiloBuilder AddBlobGrainStorage(this ISiloBuilder builder, string name, Action<BlobGrainStorageOptions> configureOptions) =>
        builder.AddBlobGrainStorage(name, options => options.Configure(configureOptions));

    /// <summary>Keeps the state of grains that name this storage.</summary>
    /// <param name="builder">The silo.</param>
    /// <param name="name">The storage's name, as in <c>[PersistentState("profile", "name")]</c>.</param>
    /// <param name="configureOptions">Says where, with services of the silo.</param>
    public static ISiloBuilder AddBlobGrainStorage(this ISiloBuilder builder, string name, Action<OptionsBuilder<BlobGrainStorageOptions>>? configureOptions = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        var services = builder.Services;
        configureOptions?.Invoke(services.AddOptions<BlobGrainStorageOptions>(name));
        services.AddTransient<IPostConfigureOptions<BlobGrainStorageOptions>, DefaultStorageProviderSerializerOptionsConfigurator<BlobGrainStorageOptions>>();
        services.AddTransient<IConfigurationValidator>(provider => new BlobGrainStorageValidator(name, OptionsOf(provider, name)));
        services.AddGrainStorage(name, static (provider, key) => ActivatorUtilities.CreateInstance<BlobGrainStorage>(provider, key, OptionsOf(provider, key)));
        return builder;
    }

    private static BlobGrainStorageOptions OptionsOf(IServiceProvider services, string name) => services.GetRequiredService<IOptionsMonitor<BlobGrainStorageOptions>>().Get(name);
}
