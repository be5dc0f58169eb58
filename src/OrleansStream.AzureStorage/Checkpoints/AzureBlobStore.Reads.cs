using System.Globalization;
using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace OrleansStream.Checkpoints;

public sealed partial class AzureBlobStore
{
    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation) => ReadRangeAsync(name, 0, int.MaxValue, cancellation);

    /// <inheritdoc/>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        var blob = BlobOf(name);
        return await RunAsync("read", name, () => ReadPartsAsync(blob, name, offset, length, cancellation), cancellation);
    }

    /// <summary>Reads the first part, which says how long the object is, and then the others, several at a time.</summary>
    private async Task<ReadOnlyMemory<byte>?> ReadPartsAsync(BlockBlobClient blob, string name, long offset, int length, CancellationToken cancellation)
    {
        byte[] bytes;
        BlobDownloadDetails details;
        try
        {
            if (length == 0)
            {
                await blob.GetPropertiesAsync(cancellationToken: cancellation);
                return ReadOnlyMemory<byte>.Empty;
            }

            using var first = (await blob.DownloadStreamingAsync(new BlobDownloadOptions { Range = new HttpRange(offset, Math.Min(length, BlockBytes)) }, cancellation)).Value;
            details = first.Details;
            bytes = new byte[SizeOf(details, name, offset, length)];
            await first.Content.ReadExactlyAsync(bytes.AsMemory(0, Math.Min(bytes.Length, BlockBytes)), cancellation);
        }
        catch (RequestFailedException error) when (BlobErrors.IsAbsent(error))
        {
            return null;
        }
        catch (RequestFailedException error) when (BlobErrors.IsBehindEnd(error))
        {
            return ReadOnlyMemory<byte>.Empty;
        }

        var unchanged = new BlobRequestConditions { IfMatch = details.ETag };
        var limit = new ParallelOptions { MaxDegreeOfParallelism = ParallelRequests, CancellationToken = cancellation };
        await Parallel.ForAsync(1, (bytes.Length + BlockBytes - 1) / BlockBytes, limit, async (part, token) =>
        {
            var target = bytes.AsMemory(part * BlockBytes, Math.Min(BlockBytes, bytes.Length - (part * BlockBytes)));
            var options = new BlobDownloadOptions { Range = new HttpRange(offset + (part * (long)BlockBytes), target.Length), Conditions = unchanged };
            using var content = (await blob.DownloadStreamingAsync(options, token)).Value;
            await content.Content.ReadExactlyAsync(target, token);
        });
        return bytes;
    }

    private int SizeOf(BlobDownloadDetails details, string name, long offset, int length)
    {
        // Of the form "bytes 0-99/1000". Azurite answers for what begins right at the end, with a range that ends before it begins.
        if (!long.TryParse(details.ContentRange.AsSpan(details.ContentRange.LastIndexOf('/') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var whole))
            throw new IOException($"the service does not say how long the object is: '{details.ContentRange}'");
        var size = Math.Clamp(whole - offset, 0, length);
        return size <= Array.MaxLength ? (int)size : throw new StoreException($"Could not read checkpoint object '{name}' in '{Location}': it has {whole} bytes, too many to be read at once.");
    }
}
