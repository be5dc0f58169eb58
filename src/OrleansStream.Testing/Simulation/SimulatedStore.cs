using System.Runtime.CompilerServices;
using OrleansStream.Checkpoints;

namespace OrleansStream.Testing.Simulation;

/// <summary>
/// A checkpoint store whose creates and reads are linearizable, and which is bad at everything else: calls fail, are carried out and not answered, are carried out long after the
/// caller gave up; lists lag; a write whose caller died before the answer may leave a torn object. The entries of logs are never torn: to create them is the lock.
/// </summary>
internal sealed class SimulatedStore(SimulatedRun run) : ICheckpointStore
{
    private readonly Dictionary<string, byte[]> _objects = new(StringComparer.Ordinal);
    private readonly List<(TimeSpan At, string Name, bool Created)> _changes = [];

    public string Location => "the simulated store";

    /// <summary>Hears of each object in the moment in which it is there for all.</summary>
    public Action<string, byte[]>? Created { get; set; }

    /// <summary>Hears of each object in the moment in which it goes.</summary>
    public Action<string, byte[]>? Deleting { get; set; }

    public IEnumerable<string> Names => _objects.Keys;

    /// <summary>Pieces of objects that were written, repeats too.</summary>
    public int PiecesWritten { get; private set; }

    public byte[]? Find(string name) => _objects.GetValueOrDefault(name);

    public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        StoreNames.Require(name);
        var bytes = content.ToArray();
        var caller = run.Scheduler.Current;
        bool Create()
        {
            var torn = caller is { IsDead: true } && !IsLogEntry(name) && run.Random.Next(3) == 0;
            var there = torn ? bytes[..run.Random.Next(bytes.Length)] : bytes;
            if (!_objects.TryAdd(name, there)) return false;
            _changes.Add((run.Scheduler.Now, name, true));
            run.Scheduler.Note(name.Length + bytes.Length);
            run.Trace?.Invoke($"store: created {name}");
            Created?.Invoke(name, there);
            return true;
        }

        return new(run.Build.CreateAsync(run, name, Create, () => CallAsync($"create '{name}'", Create, cancellation)));
    }

    public IObjectWriter BeginObject(string name)
    {
        StoreNames.Require(name);
        return new InMemoryWriter(
            async (write, cancellation) => await CallAsync(
                $"write '{name}'",
                () =>
                {
                    PiecesWritten++;
                    write();
                    return true;
                },
                cancellation),
            (content, cancellation) => TryCreateAsync(name, content, cancellation));
    }

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation)
    {
        StoreNames.Require(name);
        return new(CallAsync($"read '{name}'", () => Find(name) is { } bytes ? bytes : default(ReadOnlyMemory<byte>?), cancellation));
    }

    public ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation)
    {
        StoreNames.Require(name);
        return new(CallAsync(
            $"read '{name}'",
            () =>
            {
                if (Find(name) is not { } bytes) return default(ReadOnlyMemory<byte>?);
                var start = (int)Math.Min(offset, bytes.Length);
                return bytes.AsMemory(start, Math.Min(length, bytes.Length - start));
            },
            cancellation));
    }

    public async ValueTask DeleteAsync(string name, CancellationToken cancellation) => await CallAsync(
        $"delete '{name}'",
        () =>
        {
            if (Find(name) is not { } bytes) return false;
            Deleting?.Invoke(name, bytes);
            _changes.Add((run.Scheduler.Now, name, false));
            run.Trace?.Invoke($"store: deleted {name}");
            return _objects.Remove(name);
        },
        cancellation);

    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        StoreNames.RequirePrefix(prefix);
        var lag = TimeSpan.FromMilliseconds(run.Random.Next(2) == 0 ? 0 : run.Random.Next(300));
        var names = await CallAsync($"list '{prefix}'", () => NamesAt(run.Scheduler.Now - lag), cancellation);
        foreach (var name in names)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal)) yield return name;
        }
    }

    private List<string> NamesAt(TimeSpan then)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (at, name, created) in _changes)
        {
            if (at > then) break;
            if (created) names.Add(name);
            else names.Remove(name);
        }

        return [.. names];
    }

    private Task<T> CallAsync<T>(string what, Func<T> act, CancellationToken cancellation) =>
        run.Outside.CallAsync(what, act, run.Weather.StoreFaultRate, static message => new StoreException(message), cancellation);

    public static bool IsLogEntry(string name) => name.Contains("/log/", StringComparison.Ordinal);

    /// <summary>Reads the store as it is, at once and without faults, for checkers.</summary>
    public ICheckpointStore AsItIs => field ??= new Plain(this);

    private sealed class Plain(SimulatedStore store) : ICheckpointStore
    {
        public string Location => store.Location;

        public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) => throw new NotSupportedException();

        public IObjectWriter BeginObject(string name) => throw new NotSupportedException();

        public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation) =>
            new(store.Find(name) is { } bytes ? bytes : default(ReadOnlyMemory<byte>?));

        public ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation)
        {
            if (store.Find(name) is not { } bytes) return new(default(ReadOnlyMemory<byte>?));
            var start = (int)Math.Min(offset, bytes.Length);
            return new(bytes.AsMemory(start, Math.Min(length, bytes.Length - start)));
        }

        public ValueTask DeleteAsync(string name, CancellationToken cancellation) => throw new NotSupportedException();

        public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellation) => throw new NotSupportedException();
    }
}
