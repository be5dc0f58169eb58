using OrleansStream.Jobs;

namespace OrleansStream.Checkpoints;

/// <summary>Reads and creates log entries in a store, repeating calls of unknown outcome: the acting half of the protocols over the log.</summary>
internal sealed class LogObjects(ICheckpointStore store, string job, RetryRule retry)
{
    public ICheckpointStore Store => store;

    public string Job => job;

    /// <summary>Performs a protocol's step with one's own entry.</summary>
    public async Task<LogAnswer> PerformAsync(LogStep step, byte[] own, CancellationToken cancellation)
    {
        var name = ObjectNames.LogEntry(job, step.Attempt, step.Number);
        switch (step.Action)
        {
            case LogAction.Probe:
                return await ExistsAsync(step.Attempt, step.Number, cancellation) ? LogAnswer.Entry : LogAnswer.Nothing;
            case LogAction.Create:
                return await retry.CallAsync(c => store.TryCreateAsync(name, own, c), cancellation) ? LogAnswer.Created : LogAnswer.Taken;
            case LogAction.Read:
                if (await ReadBytesAsync(name, cancellation) is not { } bytes) return LogAnswer.Nothing;
                if (bytes.Span.SequenceEqual(own)) return LogAnswer.Own;
                return LogEntry.Decode(name, bytes) is Sealed ? LogAnswer.Seal : LogAnswer.Entry;
            default:
                throw new InvalidOperationException($"{step} is no step to perform.");
        }
    }

    public async Task<bool> ExistsAsync(Attempt attempt, long number, CancellationToken cancellation) =>
        await ReadBytesAsync(ObjectNames.LogEntry(job, attempt, number), cancellation) is not null;

    public async Task<LogEntry?> ReadAsync(Attempt attempt, long number, CancellationToken cancellation)
    {
        var name = ObjectNames.LogEntry(job, attempt, number);
        return await ReadBytesAsync(name, cancellation) is { } bytes ? LogEntry.Decode(name, bytes) : null;
    }

    public async Task<long> FindEndAsync(Func<long, (Attempt Attempt, long Number)> at, CancellationToken cancellation)
    {
        var finder = new EndFinder();
        while (!finder.IsDone)
        {
            var (attempt, number) = at(finder.Probe);
            finder.Answer(await ExistsAsync(attempt, number, cancellation));
        }

        return finder.End;
    }

    /// <summary>Whether the log had grown past a position, and could have trimmed it, when this began: then a seal there says nothing.</summary>
    public async Task<bool> IsHoleAsync(Attempt attempt, long position, CancellationToken cancellation)
    {
        while (!LogTrimming.IsAnchor(position))
        {
            position = LogTrimming.Above(position);
            if (await ExistsAsync(attempt, position, cancellation)) return true;
        }

        return false;
    }

    public DamagedObjectException Damaged(Attempt attempt, long number, string problem) =>
        new(ObjectNames.LogEntry(job, attempt, Math.Max(0, number)), $"{problem}; the store is {store.Location}.");

    private Task<ReadOnlyMemory<byte>?> ReadBytesAsync(string name, CancellationToken cancellation) =>
        retry.CallAsync(c => store.ReadAsync(name, c), cancellation);
}
