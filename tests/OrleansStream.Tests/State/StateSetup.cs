using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.State;

namespace OrleansStream.Tests.State;

/// <summary>What the tests of state share: serializers, checkpoint ids, and shorthand for freezing and restoring.</summary>
internal static class StateSetup
{
    public static StateSerializers Serializers { get; } = new(new ServiceCollection().AddSerializer().BuildServiceProvider());

    public static CheckpointId Checkpoint(long number) => new(Attempt.First, number);

    public static KeyGroupRange AllGroups(int maxParallelism) => new(0, maxParallelism);

    public static int Slot<TKey>(this KeyedStateTable<TKey> table, TKey key) => table.GetOrAddSlot(key, KeyCodec<TKey>.Default.Hash(key));

    public static bool Has<TKey>(this KeyedStateTable<TKey> table, TKey key) => table.TryGetSlot(key, KeyCodec<TKey>.Default.Hash(key), out _);

    public static int Window<TKey, TAcc>(this WindowTable<TKey, TAcc> table, TKey key, long start) =>
        table.GetOrAdd(key, KeyCodec<TKey>.Default.Hash(key), start, out _);

    /// <summary>Encodes a snapshot to its end.</summary>
    public static WholeSegment Encode(this FrozenSubtask frozen) => frozen.Encode(frozen.PieceBytes);

    /// <summary>Encodes a snapshot to its end in pieces of about a size.</summary>
    public static WholeSegment Encode(this FrozenSubtask frozen, int pieceBytes)
    {
        frozen.PieceBytes = pieceBytes;
        var content = new List<byte>();
        for (var number = 0; ; number++)
        {
            var piece = frozen.EncodeNext();
            Assert.Equal(number, piece.Number);
            content.AddRange(piece.Content.Span);
            if (piece.Whole is not { } whole) continue;
            Assert.Equal(whole.LengthBytes, content.Count);
            frozen.Dispose();
            return new WholeSegment(content.ToArray(), whole.Checksum, whole.Full, number + 1);
        }
    }

    public static SegmentRef Put(this SegmentStore store, string name, WholeSegment segment)
    {
        store.Objects[name] = segment.Content.ToArray();
        return new SegmentRef(name, segment.Content.Length, segment.Checksum, default);
    }
}

/// <summary>An encoded segment with all of its bytes.</summary>
internal sealed record WholeSegment(ReadOnlyMemory<byte> Content, string Checksum, bool Full, int Pieces);

/// <summary>A store in memory that remembers what was read.</summary>
internal sealed class SegmentStore : ICheckpointStore
{
    public Dictionary<string, byte[]> Objects { get; } = [];

    public long BytesRead { get; set; }

    /// <summary>What reads wait for.</summary>
    public TaskCompletionSource? Gate { get; set; }

    public string Location => "memory";

    public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        ValueTask.FromResult(Objects.TryAdd(name, content.ToArray()));

    public IObjectWriter BeginObject(string name) => throw new NotSupportedException();

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation) =>
        ValueTask.FromResult<ReadOnlyMemory<byte>?>(Objects.TryGetValue(name, out var bytes) ? bytes : null);

    public async ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation)
    {
        if (Gate is { } gate) await gate.Task.WaitAsync(cancellation);
        if (!Objects.TryGetValue(name, out var bytes)) return null;
        var start = (int)Math.Min(offset, bytes.Length);
        var part = bytes.AsMemory(start, Math.Min(length, bytes.Length - start));
        BytesRead += part.Length;
        return part;
    }

    public ValueTask DeleteAsync(string name, CancellationToken cancellation)
    {
        Objects.Remove(name);
        return ValueTask.CompletedTask;
    }

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellation) => throw new NotSupportedException();
}

[GenerateSerializer, Immutable, Alias("os.tests.Profile")]
public sealed record Profile([property: Id(0)] string Name, [property: Id(1)] int Count);

[GenerateSerializer, Immutable, Alias("os.tests.Twins")]
public sealed record Twins([property: Id(0)] Profile First, [property: Id(1)] Profile Second);

[GenerateSerializer, Immutable, Alias("os.tests.Average")]
public record struct Average([property: Id(0)] long Count, [property: Id(1)] double Sum);
