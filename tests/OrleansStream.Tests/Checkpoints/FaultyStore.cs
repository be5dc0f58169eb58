using System.Runtime.CompilerServices;
using OrleansStream.Checkpoints;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Checkpoints;

/// <summary>
/// A store whose calls, from a seed, take long, fail without effect, fail after taking effect, or fail and take effect much later. What it answers is linearizable.
/// Runs under a <see cref="SeededContext"/>.
/// </summary>
internal sealed class FaultyStore(InMemoryStore inner, Random random, double faults) : ICheckpointStore
{
    public int FailedWithoutEffect { get; private set; }

    public int FailedAfterEffect { get; private set; }

    public int TookEffectLate { get; private set; }

    public string Location => "faulty memory";

    public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        // What is carried out late carries what was sent, whatever becomes of the caller's memory.
        var bytes = content.ToArray();
        return CallAsync($"create '{name}'", () => inner.TryCreate(name, bytes));
    }

    public IObjectWriter BeginObject(string name) => new InMemoryWriter(
        async (write, _) => await CallAsync(
            $"write '{name}'",
            () =>
            {
                write();
                return true;
            }),
        (content, cancellation) => TryCreateAsync(name, content, cancellation));

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation) =>
        CallAsync<ReadOnlyMemory<byte>?>($"read '{name}'", () => inner.Read(name) is { } bytes ? bytes : default(ReadOnlyMemory<byte>?));

    public async ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation)
    {
        await CallAsync($"read '{name}'", () => true);
        return await inner.ReadRangeAsync(name, offset, length, cancellation);
    }

    public async ValueTask DeleteAsync(string name, CancellationToken cancellation) => await CallAsync(
        $"delete '{name}'",
        () =>
        {
            inner.Delete(name);
            return true;
        });

    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var names = await CallAsync("list", () => inner.Names);
        foreach (var name in names)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal)) yield return name;
        }
    }

    private async ValueTask<T> CallAsync<T>(string what, Func<T> call)
    {
        await SeededContext.StallAsync(Delay());
        if (random.NextDouble() < faults)
        {
            switch (random.Next(3))
            {
                case 0:
                    FailedWithoutEffect++;
                    break;
                case 1:
                    FailedAfterEffect++;
                    call();
                    break;
                default:
                    _ = LateAsync();
                    break;
            }

            throw new StoreException($"The faulty store did not {what}, or did.");
        }

        var answer = call();
        await SeededContext.StallAsync(1 + random.Next(2));
        return answer;

        async Task LateAsync()
        {
            await SeededContext.StallAsync(random.Next(600));
            TookEffectLate++;
            call();
        }
    }

    /// <summary>Mostly short; now and then so long that others get far.</summary>
    private int Delay() => random.Next(25) == 0 ? random.Next(1000) : 1 + random.Next(3);
}
