using Azure.Core;
using OrleansStream.Checkpoints;

namespace OrleansStream.Hosting;

/// <summary>Keeps checkpoints in Azure Blob Storage. The container is created, and the right to use it tried, when the silo starts; a silo that is refused does not start.</summary>
public static class AzureBlobCheckpoints
{
    /// <summary>Keeps checkpoints in the account of a connection string.</summary>
    /// <param name="checkpoints">The options of checkpoints.</param>
    /// <param name="connectionString">The account's connection string, or <c>UseDevelopmentStorage=true</c> for Azurite on its usual port.</param>
    /// <param name="container">The container; created when it is not there.</param>
    public static void UseAzureBlobs(this CheckpointOptions checkpoints, string connectionString, string container = AzureBlobOptions.DefaultContainer) =>
        checkpoints.UseAzureBlobs(blobs => (blobs.ConnectionString, blobs.Container) = (connectionString, container));

    /// <summary>Keeps checkpoints in an account to which the silo has an identity.</summary>
    /// <param name="checkpoints">The options of checkpoints.</param>
    /// <param name="serviceUri">The address of the account's blob service, like <c>https://account.blob.core.windows.net</c>.</param>
    /// <param name="credential">The identity, for example the <c>DefaultAzureCredential</c> of the package Azure.Identity.</param>
    /// <param name="container">The container; created when it is not there.</param>
    public static void UseAzureBlobs(this CheckpointOptions checkpoints, Uri serviceUri, TokenCredential credential, string container = AzureBlobOptions.DefaultContainer) =>
        checkpoints.UseAzureBlobs(blobs => (blobs.ServiceUri, blobs.Credential, blobs.Container) = (serviceUri, credential, container));

    /// <summary>Keeps checkpoints in Azure Blob Storage.</summary>
    /// <param name="checkpoints">The options of checkpoints.</param>
    /// <param name="configure">Says where.</param>
    public static void UseAzureBlobs(this CheckpointOptions checkpoints, Action<AzureBlobOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(checkpoints);
        ArgumentNullException.ThrowIfNull(configure);
        checkpoints.Store = _ =>
        {
            var options = new AzureBlobOptions();
            configure(options);
            return new AzureBlobStore(options);
        };
    }
}
