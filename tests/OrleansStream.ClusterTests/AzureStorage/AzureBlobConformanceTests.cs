using OrleansStream.Checkpoints;
using OrleansStream.Tests.Checkpoints;

namespace OrleansStream.ClusterTests.AzureStorage;

/// <summary>What every checkpoint store must do, done by the one in Azure blobs.</summary>
public abstract class AzureBlobConformance(Azurite azurite) : CheckpointStoreConformance, IAsyncLifetime
{
    private readonly string _container = azurite.NewContainer();
    private string _connection = "";

    public async ValueTask InitializeAsync() => _connection = await azurite.ConnectionStringAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    protected override ICheckpointStore Open() => Open(new AzureBlobOptions { ConnectionString = _connection, Container = _container, Prefix = Prefix });

    protected override ICheckpointStore OpenAgain() => Open();

    protected virtual string Prefix => "";

    private protected abstract AzureBlobStore Open(AzureBlobOptions options);
}

/// <summary>With blocks as large as they are.</summary>
public sealed class AzureBlobConformanceTests(Azurite azurite) : AzureBlobConformance(azurite)
{
    private protected override AzureBlobStore Open(AzureBlobOptions options) => new(options);
}

/// <summary>With small blocks, so that objects go up and come down in many parts at a time, and below a prefix that others' objects share.</summary>
public sealed class AzureBlobConformanceInPartsTests(Azurite azurite) : AzureBlobConformance(azurite)
{
    protected override string Prefix => "cluster-1/";

    private protected override AzureBlobStore Open(AzureBlobOptions options) => new(options) { BlockBytes = 50_021, ParallelRequests = 3 };
}
