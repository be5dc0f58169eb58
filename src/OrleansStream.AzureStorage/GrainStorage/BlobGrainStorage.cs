using System.Globalization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using Orleans.Serialization.Serializers;
using Orleans.Storage;
using OrleansStream.Checkpoints;

namespace OrleansStream.GrainStorage;

/// <summary>
/// Keeps the state of grains, one blob each, named <c>{stateName}-{grainId}.json</c>: the blobs of Orleans' own package, which reads what this writes and the other way round.
/// </summary>
/// <remarks>
/// Invariant: a state is written or cleared only over the one that was read, by the blob's etag; over none, only when there is no blob. Otherwise it throws
/// <see cref="InconsistentStateException"/>, which ends the activation, and the next one reads anew. An empty blob is a state that was cleared.
/// </remarks>
internal sealed partial class BlobGrainStorage(string name, BlobGrainStorageOptions options, IActivatorProvider activators, ILogger<BlobGrainStorage> logger)
    : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>
{
    private readonly BlobContainerClient _container = options.BlobServiceClient!.GetBlobContainerClient(options.ContainerName);
    private readonly ILogger _logger = logger;

    public void Participate(ISiloLifecycle observer) => observer.Subscribe($"{nameof(BlobGrainStorage)}-{name}", options.InitStage, OpenAsync);

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => RunAsync("reading", BlobOf(stateName, grainId), async blob =>
    {
        try
        {
            var read = (await blob.DownloadContentAsync()).Value;
            var state = read.Content.ToMemory().IsEmpty ? default : options.GrainStorageSerializer.Deserialize<T>(read.Content);
            Set(grainState, state, read.Details.ETag.ToString());
        }
        catch (RequestFailedException error) when (error.Status == 404)
        {
            Set(grainState, default, null);
        }
    });

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => RunAsync("writing", BlobOf(stateName, grainId), async blob =>
    {
        var content = options.GrainStorageSerializer.Serialize(grainState.State);
        try
        {
            grainState.ETag = await UploadAsync(blob, content, grainState.ETag);
        }
        catch (RequestFailedException error) when (BlobErrors.IsContainerAbsent(error))
        {
            await _container.CreateIfNotExistsAsync();
            grainState.ETag = await UploadAsync(blob, content, grainState.ETag);
        }

        grainState.RecordExists = true;
    });

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => RunAsync("clearing", BlobOf(stateName, grainId), async blob =>
    {
        if (!options.DeleteStateOnClear) Set(grainState, default, await UploadAsync(blob, BinaryData.Empty, grainState.ETag));
        else if (!string.IsNullOrEmpty(grainState.ETag)) Set(grainState, default, await DeleteAsync(blob, grainState.ETag));
        // There is nothing that could be deleted, or somebody else's.
        else if (await blob.ExistsAsync()) throw Conflict(blob, grainState.ETag, null);
        else Set(grainState, default, null);
    });

    private static async Task<string> UploadAsync(BlobClient blob, BinaryData content, string? etag)
    {
        var upload = new BlobUploadOptions { Conditions = ConditionsOf(etag), HttpHeaders = new BlobHttpHeaders { ContentType = "application/octet-stream" } };
        try
        {
            return (await blob.UploadAsync(content, upload)).Value.ETag.ToString();
        }
        catch (RequestFailedException error) when (IsConflict(error))
        {
            throw Conflict(blob, etag, error);
        }
    }

    private static async Task<string?> DeleteAsync(BlobClient blob, string etag)
    {
        try
        {
            await blob.DeleteIfExistsAsync(DeleteSnapshotsOption.None, ConditionsOf(etag));
            return null;
        }
        catch (RequestFailedException error) when (IsConflict(error))
        {
            throw Conflict(blob, etag, error);
        }
    }

    private static BlobRequestConditions ConditionsOf(string? etag) =>
        string.IsNullOrEmpty(etag) ? new BlobRequestConditions { IfNoneMatch = ETag.All } : new BlobRequestConditions { IfMatch = new ETag(etag) };

    private static bool IsConflict(RequestFailedException error) => error.Status is 409 or 412 || BlobErrors.IsAbsent(error);

    private static InconsistentStateException Conflict(BlobClient blob, string? etag, Exception? error) => new(
        string.Create(CultureInfo.InvariantCulture, $"Blob '{blob.Name}' in container '{blob.BlobContainerName}' is not the one that was read ({etag ?? "none"}): another activation has written or cleared it."),
        "unknown",
        etag,
        error);

    private async Task OpenAsync(CancellationToken cancellation)
    {
        try
        {
            await _container.CreateIfNotExistsAsync(cancellationToken: cancellation);
            LogOpened(name, _container.Name);
        }
        catch (Exception error)
        {
            LogNotOpened(error, name, _container.Name, BlobErrors.Remedy(error));
            throw;
        }
    }

    private async Task RunAsync(string what, BlobClient blob, Func<BlobClient, Task> call)
    {
        try
        {
            await call(blob);
        }
        catch (Exception error)
        {
            LogFailed(error, what, blob.Name, _container.Name);
            throw;
        }
    }

    private BlobClient BlobOf(string stateName, GrainId grainId) => _container.GetBlobClient(string.Create(CultureInfo.InvariantCulture, $"{stateName}-{grainId}.json"));

    private void Set<T>(IGrainState<T> grainState, T? state, string? etag)
    {
        grainState.State = state ?? activators.GetActivator<T>().Create();
        grainState.RecordExists = state is not null;
        grainState.ETag = etag;
    }
}
