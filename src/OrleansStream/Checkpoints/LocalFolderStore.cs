using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace OrleansStream.Checkpoints;

/// <summary>
/// A checkpoint store in a folder of a local disk, or of any file system with hard links that all silos share coherently.
/// </summary>
/// <remarks>
/// <para>An object is written to a file under <c>tmp/</c>, at once or piece by piece, flushed to the disk, and then linked to its name, which fails when the name is taken; then the folder
/// is flushed. So an object is there whole or not at all, and what was answered survives a loss of power as far as the disk keeps what it flushed. On Linux this is
/// <c>link</c> and <c>fsync</c>, on macOS the same with <c>F_FULLFSYNC</c>, on Windows a move that does not overwrite, where names are as durable as NTFS's journal.</para>
/// <para>On Linux and macOS files get mode 0600 and folders 0700. A process that dies leaves at most a file under <c>tmp/</c>; those older than an hour are removed when
/// the store is opened. Safe for concurrent use by any number of threads and processes.</para>
/// </remarks>
public sealed partial class LocalFolderStore : ICheckpointStore
{
    private const string Temporary = "tmp";
    private const int MostFoldersRemembered = 4096;

    private static readonly TimeSpan LeftoverAge = TimeSpan.FromHours(1);

    private static long _written; // By all stores of the process, so that two on one folder write different files.

    private readonly ConcurrentDictionary<string, bool> _durableFolders = new(StringComparer.Ordinal);
    private readonly string _temporary;
    private readonly string _opening;

    /// <summary>Opens the store; makes the folder when it is not there.</summary>
    /// <param name="folder">The folder, made if it is missing.</param>
    /// <param name="time">The clock by which leftovers of dead processes are old; the system's unless given.</param>
    /// <exception cref="StoreException">The folder is a file, cannot be written, is on a full disk, or on a file system without hard links.</exception>
    public LocalFolderStore(string folder, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Location = Path.GetFullPath(folder);
        _temporary = Path.Combine(Location, Temporary);
        var now = (time ?? TimeProvider.System).GetUtcNow();
        _opening = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{now.UtcTicks:x}");
        try
        {
            MakeDurably(_temporary);
            TryOut();
            RemoveLeftovers(now.UtcDateTime - LeftoverAge);
        }
        catch (Exception e) when (IsStoreError(e))
        {
            throw new StoreException($"The checkpoint folder '{Location}' cannot be used: {e.Message.TrimEnd('.')}. {Remedy(e)}", e);
        }
    }

    /// <summary>The folder, as an absolute path.</summary>
    public string Location { get; }

    /// <inheritdoc/>
    public async ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var path = PathOf(name);
        return await RunAsync("create", name, () => Create(path, content), cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation)
    {
        var path = PathOf(name);
        return await RunAsync("read", name, () => Read(path, 0, int.MaxValue), cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        var path = PathOf(name);
        return await RunAsync("read", name, () => Read(path, offset, length), cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(string name, CancellationToken cancellation)
    {
        var path = PathOf(name);
        await RunAsync("delete", name, () => Delete(path), cancellation);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        StoreNames.RequirePrefix(prefix);
        foreach (var name in await RunAsync("list", prefix, () => List(prefix), cancellation))
        {
            cancellation.ThrowIfCancellationRequested();
            yield return name;
        }
    }

    private bool Create(string path, ReadOnlyMemory<byte> content)
    {
        using var file = NewTemporaryFile();
        file.Write(0, content.Span);
        return Link(file, path);
    }

    private bool Link(TemporaryFile file, string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        try
        {
            MakeDurably(folder);
            // When the name is taken, its creator may not have made it durable yet; whoever reads it next relies on it.
            var created = file.TryLink(path);
            DurableFiles.SyncFolder(folder);
            return created;
        }
        catch (Exception e) when (IsStoreError(e))
        {
            _durableFolders.Clear(); // A folder may have been removed under us: look again next time.
            throw;
        }
    }

    private TemporaryFile NewTemporaryFile() => new(NewTemporaryPath());

    private string NewTemporaryPath() =>
        Path.Combine(_temporary, string.Create(CultureInfo.InvariantCulture, $"{_opening}-{Interlocked.Increment(ref _written)}"));

    private ReadOnlyMemory<byte>? Read(string path, long offset, int length)
    {
        try
        {
            return OwnFiles.Read(path, offset, length);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            RequireStore(e);
            return null;
        }
    }

    /// <summary>A store that is gone, on an unmounted disk, is not an empty one: to believe so would begin the job's history anew.</summary>
    private void RequireStore(Exception? e = null)
    {
        if (!Directory.Exists(_temporary)) throw new IOException($"the store's folder '{_temporary}' is gone", e);
    }

    private static bool Delete(string path)
    {
        try
        {
            File.Delete(path);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return false;
        }
    }

    private List<string> List(string prefix)
    {
        var folder = Path.Combine(Location, prefix[..(prefix.LastIndexOf('/') + 1)]);
        var names = new List<string>();
        RequireStore();
        if (!Directory.Exists(folder)) return names;
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(Location, path).Replace(Path.DirectorySeparatorChar, '/');
            if (name.StartsWith(prefix, StringComparison.Ordinal) && !name.StartsWith(Temporary + "/", StringComparison.Ordinal)) names.Add(name);
        }

        return names;
    }

    /// <summary>Makes a folder and those above it, and makes their names durable, once per folder and process: another process may have made one and died.</summary>
    private void MakeDurably(string folder)
    {
        if (_durableFolders.ContainsKey(folder)) return;
        var parent = Path.GetDirectoryName(folder);
        var isOurs = folder.Length >= Location.Length;
        if (parent is not null && (isOurs || !Directory.Exists(folder))) MakeDurably(parent);
        OwnFiles.MakeFolder(folder);
        if (parent is not null && isOurs) SyncReadable(parent, mustBeReadable: parent.Length >= Location.Length);
        else if (parent is not null) SyncReadable(parent, mustBeReadable: false);
        if (_durableFolders.Count >= MostFoldersRemembered) _durableFolders.Clear();
        _durableFolders[folder] = true;
    }

    /// <summary>Flushes a folder's names. One above the store may be closed to us; the store's own folders may not.</summary>
    private static void SyncReadable(string folder, bool mustBeReadable)
    {
        try
        {
            DurableFiles.SyncFolder(folder);
        }
        catch (IOException e) when (!mustBeReadable && e.HResult is StoreErrors.AccessDenied or StoreErrors.NotPermitted)
        {
        }
    }

    /// <summary>Writes and links a file, so that a folder that will not do is refused before a job runs.</summary>
    private void TryOut()
    {
        using var file = NewTemporaryFile();
        file.Write(0, "checkpoints"u8);
        var second = NewTemporaryPath();
        try
        {
            if (!file.TryLink(second)) throw new IOException($"'{second}' is there already");
        }
        finally
        {
            File.Delete(second);
        }
    }

    private void RemoveLeftovers(DateTime before)
    {
        foreach (var path in Directory.EnumerateFiles(_temporary))
        {
            if (File.GetLastWriteTimeUtc(path) < before) File.Delete(path);
        }
    }

    private string PathOf(string name)
    {
        StoreNames.Require(name);
        if (name.StartsWith(Temporary + "/", StringComparison.Ordinal) || name == Temporary)
            throw new ArgumentException($"'{name}' names no checkpoint object: '{Temporary}' is the store's own.", nameof(name));
        return Path.Combine(Location, name.Replace('/', Path.DirectorySeparatorChar));
    }

    private async Task<T> RunAsync<T>(string what, string name, Func<T> call, CancellationToken cancellation)
    {
        try
        {
            return await OwnFiles.OnThreadAsync(call, cancellation);
        }
        catch (Exception e) when (IsStoreError(e))
        {
            throw new StoreException($"Could not {what} checkpoint object '{name}' in folder '{Location}': {e.Message}. {Remedy(e)}", e);
        }
    }

    private static bool IsStoreError(Exception e) => StoreErrors.IsStoreError(e);

    private static string Remedy(Exception e) => StoreErrors.Remedy(e);
}
