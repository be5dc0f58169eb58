namespace OrleansStream.Tests.Formats;

/// <summary>
/// One recorded file: what a version of the engine left on disk, and what reads it. A file is never changed once it is committed. When a format changes, the new one gets a
/// folder of its own (<c>v2/…</c>) and <see cref="Write"/> moves to it; the old entry stays, with its <see cref="Read"/> alone, because jobs have such files.
/// </summary>
/// <param name="File">The path below <c>Formats/Recorded</c>; its first part is the format's version.</param>
/// <param name="What">What it is, for the message when it has changed.</param>
/// <param name="Write">Makes the file's bytes today; null for a version that is only read any more.</param>
/// <param name="Read">Reads the recorded bytes as a restart would, and asserts what they say.</param>
internal sealed record RecordedFormat(string File, string What, Func<Task<byte[]>>? Write, Func<byte[], Task> Read)
{
    public RecordedFormat(string file, string what, Func<byte[]> write, Action<byte[]> read)
        : this(file, what, () => Task.FromResult(write()), bytes =>
        {
            read(bytes);
            return Task.CompletedTask;
        })
    {
    }

    /// <summary>A text of lines.</summary>
    public static byte[] Lines(IEnumerable<string> lines) => System.Text.Encoding.UTF8.GetBytes(string.Concat(lines.Select(static line => line + "\n")));

    /// <summary>The lines of a text.</summary>
    public static string[] Lines(byte[] text) => System.Text.Encoding.UTF8.GetString(text).TrimEnd('\n').Split('\n');
}
