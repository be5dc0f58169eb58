using OrleansStream.Tests.Repository;

namespace OrleansStream.Tests.Formats;

/// <summary>The folder of recorded files, which are committed, and what is in it.</summary>
internal static class Recordings
{
    /// <summary>Set to 1 to record what is not recorded yet. A file that is there is never written again.</summary>
    public const string Switch = "RECORD_FORMATS";

    /// <summary>From the root of the repository.</summary>
    public const string Folder = "tests/OrleansStream.Tests/Formats/Recorded";

    /// <summary>All formats that were ever written.</summary>
    public static IReadOnlyList<RecordedFormat> All { get; } =
    [
        .. LogFormats.All, .. StateFormats.All, .. TimesFormats.All, .. KeyFormats.All, .. NameFormats.All, .. BlobFormats.All, .. FileSinkFormats.All, .. FingerprintFormats.All,
    ];

    public static RecordedFormat Of(string file) => All.Single(format => format.File == file);

    /// <summary>The bytes of a recorded file.</summary>
    public static byte[] Bytes(string file) => File.ReadAllBytes(PathOf(file));

    public static bool IsRecorded(string file) => File.Exists(PathOf(file));

    /// <summary>Records a file that is not there.</summary>
    public static void Record(string file, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(file))!);
        using var stream = new FileStream(PathOf(file), FileMode.CreateNew, FileAccess.Write);
        stream.Write(bytes);
    }

    private static string PathOf(string file) => Path.Combine(Tree.Root, Folder, file);
}
