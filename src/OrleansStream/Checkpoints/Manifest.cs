using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.State;

namespace OrleansStream.Checkpoints;

/// <summary>
/// What makes a checkpoint real: everything that recovery needs, by name and checksum. A manifest is written when all it names is durable, and
/// is published when an entry of the attempt's log names it; it never changes.
/// </summary>
/// <param name="Job">The job.</param>
/// <param name="Id">The checkpoint.</param>
/// <param name="Fingerprint">Of the graph that took it.</param>
/// <param name="Generation">The checkpoint with the full snapshot that the deltas here build on; <paramref name="Id"/> itself when this one is full.</param>
/// <param name="Final">Whether it was taken after all input had ended.</param>
/// <param name="Parallelism">The job's parallelism.</param>
/// <param name="MaxParallelism">The number of key groups.</param>
/// <param name="Stages">The stages and the snapshots of their subtasks.</param>
/// <param name="Sinks">Per sink name, what was prepared and waits to be committed.</param>
/// <param name="Sources">Per source name, the splits that were read; their offsets are in the snapshots.</param>
internal sealed record Manifest(
    string Job,
    CheckpointId Id,
    string Fingerprint,
    CheckpointId Generation,
    bool Final,
    int Parallelism,
    int MaxParallelism,
    IReadOnlyList<StageManifest> Stages,
    IReadOnlyDictionary<string, SinkManifest> Sinks,
    IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> Sources)
{
    /// <summary>The bytes of all segments.</summary>
    public long StateBytes()
    {
        long bytes = 0;
        foreach (var segment in Segments()) bytes += segment.LengthBytes;
        return bytes;
    }

    /// <summary>All segments of all subtasks.</summary>
    public IEnumerable<SegmentRef> Segments()
    {
        foreach (var stage in Stages)
            foreach (var subtask in stage.Subtasks)
                foreach (var segment in subtask.Segments)
                    yield return segment;
    }
}

/// <summary>A stage in a manifest.</summary>
/// <param name="Name">The stage's name.</param>
/// <param name="Parallelism">How many subtasks it had.</param>
/// <param name="Subtasks">One for each, in the order of their index.</param>
internal sealed record StageManifest(string Name, int Parallelism, IReadOnlyList<SubtaskManifest> Subtasks);

/// <summary>A subtask's snapshot in a manifest.</summary>
/// <param name="Index">The subtask's index in its stage.</param>
/// <param name="KeyGroups">The key groups it owned.</param>
/// <param name="Segments">The full segment first, then the deltas, each to be laid over those before it; empty when there is no state.</param>
internal sealed record SubtaskManifest(int Index, KeyGroupRange KeyGroups, IReadOnlyList<SegmentRef> Segments);

/// <summary>Names a segment: a reader takes it only at this length and checksum.</summary>
/// <param name="Name">The object's name.</param>
/// <param name="LengthBytes">Its length.</param>
/// <param name="Checksum">Hexadecimal XxHash128 of all its bytes.</param>
/// <param name="Checkpoint">The checkpoint it was written for.</param>
[GenerateSerializer, Immutable, Alias("os.SegmentRef")]
internal sealed record SegmentRef(
    [property: Id(0)] string Name, [property: Id(1)] long LengthBytes, [property: Id(2)] string Checksum, [property: Id(3)] CheckpointId Checkpoint);

/// <summary>A sink in a manifest.</summary>
/// <param name="Pending">Prepared and not known to be committed, output of abandoned checkpoints included.</param>
/// <param name="OutputCount">How many outputs were prepared over the job's whole history.</param>
internal sealed record SinkManifest(IReadOnlyList<PendingOutput> Pending, long OutputCount);

/// <summary>Names a published manifest, with what a coordinator needs before it reads it.</summary>
/// <param name="Id">The checkpoint.</param>
/// <param name="Generation">The checkpoint with the full snapshot that it builds on.</param>
/// <param name="Final">Whether it was taken after all input had ended.</param>
/// <param name="Name">The object's name.</param>
/// <param name="Checksum">Hexadecimal XxHash128 of all its bytes.</param>
/// <param name="LengthBytes">Its length.</param>
/// <param name="StateBytes">The bytes of all segments it names.</param>
/// <param name="At">When it was written.</param>
[GenerateSerializer, Immutable, Alias("os.ManifestRef")]
internal sealed record ManifestRef(
    [property: Id(0)] CheckpointId Id,
    [property: Id(1)] CheckpointId Generation,
    [property: Id(2)] bool Final,
    [property: Id(3)] string Name,
    [property: Id(4)] string Checksum,
    [property: Id(5)] long LengthBytes,
    [property: Id(6)] long StateBytes,
    [property: Id(7)] DateTimeOffset At);
