using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using OrleansStream.Checkpoints;

namespace OrleansStream.Benchmarks;

/// <summary>A checkpoint store in the memory of this process, for runs without a disk.</summary>
internal sealed class MemoryCheckpoints : ICheckpointStore
{
    private readonly ConcurrentDictionary<string, byte[]> _objects = new();

    public string Location => "memory";

    public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) => new(_objects.TryAdd(name, content.ToArray()));

    public IObjectWriter BeginObject(string name) => new Writer(this, name);

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation) =>
        new(_objects.TryGetValue(name, out var content) ? new ReadOnlyMemory<byte>(content) : (ReadOnlyMemory<byte>?)null);

    public ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation)
    {
        if (!_objects.TryGetValue(name, out var content)) return new((ReadOnlyMemory<byte>?)null);
        var from = (int)Math.Min(offset, content.Length);
        return new(content.AsMemory(from, Math.Min(length, content.Length - from)));
    }

    public ValueTask DeleteAsync(string name, CancellationToken cancellation)
    {
        _objects.TryRemove(name, out _);
        return ValueTask.CompletedTask;
    }

    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        foreach (var name in _objects.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))) yield return name;
    }

    private sealed class Writer(MemoryCheckpoints store, string name) : IObjectWriter
    {
        private readonly SortedDictionary<int, byte[]> _pieces = [];

        public ValueTask WriteAsync(int piece, ReadOnlyMemory<byte> content, CancellationToken cancellation)
        {
            _pieces[piece] = content.ToArray();
            return ValueTask.CompletedTask;
        }

        public ValueTask<bool> TryCreateAsync(CancellationToken cancellation) => new(store._objects.TryAdd(name, [.. _pieces.Values.SelectMany(static piece => piece)]));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
