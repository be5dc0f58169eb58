using OrleansStream.Checkpoints;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Stages;

/// <summary>How a subtask begins from a checkpoint; the one part of it that reads.</summary>
internal sealed partial class Subtask
{
    /// <summary>Puts back what was saved, before the operators are opened: keyed state first, then what each operator saved of its own.</summary>
    public async ValueTask RestoreAsync(ICheckpointStore store, IReadOnlyList<SegmentChain> chains, CancellationToken cancellation)
    {
        if (chains.Count == 0) return;
        var restored = await _context.State.RestoreAsync(store, chains, cancellation);
        _context.Restored = restored.Blobs;
        _context.RestoredWatermark = RestoreWatermark(_context);
        _merge = new WatermarkMerge(_inputs.Length, _context.RestoredWatermark);
    }

    private static long RestoreWatermark(SubtaskContext context)
    {
        long? lowest = null;
        foreach (var (_, blob) in context.Restored)
        {
            if (blob.Operator != "" || blob.Name != WatermarkBlob) continue;
            var watermark = new BlobReader(blob.Bytes).ReadInt64();
            lowest = lowest is { } other ? Math.Min(other, watermark) : watermark;
        }

        return lowest ?? EventTime.Beginning;
    }
}
