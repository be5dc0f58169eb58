using Microsoft.Extensions.Logging;

namespace OrleansStream.Checkpoints;

/// <summary>A store that knows where some segments can be read without it.</summary>
internal interface INearSegments
{
    /// <summary>Where to read a segment: a store that has the very one that the reference names, nearer than this one, or this one.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="isWhole">Whether much of it is to be read: then it is worth fetching.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    ValueTask<ICheckpointStore> NearestAsync(SegmentRef segment, bool isWhole, CancellationToken cancellation);

    /// <summary>Looks further for a segment that the store has lost or damaged: whatever its length, and with more patience. Afterwards <see cref="NearestAsync"/> finds it.</summary>
    /// <returns>False when nobody has it.</returns>
    ValueTask<bool> RescueAsync(SegmentRef segment, CancellationToken cancellation);
}

/// <summary>The other silos' local snapshots. A call that throws means that the silo cannot help.</summary>
internal interface ISnapshotPeers
{
    IReadOnlyList<string> Others { get; }

    /// <summary>Whether a silo seems to have gone: it is asked only when nobody else can help.</summary>
    bool SeemsGone(string silo);

    /// <summary>The length of a segment that a silo keeps; null when it does not.</summary>
    Task<long?> LengthAsync(string silo, string name);

    /// <summary>Reads a part; null when the silo does not keep it any more.</summary>
    Task<byte[]?> ReadAsync(string silo, string name, long offset, int length);
}

/// <summary>
/// The checkpoint store as subtasks see it: what they write is kept on this silo's own disk as well, and what they restore is read from there, or fetched from a silo that keeps it, before the store is asked. Invariants:
/// a segment from elsewhere is used only if it has the length and the checksum that the manifest names; no trouble with local files or other silos is trouble for a job; what is durable is what the
/// store has.
/// </summary>
internal sealed partial class LocalSnapshots(ICheckpointStore store, SnapshotFolder folder, ISnapshotPeers peers, TimeProvider time, ILogger logger) : ICheckpointStore, INearSegments
{
    /// <summary>Smaller segments are read from the store at once: asking around takes as long.</summary>
    private const int LeastFetched = 64 * 1024;

    private const int PieceBytes = 4 << 20;

    /// <summary>A silo that does not answer in this time is not waited for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>When nobody else has the segment, a silo is waited for this long: without it, output that is committed already has to be taken back, or the job stops.</summary>
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(10);

    private readonly ILogger _logger = logger;
    private readonly Dictionary<(SegmentRef, TimeSpan?), Task<bool>> _looks = [];

    private SnapshotFolder Folder => folder;

    public string Location => store.Location;

    public async ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var created = await store.TryCreateAsync(name, content, cancellation);
        await TryAsync(name, () =>
        {
            using var copy = folder.Begin(name);
            copy.Write(0, content.Span);
            copy.Keep();
        });
        return created;
    }

    public IObjectWriter BeginObject(string name) => new Writer(this, name, store.BeginObject(name), folder.Begin(name));

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation) => store.ReadAsync(name, cancellation);

    public ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation) => store.ReadRangeAsync(name, offset, length, cancellation);

    public ValueTask DeleteAsync(string name, CancellationToken cancellation) => store.DeleteAsync(name, cancellation);

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellation) => store.ListAsync(prefix, cancellation);

    public async ValueTask<ICheckpointStore> NearestAsync(SegmentRef segment, bool isWhole, CancellationToken cancellation) =>
        await IsHereAsync(segment, isWhole && segment.LengthBytes >= LeastFetched ? Patience : null).WaitAsync(cancellation) ? new Near(this) : store;

    public async ValueTask<bool> RescueAsync(SegmentRef segment, CancellationToken cancellation)
    {
        if (!await IsHereAsync(segment, LastPatience).WaitAsync(cancellation)) return false;
        LogRescued(segment.Name);
        return true;
    }

    /// <summary>Whether the segment is in the folder, or was fetched. Subtasks that want the same one at the same time share the look and the fetching, which belong to none of them.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="patience">How long a silo is waited for; null to ask none.</param>
    private Task<bool> IsHereAsync(SegmentRef segment, TimeSpan? patience)
    {
        lock (_looks)
        {
            if (!_looks.TryGetValue((segment, patience), out var look)) _looks.Add((segment, patience), look = Task.Run(() => LookAsync(segment, patience)));
            return look;
        }
    }

    private async Task<bool> LookAsync(SegmentRef segment, TimeSpan? patience)
    {
        try
        {
            return await OwnFiles.OnThreadAsync(() => folder.Has(segment)) || (patience is { } seconds && await FetchAsync(segment, seconds));
        }
        catch (Exception error)
        {
            LogTrouble(segment.Name, error.Message);
            return false;
        }
        finally
        {
            lock (_looks) _looks.Remove((segment, patience));
        }
    }

    private async Task<bool> FetchAsync(SegmentRef segment, TimeSpan patience)
    {
        var asked = peers.Others.Where(silo => patience == LastPatience || !peers.SeemsGone(silo)).Select(async silo => (silo, await LengthAsync(silo, segment.Name, patience))).ToList();
        while (asked.Count > 0)
        {
            var answered = await Task.WhenAny(asked);
            asked.Remove(answered);
            var (silo, length) = await answered;
            if (length == segment.LengthBytes && await FetchAsync(silo, segment)) return true;
        }

        return false;
    }

    private async Task<long?> LengthAsync(string silo, string name, TimeSpan patience)
    {
        try
        {
            return await peers.LengthAsync(silo, name).WaitAsync(patience, time);
        }
        catch (TimeoutException)
        {
            LogSilent(silo, patience.TotalSeconds, name);
            return null;
        }
        catch (Exception error)
        {
            LogNotAsked(silo, name, error.Message);
            return null;
        }
    }

    private async Task<bool> FetchAsync(string silo, SegmentRef segment)
    {
        try
        {
            using var copy = folder.Begin(segment.Name);
            for (long at = 0; at < segment.LengthBytes;)
            {
                var wanted = (int)Math.Min(PieceBytes, segment.LengthBytes - at);
                if (await PieceAsync(silo, segment.Name, at, wanted) is not { Length: > 0 } piece) return false;
                var offset = at;
                await OwnFiles.OnThreadAsync(() => copy.Write(offset, piece));
                at += piece.Length;
            }

            await OwnFiles.OnThreadAsync(copy.Keep);
            return await OwnFiles.OnThreadAsync(() => folder.Has(segment));
        }
        catch (Exception error)
        {
            LogTrouble(segment.Name, error.Message);
            return false;
        }
    }

    private async Task<byte[]?> PieceAsync(string silo, string name, long offset, int length)
    {
        try
        {
            return await peers.ReadAsync(silo, name, offset, length).WaitAsync(Patience * 5, time);
        }
        catch (Exception error)
        {
            LogNotSent(silo, name, error.Message);
            return null;
        }
    }

    /// <summary>Works on a local file; what goes wrong there goes wrong there only.</summary>
    private async Task<bool> TryAsync(string name, Action work)
    {
        try
        {
            return await OwnFiles.OnThreadAsync(work);
        }
        catch (Exception error)
        {
            LogTrouble(name, error.Message);
            return false;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The local snapshot '{Name}' cannot be used, and the checkpoint store is used alone: {Cause}")]
    private partial void LogTrouble(string name, string cause);

    [LoggerMessage(LogLevel.Debug, "Silo {Silo} did not say in {Seconds:0} s whether it keeps '{Name}'; it is read elsewhere")]
    private partial void LogSilent(string silo, double seconds, string name);

    [LoggerMessage(LogLevel.Debug, "Silo {Silo} could not say whether it keeps '{Name}'; it is read elsewhere: {Cause}")]
    private partial void LogNotAsked(string silo, string name, string cause);

    [LoggerMessage(LogLevel.Debug, "Silo {Silo} did not send all of '{Name}', which it keeps; it is read elsewhere: {Cause}")]
    private partial void LogNotSent(string silo, string name, string cause);

    [LoggerMessage(LogLevel.Warning, "The snapshot '{Name}' is missing or damaged in the checkpoint store; a silo had kept it, and it is used. Look what happened to the store")]
    private partial void LogRescued(string name);

    /// <summary>Reads of the folder, and of the store if a file went away meanwhile.</summary>
    private sealed class Near(LocalSnapshots all) : ICheckpointStore
    {
        public string Location => all.Location;

        public async ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation) =>
            await OwnFiles.OnThreadAsync(() => all.Folder.Read(name, offset, length), cancellation) ?? await all.ReadRangeAsync(name, offset, length, cancellation);

        public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation) => all.ReadAsync(name, cancellation);

        public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) => all.TryCreateAsync(name, content, cancellation);

        public IObjectWriter BeginObject(string name) => all.BeginObject(name);

        public ValueTask DeleteAsync(string name, CancellationToken cancellation) => all.DeleteAsync(name, cancellation);

        public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellation) => all.ListAsync(prefix, cancellation);
    }

    /// <summary>Writes to the store, and to a file as long as that goes well.</summary>
    private sealed class Writer(LocalSnapshots all, string name, IObjectWriter writer, LocalSnapshot copy) : IObjectWriter
    {
        private readonly PieceOrder _order = new();
        private bool _isCopied = true;

        public async ValueTask WriteAsync(int piece, ReadOnlyMemory<byte> content, CancellationToken cancellation)
        {
            var offset = _order.Begin(piece, content.Length);
            // Beside each other; neither reads the content any more when this has ended.
            var copying = _isCopied ? all.TryAsync(name, () => copy.Write(offset, content.Span)) : Task.FromResult(false);
            try
            {
                await writer.WriteAsync(piece, content, cancellation);
                _order.Written();
            }
            finally
            {
                _isCopied = await copying;
            }
        }

        public async ValueTask<bool> TryCreateAsync(CancellationToken cancellation)
        {
            _order.Close();
            var created = await writer.TryCreateAsync(cancellation);
            if (_isCopied) await all.TryAsync(name, copy.Keep);
            _isCopied = false;
            return created;
        }

        public async ValueTask DisposeAsync()
        {
            await writer.DisposeAsync();
            await all.TryAsync(name, copy.Dispose);
        }
    }
}
