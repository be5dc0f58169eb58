using OrleansStream.Jobs;
using OrleansStream.State;

namespace OrleansStream.Stages;

/// <summary>What the operators of a subtask put into one snapshot, gathered in one synchronous step.</summary>
internal sealed class SnapshotParts(CheckpointId checkpoint)
{
    public CheckpointId Checkpoint => checkpoint;

    /// <summary>State that is not keyed: split offsets, highest timestamps.</summary>
    public List<OperatorBlob> Blobs { get; } = [];

    /// <summary>Sinks that are making their output durable; awaited before the receipt.</summary>
    public List<Task> Preparing { get; } = [];
}
