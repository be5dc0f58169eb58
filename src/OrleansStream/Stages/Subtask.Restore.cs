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
        _context.FormerWatermarks =
        [
            .. chains.Where(chain => chain.FormerGroups.Overlaps(_context.Groups)).Select(chain => new FormerWatermark(chain.FormerGroups, WatermarkOf(chain.FormerSubtask))),
        ];
        _merge = new WatermarkMerge(_inputs.Length, _context.RestoredWatermark);
    }

    private long WatermarkOf(int formerSubtask)
    {
        foreach (var (former, blob) in _context.Restored)
        {
            if (former == formerSubtask && blob.Operator == "" && blob.Name == WatermarkBlob) return new BlobReader(blob.Bytes).ReadInt64();
        }

        return EventTime.Beginning;
    }
}
