using System.Diagnostics.CodeAnalysis;
using Azure.Storage.Blobs;
using Orleans.Storage;

namespace OrleansStream.GrainStorage;

/// <summary>Where the state of grains is kept; the names and defaults are those of <c>AzureBlobStorageOptions</c> in Orleans' own package.</summary>
public sealed class BlobGrainStorageOptions : IStorageProviderSerializerOptions
{
    /// <summary>The container unless another is named.</summary>
    public const string DefaultContainerName = "grainstate";

    /// <summary>When the container is looked for or created, unless set.</summary>
    public const int DefaultInitStage = ServiceLifecycleStage.ApplicationServices;

    /// <summary>The container; created when it is not there. <c>grainstate</c> unless set.</summary>
    public string ContainerName { get; set; } = DefaultContainerName;

    /// <summary>The client of the account; must be set. Its own retries stay: a write that is repeated after it was carried out fails with <see cref="InconsistentStateException"/>.</summary>
    [DisallowNull]
    public BlobServiceClient? BlobServiceClient { get; set; }

    /// <summary>Whether clearing a state deletes its blob; else the blob is left empty, which reads as no state. True unless set.</summary>
    public bool DeleteStateOnClear { get; set; } = true;

    /// <summary>The stage of the silo's life at which the container is looked for or created. <see cref="ServiceLifecycleStage.ApplicationServices"/> unless set.</summary>
    public int InitStage { get; set; } = DefaultInitStage;

    /// <summary>Makes bytes of states. Unless set, the serializer registered with the provider's name as its key, or else the silo's: JSON.</summary>
    public IGrainStorageSerializer GrainStorageSerializer { get; set; } = null!;
}
