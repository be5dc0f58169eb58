using System.Globalization;
using System.IO.Hashing;
using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream;

/// <summary>
/// Finds the splits of a source of files: one for each file, named by its path as given, with its length and a hash of its whole content as fingerprint.
/// So another attempt finds the same split by name, and a changed file is noticed.
/// </summary>
internal static class FileSplits
{
    public const int BlockBytes = 256 * 1024;

    /// <summary>Checks the paths when the graph is built.</summary>
    public static string[] Check(IEnumerable<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var list = paths.ToArray();
        if (list.Length == 0) throw new JobRefusedException("The source has no files: give at least one path.");
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in list)
        {
            if (string.IsNullOrWhiteSpace(path)) throw new JobRefusedException("A path of the source is empty: give the path of a file.");
            if (!seen.TryAdd(Path.GetFullPath(path), path))
                throw new JobRefusedException($"The source is given the file '{path}' twice (as '{seen[Path.GetFullPath(path)]}' before): give each file once.");
        }

        return list;
    }

    public static async Task<IReadOnlyList<SourceSplit>> DiscoverAsync(string[] paths, FileAccessRules rules, CancellationToken cancellation)
    {
        var splits = new SourceSplit[paths.Length];
        for (var i = 0; i < paths.Length; i++)
        {
            var path = paths[i];
            splits[i] = await Task.Run(() => Discover(path, rules, cancellation), cancellation);
        }

        return splits;
    }

    private static SourceSplit Discover(string path, FileAccessRules rules, CancellationToken cancellation)
    {
        using var handle = OpenToRead(path, rules);
        var block = new byte[BlockBytes];
        var hash = new XxHash128();
        long length = 0;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var read = RandomAccess.Read(handle, block, length);
            if (read == 0) break;
            if (length == 0) RefuseOtherEncodings(path, block.AsSpan(0, read));
            hash.Append(block.AsSpan(0, read));
            length += read;
        }

        return new SourceSplit(path, Fingerprint(length, hash.GetCurrentHashAsUInt128()));
    }

    public static Microsoft.Win32.SafeHandles.SafeFileHandle OpenToRead(string path, FileAccessRules rules)
    {
        rules.Require(path);
        if (Directory.Exists(path)) throw new JobRefusedException($"The input '{path}' is a folder: give the files in it one by one.");
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new JobRefusedException($"The input file '{path}' does not exist (looked for at '{Path.GetFullPath(path)}').", e);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new JobRefusedException($"The input file '{path}' cannot be read: {e.Message}", e);
        }
    }

    public static string Fingerprint(long length, UInt128 hash) => string.Create(CultureInfo.InvariantCulture, $"{length}:{hash:x32}");

    /// <summary>The length that a fingerprint holds.</summary>
    public static long Length(SourceSplit split)
    {
        var colon = split.Fingerprint.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && long.TryParse(split.Fingerprint.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? length
            : throw new StreamException($"The fingerprint '{split.Fingerprint}' of split '{split.Name}' is not one of a file.");
    }

    /// <summary>How many bytes a UTF-8 byte order mark takes at the beginning of a file.</summary>
    public static int ByteOrderMark(ReadOnlySpan<byte> start) => start.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? 3 : 0;

    private static void RefuseOtherEncodings(string path, ReadOnlySpan<byte> start)
    {
        if (start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || start.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]))
            throw new JobRefusedException($"The input file '{path}' is UTF-16 or UTF-32 text: convert it to UTF-8.");
        if (start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B])) throw new JobRefusedException($"The input file '{path}' is compressed with gzip: unpack it first.");
    }
}
