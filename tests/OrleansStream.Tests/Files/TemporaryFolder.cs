namespace OrleansStream.Tests.FileFormats;

/// <summary>A folder of one test's own, deleted at its end.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("orleansstream-files-").FullName;

    public string In(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text) => Write(name, System.Text.Encoding.UTF8.GetBytes(text));

    public string Write(string name, byte[] bytes)
    {
        var path = In(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>Writes into a file as a process would that knows nothing of our locks.</summary>
    public static void Overwrite(string path, long position, byte[] bytes, long? length = null)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        stream.Position = position;
        stream.Write(bytes);
        if (length is { } size) stream.SetLength(size);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
