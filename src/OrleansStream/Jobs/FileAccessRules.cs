namespace OrleansStream.Jobs;

/// <summary>
/// Which files the jobs of a silo may open: those in the folders of <see cref="Hosting.FileAccessOptions.Roots"/>, symbolic links followed; any file where no folder is named. The sources and sinks of
/// <c>OrleansStream.Files</c> ask before each opening, on the silo that opens. A connector of your own takes the rules as an <see cref="IOpensFiles"/>, or from the silo's services.
/// </summary>
/// <remarks>
/// A path is looked at as it is written: nothing in it is decoded, and one with a <c>..</c> segment is refused wherever it leads. What is guarded against is a path chosen by somebody who may start jobs;
/// somebody who can make links in the folders himself, between the look and the opening, is not kept out.
/// </remarks>
public sealed class FileAccessRules
{
    /// <summary>Links followed for one path; as many as Linux follows.</summary>
    private const int MostLinks = 40;

    private static readonly StringComparison NamesOfFiles = OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    private readonly string[] _roots;

    /// <summary>Makes the rules.</summary>
    /// <param name="roots">The folders; relative ones are of the working folder. None for no limit.</param>
    public FileAccessRules(IEnumerable<string> roots)
    {
        ArgumentNullException.ThrowIfNull(roots);
        _roots = [.. roots.Select(Path.GetFullPath)];
    }

    /// <summary>Every file may be opened.</summary>
    public static FileAccessRules Unlimited { get; } = new([]);

    /// <summary>Whether there are folders that jobs may not leave.</summary>
    public bool IsLimited => _roots.Length > 0;

    /// <summary>Refuses a path that leads out of the folders. A relative path is of the working folder.</summary>
    /// <param name="path">A file or folder; it need not be there yet.</param>
    /// <exception cref="JobRefusedException">It leads elsewhere, or cannot be told where it leads.</exception>
    public void Require(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!IsLimited) return;
        if (path.Contains('\0', StringComparison.Ordinal)) throw Refused(path, "it holds a character that no path has");
        if (path.Split('/', '\\').Contains("..")) throw Refused(path, "it has a '..' segment; write where it leads to");
        if (OperatingSystem.IsWindows() && (path.StartsWith(@"\\", StringComparison.Ordinal) || path.LastIndexOf(':') > 1)) throw Refused(path, "it names a device, a share or a stream");
        var real = Follow(path, Path.GetFullPath(path));
        if (_roots.Any(root => IsWithin(real, Follow(path, root)))) return;
        throw Refused(path, "it leads to none of the folders that jobs of this silo may use");
    }

    private static bool IsWithin(string path, string folder)
    {
        var start = Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar;
        return path.StartsWith(start, NamesOfFiles);
    }

    /// <summary>Where a full path leads when every link in it is followed; what is not there is taken as written.</summary>
    private static string Follow(string asked, string full)
    {
        var links = 0;
        var real = Path.GetPathRoot(full)!;
        var ahead = new Stack<string>(Segments(full, real).Reverse());
        while (ahead.TryPop(out var segment))
        {
            if (segment == "..")
            {
                real = Path.GetDirectoryName(real) ?? real;
                continue;
            }

            var next = Path.Combine(real, segment);
            if (LinkOf(asked, next) is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > MostLinks) throw Refused(asked, "its symbolic links lead round in a circle");
            var root = Path.GetPathRoot(target) ?? "";
            if (root.Length > 0) real = root;
            foreach (var of in Segments(target, root).Reverse()) ahead.Push(of);
        }

        return real;
    }

    private static IEnumerable<string> Segments(string path, string root) =>
        path[root.Length..].Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries).Where(static segment => segment != ".");

    private static string? LinkOf(string asked, string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Refused(asked, $"where it leads cannot be told: {error.Message}");
        }
    }

    private static JobRefusedException Refused(string path, string why) => new($"The path '{path}' is refused: {why}.");
}

/// <summary>A source or sink that opens files. It is given the silo's rules when it is put into a graph, and asks them before each opening.</summary>
public interface IOpensFiles
{
    /// <summary>Takes the rules, before anything is opened. Called once for each graph that it is put into, with the same rules.</summary>
    void Limit(FileAccessRules rules);
}
