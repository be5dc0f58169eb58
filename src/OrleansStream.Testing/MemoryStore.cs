using OrleansStream.Checkpoints;

namespace OrleansStream.Testing;

/// <summary>The segments of a harness. For one thread.</summary>
internal sealed class MemoryStore : ICheckpointStore
{
    private readonly Dictionary<string, byte[]> _objects = [];

    public string Location => "the memory of the test";

    public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) => new(_objects.TryAdd(name, content.ToArray()));

    public IObjectWriter BeginObject(string name) => new InMemoryWriter(
        static (write, _) =>
        {
            write();
            return ValueTask.CompletedTask;
        },
        (content, cancellation) => TryCreateAsync(name, content, cancellation));

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation) => ReadRangeAsync(name, 0, int.MaxValue, cancellation);

    public ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation)
    {
        if (!_objects.TryGetValue(name, out var content)) return new((ReadOnlyMemory<byte>?)null);
        var from = (int)Math.Min(offset, content.Length);
        return new(content.AsMemory(from, Math.Min(length, content.Length - from)));
    }

    public ValueTask DeleteAsync(string name, CancellationToken cancellation)
    {
        _objects.Remove(name);
        return ValueTask.CompletedTask;
    }

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellation) =>
        _objects.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToList().ToAsyncEnumerable();
}
