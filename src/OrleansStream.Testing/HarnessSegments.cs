using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Testing;

/// <summary>
/// The last checkpoint of a harness: for each subtask the segments that it is restored from. Invariant: it changes when all subtasks of a checkpoint have written theirs, as a
/// manifest does.
/// </summary>
internal sealed class HarnessSegments
{
    /// <summary>Every so many checkpoints one is whole.</summary>
    private const int FullEvery = 5;

    private readonly Dictionary<string, List<SegmentChain>> _stages = [];
    private int _checkpoints;

    public MemoryStore Store { get; } = new();

    /// <summary>Whether the next checkpoint is to be whole.</summary>
    public bool IsFullNext => _checkpoints % FullEvery == 0;

    /// <summary>What a stage is restored from; empty at a fresh start.</summary>
    public IReadOnlyList<SegmentChain> Of(string stage) => _stages.GetValueOrDefault(stage, []);

    /// <summary>Encodes what a subtask froze, and returns its chain of segments.</summary>
    public async Task<SegmentChain> WriteAsync(SubtaskContext context, SubtaskSnapshot snapshot)
    {
        using var frozen = snapshot.Frozen;
        var name = ObjectNames.Segment(context.Job, frozen.Checkpoint, context.Stage, context.Id.Index, context.Incarnation);
        await using var writer = Store.BeginObject(name);
        SegmentPiece piece;
        do
        {
            piece = frozen.EncodeNext();
            await writer.WriteAsync(piece.Number, piece.Content, CancellationToken.None);
        }
        while (piece.Whole is null);

        await writer.TryCreateAsync(CancellationToken.None);
        var segment = new SegmentRef(name, piece.Whole.LengthBytes, piece.Whole.Checksum, frozen.Checkpoint);
        IReadOnlyList<SegmentRef> below = frozen.Base is { } at ? Below(context, at) : [];
        return new SegmentChain(context.Id.Index, context.Groups, [.. below, segment]);
    }

    /// <summary>Puts a whole checkpoint in place of the last one.</summary>
    public async Task PublishAsync(IReadOnlyDictionary<string, List<SegmentChain>> stages)
    {
        var before = Names();
        _checkpoints++;
        _stages.Clear();
        foreach (var (stage, chains) in stages) _stages.Add(stage, chains);
        foreach (var name in before.Except(Names()).ToList()) await Store.DeleteAsync(name, CancellationToken.None);
    }

    private IReadOnlyList<SegmentRef> Below(SubtaskContext context, CheckpointId at)
    {
        var chain = _stages[context.Stage].Single(chain => chain.FormerSubtask == context.Id.Index && chain.FormerGroups == context.Groups);
        if (chain.Segments[^1].Checkpoint != at) throw new InvariantException($"Subtask {context.Id} builds on checkpoint {at}, but the last one is {chain.Segments[^1].Checkpoint}.");
        return chain.Segments;
    }

    private HashSet<string> Names() => [.. _stages.Values.SelectMany(static chains => chains).SelectMany(static chain => chain.Segments).Select(static segment => segment.Name)];
}
