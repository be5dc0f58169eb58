using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Stages;

/// <summary>How a subtask begins from a checkpoint, which is the one part of it that reads; and how it stays as one has it, so that the next may begin with its tables.</summary>
internal sealed partial class Subtask
{
    /// <summary>For how long the attempt's end is waited for, in milliseconds: behind a store that fails, going on is better.</summary>
    public const int HoldMs = 5000;

    private long? _heldUntil;

    /// <summary>The checkpoint whose snapshot is all that the subtask is: nothing was done behind its barrier. Null otherwise.</summary>
    public CheckpointId? HeldAt { get; private set; }

    /// <summary>Makes a subtask and puts back what its stage saved: with the tables that were kept on this silo, or were read ahead, or from segments alone.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="contextOf">Makes the subtask's context, on a state that is passed on, or on one of its own.</param>
    /// <param name="kept">What was kept on this silo.</param>
    /// <param name="ahead">What was read ahead on this silo.</param>
    /// <param name="store">Where the segments are.</param>
    /// <param name="chains">The segments of the stage's former subtasks.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async ValueTask<Subtask> RestoredAsync(
        PlannedStage stage, Func<SubtaskState?, SubtaskContext> contextOf, KeptTables kept, TablesAhead ahead, ICheckpointStore store, IReadOnlyList<SegmentChain> chains, CancellationToken cancellation)
    {
        var context = contextOf(null);
        if ((kept.Take(context.Groups, chains) ?? await ahead.TakeAsync(context.Tables, context.Attempt, chains)) is { } state)
        {
            state.PassOn();
            var next = new Subtask(contextOf(state), stage);
            if (state.IsTakenOver)
            {
                await next.RestoreAsync(store, chains, cancellation);
                if (!state.IsWhole) FaultPoints.Pass(FaultPoint.PartlyRestored);
                return next;
            }
        }

        var subtask = new Subtask(context, stage);
        await subtask.RestoreAsync(store, chains, cancellation);
        if (chains.Count > 0) FaultPoints.Pass(FaultPoint.PartlyRestored);
        return subtask;
    }

    /// <summary>Reads what a stage has saved so far for a subtask that is about to come to this silo.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="context">Its context, which nothing else will use.</param>
    /// <param name="ahead">Where the tables wait for it.</param>
    /// <param name="store">Where the segments are.</param>
    /// <param name="chains">The segments of the stage's former subtasks.</param>
    /// <param name="isGuess">Whether it is not sure that the subtask comes at all.</param>
    /// <returns>Whether they are read.</returns>
    public static Task<bool> ReadAheadAsync(PlannedStage stage, SubtaskContext context, TablesAhead ahead, ICheckpointStore store, IReadOnlyList<SegmentChain> chains, bool isGuess = false) =>
        ahead.ReadAsync(context.Tables, context.Attempt, () => new Subtask(context, stage).Context.State, store, chains, isGuess);

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

    private void Hold(Barrier barrier)
    {
        _heldUntil = _context.Now.Elapsed + HoldMs;
        HeldAt = barrier.Checkpoint;
    }

    private bool IsHeld(Clock now)
    {
        if (_heldUntil > now.Elapsed) return true;
        _heldUntil = null;
        HeldAt = null;
        return false;
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
