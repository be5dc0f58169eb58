using System.Globalization;
using System.IO.Hashing;

namespace OrleansStream.Checkpoints;

/// <summary>
/// Segments that a silo keeps on a disk of its own, beside the checkpoint store, so that it need not fetch them. Nothing here has to last: a file counts only if it is, to the last bit, what
/// the manifest names, and the oldest go when there are too many.
/// </summary>
internal sealed class SnapshotFolder
{
    private const string Temporary = "tmp";
    private const int PieceBytes = 1 << 20;

    private readonly string _folder;
    private readonly long _mostBytes;
    private readonly Lock _trimming = new();
    private long _addedBytes;
    private int _written;

    /// <summary>Opens the folder; makes it when it is not there.</summary>
    /// <param name="folder">The folder: of one silo only.</param>
    /// <param name="mostBytes">About how much may be kept.</param>
    /// <exception cref="StoreException">The folder cannot be used.</exception>
    public SnapshotFolder(string folder, long mostBytes)
    {
        _folder = Path.GetFullPath(folder);
        _mostBytes = mostBytes;
        var temporary = Path.Combine(_folder, Temporary);
        try
        {
            OwnFiles.MakeFolder(temporary);
            foreach (var leftover in Directory.EnumerateFiles(temporary)) File.Delete(leftover);
            Trim();
        }
        catch (Exception e) when (StoreErrors.IsStoreError(e))
        {
            throw new StoreException($"The folder '{_folder}' for local snapshots cannot be used: {e.Message.TrimEnd('.')}. {StoreErrors.Remedy(e)}", e);
        }
    }

    public string Location => _folder;

    /// <summary>Begins a file that is not there before <see cref="LocalSnapshot.Keep"/>.</summary>
    public LocalSnapshot Begin(string name) =>
        new(this, PathOf(name), Path.Combine(_folder, Temporary, Interlocked.Increment(ref _written).ToString(CultureInfo.InvariantCulture)));

    /// <summary>The length of a file; null when there is none.</summary>
    public long? LengthOf(string name) => new FileInfo(PathOf(name)) is { Exists: true, Length: var length } ? length : null;

    /// <summary>Reads a part of a file; null when there is none.</summary>
    public byte[]? Read(string name, long offset, int length)
    {
        try
        {
            return OwnFiles.Read(PathOf(name), offset, length);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Whether the very segment that a manifest names is there; what is there by its name and is another goes.</summary>
    public bool Has(SegmentRef segment)
    {
        var path = PathOf(segment.Name);
        try
        {
            using (var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete))
            {
                var hash = new XxHash128();
                var piece = new byte[PieceBytes];
                long at = 0;
                for (int count; (count = RandomAccess.Read(file, piece, at)) > 0; at += count) hash.Append(piece.AsSpan(0, count));
                if (at == segment.LengthBytes && Convert.ToHexStringLower(hash.GetCurrentHash()) == segment.Checksum) return true;
            }

            File.Delete(path);
            return false;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    internal void Added(long bytes)
    {
        if (Interlocked.Add(ref _addedBytes, bytes) > _mostBytes / 8) Trim();
    }

    /// <summary>Deletes the oldest until the rest are an eighth below the most there may be.</summary>
    private void Trim()
    {
        lock (_trimming)
        {
            Interlocked.Exchange(ref _addedBytes, 0);
            var files = new DirectoryInfo(_folder).EnumerateFiles("*", SearchOption.AllDirectories).Where(file => file.Directory!.Name != Temporary).OrderBy(static file => file.LastWriteTimeUtc).ToList();
            var over = files.Sum(static file => file.Length) - (_mostBytes - (_mostBytes / 8));
            foreach (var file in files)
            {
                if (over <= 0) return;
                over -= file.Length;
                file.Delete();
            }
        }
    }

    private string PathOf(string name)
    {
        StoreNames.Require(name);
        return Path.Combine(_folder, name.Replace('/', Path.DirectorySeparatorChar));
    }
}

/// <summary>A segment on its way into a <see cref="SnapshotFolder"/>.</summary>
internal sealed class LocalSnapshot(SnapshotFolder folder, string path, string temporary) : IDisposable
{
    private TemporaryFile? _file;
    private long _length;

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        _file ??= new TemporaryFile(temporary);
        _file.Write(offset, bytes);
        _length = Math.Max(_length, offset + bytes.Length);
    }

    /// <summary>Gives the file its name, over what may be there.</summary>
    public void Keep()
    {
        if (_file is not { } file) return;
        OwnFiles.MakeFolder(Path.GetDirectoryName(path)!);
        file.MoveTo(path);
        folder.Added(_length);
    }

    public void Dispose() => _file?.Dispose();
}
