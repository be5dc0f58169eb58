using OrleansStream.Jobs;

namespace OrleansStream.Checkpoints;

/// <summary>
/// The log of one attempt in the hands of its only writer.
/// </summary>
/// <remarks>
/// Invariants:
/// - Entries are created at consecutive numbers; the next one only when the one before is known to be ours.
/// - Once a number holds another's entry (a seal), every later append answers false.
/// - An entry of unknown outcome stays the next one to be created until the number is taken; nothing is written in its place.
/// - Only entries that no reader can need go (<see cref="LogTrimming"/>), and never the newest that says what is kept.
/// Calls come one at a time.
/// </remarks>
internal sealed class AttemptLog
{
    private readonly LogObjects _objects;
    private readonly Queue<long> _released = new();
    private readonly string _writerId;
    private byte[]? _undecided;
    private LogEntry? _last;
    private long _next;
    private long _newestKept;
    private bool _lost;
    private bool _busy;

    private AttemptLog(LogObjects objects, Attempt attempt, string writerId)
    {
        _objects = objects;
        _writerId = writerId;
        Attempt = attempt;
    }

    /// <summary>The attempt.</summary>
    public Attempt Attempt { get; }

    /// <summary>Whether another has sealed the log: nothing can be added any more.</summary>
    public bool IsLost => _lost;

    /// <summary>An entry whose outcome is unknown: it may be in the log. Appending anything settles it first.</summary>
    public LogEntry? Undecided { get; private set; }

    /// <summary>Begins an attempt by writing its entry 0.</summary>
    /// <param name="store">The store.</param>
    /// <param name="job">The job's name.</param>
    /// <param name="started">The entry; its attempt and writer are those of the <see cref="Takeover"/>.</param>
    /// <param name="retry">How calls are repeated.</param>
    /// <param name="cancellation">Gives up; the entry may be there or not.</param>
    /// <returns>The log, or null when another has sealed the attempt, or has begun it: take over anew, with a new writer id.</returns>
    /// <exception cref="StoreException">The store failed past the retries. May be repeated with the same entry.</exception>
    public static async Task<AttemptLog?> BeginAsync(ICheckpointStore store, string job, Started started, RetryRule retry, CancellationToken cancellation)
    {
        var log = new AttemptLog(new LogObjects(store, job, retry), started.Attempt, started.WriterId);
        return await log.WriteAsync(started, cancellation) ? log : null;
    }

    /// <summary>Appends an entry.</summary>
    /// <param name="entry">A publication, a drop or an end, by this log's writer. The same entry again, after an unknown outcome, is written once.</param>
    /// <param name="cancellation">Gives up; the outcome is then unknown.</param>
    /// <returns>True when the entry is in the log; false when the log is another's: the attempt is over. Then an <see cref="Undecided"/> entry
    /// before this one may still be in the log, which the next attempt's recovery finds.</returns>
    /// <exception cref="StoreException">The store failed past the retries; the outcome is unknown and the entry is now <see cref="Undecided"/>.</exception>
    public async Task<bool> AppendAsync(LogEntry entry, CancellationToken cancellation)
    {
        if (entry is Started or Sealed) throw new ArgumentException($"{entry.GetType().Name} is not appended.", nameof(entry));
        return await OneAtATimeAsync(async () => await SettleFirstAsync(entry, cancellation) ?? await WriteAsync(entry, cancellation));
    }

    /// <summary>Deletes entries that no reader can need any more. What the store does not delete now is tried again with the next call.</summary>
    public async Task TrimAsync(CancellationToken cancellation) => await OneAtATimeAsync(async () =>
    {
        while (_released.TryPeek(out var number) && number < _newestKept)
        {
            if (!await TryDeleteAsync(ObjectNames.LogEntry(_objects.Job, Attempt, number), cancellation)) return false;
            _released.Dequeue();
        }

        return true;
    });

    /// <summary>
    /// Deletes from the logs of older attempts all but entry 0 and the seals, as far as a list shows them: this attempt's entry 0 says all that
    /// is needed of them. Attempts that took a checkpoint that is still kept, and later ones, stay whole. What fails stays, for the next attempt.
    /// </summary>
    /// <param name="oldestKept">The oldest attempt that took a kept checkpoint; this attempt when none is kept.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task TrimOlderAsync(Attempt oldestKept, CancellationToken cancellation)
    {
        var before = Math.Min(Attempt.Number, oldestKept.Number);
        var entries = new SortedDictionary<int, List<long>>();
        try
        {
            await foreach (var name in _objects.Store.ListAsync(ObjectNames.Attempts(_objects.Job), cancellation))
            {
                if (ObjectNames.LogEntryOf(_objects.Job, name) is not var (attempt, number) || attempt.Number >= before) continue;
                if (!entries.TryGetValue(attempt.Number, out var numbers)) entries.Add(attempt.Number, numbers = []);
                if (number != 0) numbers.Add(number);
            }

            foreach (var (attempt, numbers) in entries)
            {
                if (numbers.Count < 2) continue; // Only the seal.
                foreach (var number in numbers) await DeleteUnlessSealAsync(new Attempt(attempt), number, cancellation);
            }
        }
        catch (StoreException)
        {
            // Tidying is never urgent.
        }
    }

    private async Task DeleteUnlessSealAsync(Attempt attempt, long number, CancellationToken cancellation)
    {
        try
        {
            if (await _objects.ReadAsync(attempt, number, cancellation) is null or Sealed) return;
        }
        catch (DamagedObjectException)
        {
            return; // It may have been the seal, and its number must stay taken.
        }

        await _objects.Store.DeleteAsync(ObjectNames.LogEntry(_objects.Job, attempt, number), cancellation);
    }

    private async Task<bool> TryDeleteAsync(string name, CancellationToken cancellation)
    {
        try
        {
            await _objects.Store.DeleteAsync(name, cancellation);
            return true;
        }
        catch (StoreException)
        {
            return false;
        }
    }

    /// <summary>Settles an undecided entry; the answer when it was this one, or when the log is lost.</summary>
    private async Task<bool?> SettleFirstAsync(LogEntry entry, CancellationToken cancellation)
    {
        if (_lost) return false;
        if (Undecided is not { } undecided) return null;
        var same = entry.Encode().AsSpan().SequenceEqual(_undecided);
        var won = await WriteAsync(undecided, cancellation);
        return same || !won ? won : null;
    }

    private async Task<bool> WriteAsync(LogEntry entry, CancellationToken cancellation)
    {
        if (entry.WriterId != _writerId) throw new ArgumentException($"Writer '{entry.WriterId}' does not write attempt {Attempt}'s log; '{_writerId}' does.");
        if (_last is { IsEnd: true }) throw new InvalidOperationException($"Attempt {Attempt} has ended ({_last.GetType().Name}); nothing follows.");
        entry.RequireValid(Attempt);

        Undecided = entry;
        var bytes = _undecided = entry.Encode();
        var protocol = new AppendProtocol(Attempt, _next);
        while (protocol.Next is { Action: not LogAction.Done } step) protocol.Answer(await _objects.PerformAsync(step, bytes, cancellation));
        Undecided = null;
        _undecided = null;
        if (!protocol.Won)
        {
            _lost = true;
            return false;
        }

        foreach (var number in LogTrimming.ReleasedBy(_next)) _released.Enqueue(number);
        if (entry.KeptAfter is not null) _newestKept = _next;
        _last = entry;
        _next++;
        return true;
    }

    private async Task<bool> OneAtATimeAsync(Func<Task<bool>> call)
    {
        if (_busy) throw new InvalidOperationException($"Attempt {Attempt}'s log is written by one call at a time.");
        _busy = true;
        try
        {
            return await call();
        }
        finally
        {
            _busy = false;
        }
    }
}
