using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace OrleansStream.Checkpoints;

/// <summary>
/// A checkpoint store in a container of Azure Blob Storage, or of its emulator Azurite. A block blob per object. Safe for concurrent use by any number of threads and processes.
/// </summary>
/// <remarks>
/// <para>Creating is <c>Put Blob</c> or <c>Put Block List</c> with <c>If-None-Match: *</c>, which the service carries out for one of several callers. What is larger than 8 MiB goes up
/// as blocks, several at a time, that are nothing before they are listed. Blocks that wait under a blob's name are common to all who write it, so a block's id begins with a random
/// id of its writer, and nobody lists another's. Blocks that are never listed are not to be seen and are removed by the service within a week.</para>
/// <para>Each call makes each of its requests once, unless <see cref="AzureBlobOptions.ServiceClient"/> or <see cref="AzureBlobOptions.ClientOptions"/> bring retries of their own; the
/// engine repeats calls that failed. A request that is repeated below this class finds the name taken by its own first try: a blob carries its creator's random id as metadata
/// <c>creator</c>, which is read when the name is taken, so that a call answers true also then. A call made again by the caller is another call, and answers false.</para>
/// <para>An object has at most 50,000 blocks. A piece of a snapshot, 8 MiB or a little more, becomes one block or two, so at least 195 GiB fit. The account needs a flat namespace.</para>
/// </remarks>
public sealed partial class AzureBlobStore : ICheckpointStore
{
    /// <summary>The metadata that says which call created a blob.</summary>
    private const string Creator = "creator";

    private static readonly BlobRequestConditions IfAbsent = new() { IfNoneMatch = ETag.All };

    private readonly BlobContainerClient _container;
    private readonly string _prefix;

    /// <summary>Opens the store; creates the container when it is not there. Waits for the service's answer, and asks up to four times for it.</summary>
    /// <param name="options">Where the container is, and who asks.</param>
    /// <exception cref="ArgumentException">The options are wrong; the message says all that is.</exception>
    /// <exception cref="StoreException">The service cannot be reached, or refuses.</exception>
    public AzureBlobStore(AzureBlobOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Problems().ToList() is { Count: > 0 } problems) throw new ArgumentException($"Checkpoints in Azure blobs: {string.Join("; ", problems)}.", nameof(options));
        try
        {
            _container = options.NewContainerClient();
        }
        catch (Exception error) when (error is FormatException or ArgumentException or InvalidOperationException)
        {
            throw new ArgumentException($"Checkpoints in Azure blobs: the account's address or connection string cannot be read: {error.Message}", nameof(options), error);
        }

        _prefix = options.Prefix;
        // A signature in the address is nobody's business.
        Location = _container.Uri.GetLeftPart(UriPartial.Path) + (_prefix.Length == 0 ? "" : $"/{_prefix}");
        EnsureContainer(options.NewContainerClient(isPatient: true));
    }

    /// <summary>The container's address and the prefix.</summary>
    public string Location { get; }

    /// <summary>The most bytes that one request carries, up or down: an object larger than this is divided.</summary>
    internal int BlockBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>How many requests of one call are on their way at a time.</summary>
    internal int ParallelRequests { get; init; } = 4;

    /// <inheritdoc/>
    public async ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var blob = BlobOf(name);
        if (content.Length <= BlockBytes && await RunAsync("create", name, () => CreateAsync(blob, content, cancellation), cancellation) is { } created) return created;
        await using var writer = BeginObject(name);
        await writer.WriteAsync(0, content, cancellation);
        return await writer.TryCreateAsync(cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(string name, CancellationToken cancellation)
    {
        var blob = BlobOf(name);
        await RunAsync("delete", name, async () => await blob.DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: cancellation), cancellation);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        StoreNames.RequirePrefix(prefix);
        await using var blobs = _container.GetBlobsAsync(new GetBlobsOptions { Prefix = _prefix + prefix }, cancellation).GetAsyncEnumerator(cancellation);
        while (await RunAsync("list", prefix, async () => await blobs.MoveNextAsync(), cancellation)) yield return blobs.Current.Name[_prefix.Length..];
    }

    /// <summary>Creates an object in one request; null when the name is taken and yet there is no such object: only blocks wait there, which are in the way in Azurite.</summary>
    private static async Task<bool?> CreateAsync(BlockBlobClient blob, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var creator = NewId();
        var options = new BlobUploadOptions
        {
            Conditions = IfAbsent,
            Metadata = new Dictionary<string, string> { [Creator] = creator },
            // What is not shorter than this the client would divide itself, into blocks whose ids are the same for all who write the name.
            TransferOptions = new StorageTransferOptions { InitialTransferSize = content.Length + 1L },
        };
        try
        {
            await blob.UploadAsync(BinaryData.FromBytes(content).ToStream(), options, cancellation);
            return true;
        }
        catch (RequestFailedException error) when (BlobErrors.IsTaken(error))
        {
            return await IsCreatorAsync(blob, creator, cancellation);
        }
    }

    /// <summary>Whether the object that has the name was created by one's own request, which was made again below; null when there is no object.</summary>
    private static async Task<bool?> IsCreatorAsync(BlockBlobClient blob, string creator, CancellationToken cancellation)
    {
        try
        {
            var properties = await blob.GetPropertiesAsync(cancellationToken: cancellation);
            return properties.Value.Metadata.TryGetValue(Creator, out var found) && found == creator;
        }
        catch (RequestFailedException error) when (BlobErrors.IsAbsent(error))
        {
            return null;
        }
    }

    private static string NewId() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>What is called once, as a silo starts, is not given up because one answer was lost.</summary>
    private void EnsureContainer(BlobContainerClient container)
    {
        try
        {
            try
            {
                // First a look: who may not create containers may still use one.
                foreach (var page in container.GetBlobs(new GetBlobsOptions { Prefix = _prefix }).AsPages(pageSizeHint: 1)) break;
            }
            catch (RequestFailedException error) when (BlobErrors.IsContainerAbsent(error))
            {
                container.CreateIfNotExists();
            }
        }
        catch (Exception error)
        {
            throw new StoreException($"The checkpoint container '{Location}' cannot be used: {BlobErrors.Describe(error)}. {BlobErrors.Remedy(error)}", error);
        }
    }

    private BlockBlobClient BlobOf(string name)
    {
        StoreNames.Require(name);
        return _container.GetBlockBlobClient(_prefix + name);
    }

    /// <summary>Whatever the client throws, be it of the network, of the service or of a credential, says that the outcome is not known.</summary>
    private async Task<T> RunAsync<T>(string what, string name, Func<Task<T>> call, CancellationToken cancellation)
    {
        try
        {
            return await call();
        }
        catch (Exception error) when (error is not StoreException && !(error is OperationCanceledException && cancellation.IsCancellationRequested))
        {
            throw new StoreException($"Could not {what} checkpoint object '{name}' in '{Location}': {BlobErrors.Describe(error)}. {BlobErrors.Remedy(error)}", error);
        }
    }
}
