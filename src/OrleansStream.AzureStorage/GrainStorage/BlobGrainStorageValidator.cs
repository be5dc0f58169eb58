using OrleansStream.Checkpoints;

namespace OrleansStream.GrainStorage;

/// <summary>Refuses a silo whose grain storage cannot work, before it starts.</summary>
internal sealed class BlobGrainStorageValidator(string name, BlobGrainStorageOptions options) : IConfigurationValidator
{
    public void ValidateConfiguration()
    {
        if (options.BlobServiceClient is null) throw Refused($"{nameof(options.BlobServiceClient)} is not set; give the client of the storage account");
        if (ContainerNames.ProblemOf(options.ContainerName) is { } problem) throw Refused($"{nameof(options.ContainerName)} {problem}");
    }

    private OrleansConfigurationException Refused(string problem) => new($"Grain storage '{name}' in Azure blobs: {problem}.");
}
