using OrleansStream.Checkpoints;
using OrleansStream.State;

namespace OrleansStream.Stages;

/// <summary>
/// Makes frozen snapshots durable. A piece is encoded when the one before it is written, so that no more than one is in memory, and a call of unknown outcome
/// repeats one piece, not the snapshot.
/// </summary>
internal sealed class SnapshotWriter(ICheckpointStore store, IOffload offload, RetryRule retry, int? pieceBytes)
{
    /// <summary>Writes a snapshot as the object of a name that is its own: when it is taken, an earlier try of this call took it.</summary>
    /// <exception cref="OperationCanceledException">It was given up, or the snapshot was released.</exception>
    /// <exception cref="StoreException">The store failed past the retries.</exception>
    public async Task<SegmentRef> WriteAsync(string name, FrozenSubtask frozen, CancellationToken cancellation)
    {
        frozen.PieceBytes = pieceBytes ?? frozen.PieceBytes;
        var piece = await offload.RunAsync(frozen.EncodeNext);
        var whole = piece.Whole ?? await WritePiecesAsync(name, frozen, piece, cancellation);
        if (piece.Whole is not null) await retry.CallAsync(token => store.TryCreateAsync(name, piece.Content, token), cancellation);
        return new SegmentRef(name, whole.LengthBytes, whole.Checksum, frozen.Checkpoint);
    }

    private async Task<EncodedSegment> WritePiecesAsync(string name, FrozenSubtask frozen, SegmentPiece first, CancellationToken cancellation)
    {
        await using var writer = store.BeginObject(name);
        for (var piece = first; ; piece = await offload.RunAsync(frozen.EncodeNext))
        {
            await retry.CallAsync(token => writer.WriteAsync(piece.Number, piece.Content, token), cancellation);
            if (piece.Whole is not { } whole) continue;
            await retry.CallAsync(writer.TryCreateAsync, cancellation);
            return whole;
        }
    }
}
