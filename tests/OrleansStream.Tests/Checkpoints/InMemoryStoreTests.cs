using OrleansStream.Checkpoints;

namespace OrleansStream.Tests.Checkpoints;

/// <summary>The tests' own store keeps the contract too, or it would prove nothing.</summary>
public sealed class InMemoryStoreTests : CheckpointStoreConformance
{
    private readonly InMemoryStore _store = new();

    protected override ICheckpointStore Open() => _store;

    protected override ICheckpointStore OpenAgain() => _store;
}
