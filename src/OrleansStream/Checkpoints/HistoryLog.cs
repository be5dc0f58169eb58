using OrleansStream.Jobs;

namespace OrleansStream.Checkpoints;

/// <summary>
/// A job's history: a log of write-once entries per attempt, numbered from 0, whose only lock is create-if-absent.
/// </summary>
/// <remarks>
/// Invariants:
/// - An attempt has one writer, who wrote its entry 0; attempt n + 1 is begun only by whoever sealed attempt n.
/// - An entry is written at the first free number or not at all, so a sealed attempt can publish nothing: its writer's next number is where the
///   seal stands, or an earlier one that already holds that writer's own entry.
/// - Nothing is concluded from a call of unknown outcome, from a list, a clock or a lease.
/// - Seals and entries 0 are never deleted; other entries only by the rule of <see cref="LogTrimming"/>, or in the logs of attempts before one that has started.
/// Here is what acts; <see cref="TakeoverProtocol"/>, <see cref="EndFinder"/> and <see cref="AppendProtocol"/> decide.
/// </remarks>
internal static class HistoryLog
{
    /// <summary>Seals the newest attempt, so that nothing can be added to the history, and owns the next one.</summary>
    /// <param name="store">The store.</param>
    /// <param name="job">The job's name.</param>
    /// <param name="writerId">A random id, new for each take-over that is not a repetition of a failed one.</param>
    /// <param name="retry">How calls are repeated.</param>
    /// <param name="cancellation">Gives up; the seal may be there or not.</param>
    /// <exception cref="StoreException">The store failed past the retries. May be repeated with the same id.</exception>
    /// <exception cref="DamagedObjectException">An entry that matters cannot be read.</exception>
    public static async Task<Takeover> TakeOverAsync(
        ICheckpointStore store, string job, string writerId, RetryRule retry, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(writerId);
        var log = new LogObjects(store, job, retry);
        var seal = new Sealed(writerId).Encode();
        while (true)
        {
            var protocol = new TakeoverProtocol();
            while (protocol.Next is { Action: not LogAction.Done } step) protocol.Answer(await log.PerformAsync(step, seal, cancellation));
            var owned = protocol.Owned;
            if (owned == Attempt.First) return new Takeover(writerId, owned, JobHistory.Empty);
            if (await ReadUpToAsync(log, new Attempt(owned.Number - 1), cancellation) is { } history) return new Takeover(writerId, owned, history);
        }
    }

    /// <summary>
    /// Whether another has sealed an attempt before its owner began it. While the answer is no, nobody has deleted anything that the history names:
    /// what cannot be read is damaged, and not only dropped by an attempt that came after.
    /// </summary>
    /// <exception cref="StoreException">The store failed past the retries.</exception>
    public static Task<bool> IsSupersededAsync(ICheckpointStore store, string job, Attempt owned, RetryRule retry, CancellationToken cancellation) =>
        new LogObjects(store, job, retry).ExistsAsync(owned, 0, cancellation);

    /// <summary>Reads the history as it was at some moment during the call, and changes nothing.</summary>
    /// <exception cref="StoreException">The store failed past the retries.</exception>
    /// <exception cref="DamagedObjectException">An entry that matters cannot be read.</exception>
    public static async Task<JobHistory> ReadAsync(ICheckpointStore store, string job, RetryRule retry, CancellationToken cancellation)
    {
        var log = new LogObjects(store, job, retry);
        while (true)
        {
            var attempts = await log.FindEndAsync(static position => (new Attempt(checked((int)position + 1)), 0), cancellation);
            if (attempts == 0) return JobHistory.Empty;
            if (await ReadUpToAsync(log, new Attempt(checked((int)attempts)), cancellation) is { } history) return history;
        }
    }

    /// <summary>Reads the history up to an attempt, or null when it has gone on meanwhile, so that what was read may not fit together.</summary>
    private static async Task<JobHistory?> ReadUpToAsync(LogObjects log, Attempt last, CancellationToken cancellation)
    {
        JobHistory? history = new(last, null, [], null);
        for (var number = last.Number; number >= 1; number--)
        {
            var attempt = new Attempt(number);
            var first = await log.ReadAsync(attempt, 0, cancellation);
            if (first is Sealed) continue; // Sealed before it started: it says nothing.
            if (first is not Started started)
                throw log.Damaged(attempt, 0, first is null ? "it is missing, and is never deleted" : $"it is {first.GetType().Name} where the attempt's start belongs");
            history = await ReadLogAsync(log, history with { LastStarted = started }, cancellation);
            break;
        }

        // Only an attempt that comes after may delete or outdate what was read here.
        return await log.ExistsAsync(last.Next, 0, cancellation) ? null : history;
    }

    /// <summary>
    /// Reads a started attempt's log from its end back to the newest entry that says what is kept. What is missing on the way was trimmed meanwhile; then the log
    /// has grown, or a later attempt has begun (null), or else the entry is lost.
    /// </summary>
    private static async Task<JobHistory?> ReadLogAsync(LogObjects log, JobHistory history, CancellationToken cancellation)
    {
        var attempt = history.LastStarted!.Attempt;
        for (long end, before = -1, missing = -1; ; before = end)
        {
            end = await log.FindEndAsync(position => (attempt, position), cancellation);
            if (end == before)
            {
                if (await log.ExistsAsync(history.Last!.Value.Next, 0, cancellation)) return null;
                throw log.Damaged(attempt, missing, $"it is missing, or a seal has its place, though the log goes on to entry {end - 1} and needs it");
            }

            LogEntry? ending = null;
            for (missing = end - 1; missing >= 0; missing--)
            {
                var entry = await log.ReadAsync(attempt, missing, cancellation);
                if (entry is null) break;
                if (entry is Sealed && (missing != end - 1 || await log.IsHoleAsync(attempt, missing, cancellation))) break; // A slow taker's.
                if (entry.IsEnd && missing >= end - 2) ending ??= entry;
                if (entry.KeptAfter is { } kept) return history with { Kept = kept, End = ending, NextParallelism = ending is null ? (entry as Published)?.Parallelism : null };
            }
        }
    }
}
