using System.Buffers.Binary;
using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using OrleansStream.Jobs;

namespace OrleansStream.Checkpoints;

public sealed partial class AzureBlobStore
{
    /// <summary>The most blocks that the service lets a blob have.</summary>
    internal const int MostBlocks = 50_000;

    /// <inheritdoc/>
    public IObjectWriter BeginObject(string name) => new Writer(this, name, BlobOf(name));

    /// <summary>
    /// Sends pieces as blocks and lists them at the end. Invariant: a block's id says whose it is, which piece and where in it, so what comes late is the same block again, or one
    /// that nobody lists.
    /// </summary>
    private sealed class Writer(AzureBlobStore store, string name, BlockBlobClient blob) : IObjectWriter
    {
        private const int WriterBytes = 16;

        private readonly PieceOrder _order = new();
        private readonly byte[] _writer = RandomNumberGenerator.GetBytes(WriterBytes);
        private readonly List<string> _blocks = [];
        private int _piece = -1;
        private int _blocksBefore;

        public async ValueTask WriteAsync(int piece, ReadOnlyMemory<byte> content, CancellationToken cancellation)
        {
            _order.Begin(piece, content.Length);
            if (piece != _piece) (_piece, _blocksBefore) = (piece, _blocks.Count);
            _blocks.RemoveRange(_blocksBefore, _blocks.Count - _blocksBefore);
            var count = (int)(((long)content.Length + store.BlockBytes - 1) / store.BlockBytes);
            if (_blocksBefore + count > MostBlocks)
            {
                throw new StoreException(
                    $"Could not write checkpoint object '{name}' in '{store.Location}': it would have more than {MostBlocks} blocks, the most that Azure takes. Run the job at a higher parallelism, so that a subtask has less state.");
            }

            for (var block = 0; block < count; block++) _blocks.Add(IdOf(piece, block));
            var limit = new ParallelOptions { MaxDegreeOfParallelism = store.ParallelRequests, CancellationToken = cancellation };
            await store.RunAsync(
                "write",
                name,
                async () =>
                {
                    // All blocks of a piece are about as long: the last one is not a small rest.
                    await Parallel.ForAsync(0, count, limit, async (block, token) =>
                    {
                        var (from, to) = ((int)((long)content.Length * block / count), (int)((long)content.Length * (block + 1) / count));
                        await blob.StageBlockAsync(_blocks[_blocksBefore + block], BinaryData.FromBytes(content[from..to]).ToStream(), cancellationToken: token);
                        FaultPoints.Pass(FaultPoint.ObjectHalfWritten);
                    });
                    return true;
                },
                cancellation);
            _order.Written();
        }

        public async ValueTask<bool> TryCreateAsync(CancellationToken cancellation)
        {
            _order.Close();
            FaultPoints.Pass(FaultPoint.ObjectUnnamed);
            return await store.RunAsync("create", name, () => CreateAsync(cancellation), cancellation);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private async Task<bool> CreateAsync(CancellationToken cancellation)
        {
            var creator = NewId();
            try
            {
                var options = new CommitBlockListOptions { Conditions = IfAbsent, Metadata = new Dictionary<string, string> { [Creator] = creator } };
                await blob.CommitBlockListAsync(_blocks, options, cancellation);
                return true;
            }
            catch (RequestFailedException error) when (BlobErrors.IsTaken(error))
            {
                return await IsCreatorAsync(blob, creator, cancellation) ?? false; // Deleted meanwhile: it was there.
            }
            catch (RequestFailedException error) when (BlobErrors.IsBlockMissing(error))
            {
                // Whoever creates a blob takes away all blocks that wait under its name.
                return await IsCreatorAsync(blob, creator, cancellation) ?? throw new StoreException(
                    $"Could not create checkpoint object '{name}' in '{store.Location}': its blocks are gone; another object of the name was created and deleted meanwhile. Write the object anew.", error);
            }
        }

        /// <summary>All ids under one blob's name must have the same length.</summary>
        private string IdOf(int piece, int block)
        {
            Span<byte> id = stackalloc byte[WriterBytes + (2 * sizeof(int))];
            _writer.CopyTo(id);
            BinaryPrimitives.WriteInt32BigEndian(id[WriterBytes..], piece);
            BinaryPrimitives.WriteInt32BigEndian(id[(WriterBytes + sizeof(int))..], block);
            return Convert.ToBase64String(id);
        }
    }
}
