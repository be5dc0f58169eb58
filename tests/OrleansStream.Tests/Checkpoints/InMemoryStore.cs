using System.Runtime.CompilerServices;
using OrleansStream.Checkpoints;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Checkpoints;

/// <summary>A checkpoint store in memory, without faults, that a test can look into and step in front of.</summary>
internal sealed class InMemoryStore : ICheckpointStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, byte[]> _objects = new(StringComparer.Ordinal);

    /// <summary>Awaited before an object is created.</summary>
    public Func<string, Task>? BeforeCreate { get; set; }

    /// <summary>Awaited before an object is read.</summary>
    public Func<string, Task>? BeforeRead { get; set; }

    public string Location => "memory";

    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_lock) return [.. _objects.Keys.Order(StringComparer.Ordinal)];
        }
    }

    public void Overwrite(string name, byte[] content)
    {
        lock (_lock) _objects[name] = content;
    }

    public bool TryCreate(string name, ReadOnlyMemory<byte> content)
    {
        lock (_lock) return _objects.TryAdd(name, content.ToArray());
    }

    public byte[]? Read(string name)
    {
        lock (_lock) return _objects.GetValueOrDefault(name);
    }

    public void Delete(string name)
    {
        lock (_lock) _objects.Remove(name);
    }

    public async ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        StoreNames.Require(name);
        if (BeforeCreate is { } before) await before(name);
        return TryCreate(name, content);
    }

    public IObjectWriter BeginObject(string name)
    {
        StoreNames.Require(name);
        return new InMemoryWriter(
            static (write, _) =>
            {
                write();
                return ValueTask.CompletedTask;
            },
            (content, cancellation) => TryCreateAsync(name, content, cancellation));
    }

    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation)
    {
        StoreNames.Require(name);
        if (BeforeRead is { } before) await before(name);
        return Read(name) is { } bytes ? bytes : default(ReadOnlyMemory<byte>?);
    }

    public ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation)
    {
        StoreNames.Require(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (Read(name) is not { } bytes) return new((ReadOnlyMemory<byte>?)null);
        var start = (int)Math.Min(offset, bytes.Length);
        return new(bytes.AsMemory(start, Math.Min(length, bytes.Length - start)));
    }

    public ValueTask DeleteAsync(string name, CancellationToken cancellation)
    {
        StoreNames.Require(name);
        Delete(name);
        return ValueTask.CompletedTask;
    }

    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        StoreNames.RequirePrefix(prefix);
        await Task.CompletedTask;
        foreach (var name in Names)
        {
            cancellation.ThrowIfCancellationRequested();
            if (name.StartsWith(prefix, StringComparison.Ordinal)) yield return name;
        }
    }
}
