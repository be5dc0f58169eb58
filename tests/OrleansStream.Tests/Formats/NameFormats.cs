using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Tests.FileFormats;

namespace OrleansStream.Tests.Formats;

/// <summary>The names of objects, and where a local folder keeps them.</summary>
internal static class NameFormats
{
    private const string Job = "payments-2";

    private static readonly CheckpointId Checkpoint = new(new Attempt(12), 345);

    private static string[] Names =>
    [
        ObjectNames.LogEntry(Job, Attempt.First, 0),
        ObjectNames.LogEntry(Job, new Attempt(12), 345),
        ObjectNames.LogEntry(Job, new Attempt(int.MaxValue), long.MaxValue),
        ObjectNames.Manifest(Job, Checkpoint),
        ObjectNames.Segment(Job, Checkpoint, "score", 7, new Incarnation(0xbeef)),
        ObjectNames.Segment(Job, Checkpoint, "to-2", 0, new Incarnation(-1)),
    ];

    public static IEnumerable<RecordedFormat> All =>
    [
        new("v1/names/objects.txt", "the names of objects in a store", () => RecordedFormat.Lines([ObjectNames.Attempts(Job), ObjectNames.Of(Job, new Attempt(12)), .. Names]), ReadNames),
        new("v1/names/local-folder.txt", "the layout of a local checkpoint folder", WriteFolderAsync, ReadFolderAsync),
    ];

    private static void ReadNames(byte[] bytes)
    {
        var names = RecordedFormat.Lines(bytes);
        Assert.All(names[2..], static name => Assert.StartsWith("jobs/payments-2/attempts/", name, StringComparison.Ordinal));
        Assert.Equal(
            [(Attempt.First, 0L), (new Attempt(12), 345L), (new Attempt(int.MaxValue), long.MaxValue), null, null, null],
            names[2..].Select(static name => ObjectNames.LogEntryOf(Job, name)));
        Assert.Equal([1, 12, int.MaxValue, 12, 12, 12], names[2..].Select(static name => ObjectNames.AttemptOf(Job, name)!.Value.Number));
        Assert.Equal([false, false, false, true, true, true], names[2..].Select(static name => ObjectNames.BelongsToCheckpoint(Job, name)));
    }

    private static async Task<byte[]> WriteFolderAsync()
    {
        using var folder = new TemporaryFolder();
        var store = new LocalFolderStore(folder.Path);
        foreach (var name in Names) Assert.True(await store.TryCreateAsync(name, "x"u8.ToArray(), TestContext.Current.CancellationToken));
        var entries = new DirectoryInfo(folder.Path).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
            .Select(entry => Path.GetRelativePath(folder.Path, entry.FullName).Replace('\\', '/') + (entry is DirectoryInfo ? "/" : ""));
        return RecordedFormat.Lines(entries.Order(StringComparer.Ordinal));
    }

    private static async Task ReadFolderAsync(byte[] bytes)
    {
        using var folder = new TemporaryFolder();
        foreach (var line in RecordedFormat.Lines(bytes))
        {
            if (line.EndsWith('/')) Directory.CreateDirectory(folder.In(line));
            else folder.Write(line, line);
        }

        var store = new LocalFolderStore(folder.Path);
        var listed = new List<string>();
        await foreach (var name in store.ListAsync(ObjectNames.Attempts(Job), TestContext.Current.CancellationToken)) listed.Add(name);
        Assert.Equal(Names.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
        foreach (var name in Names)
        {
            var content = await store.ReadAsync(name, TestContext.Current.CancellationToken);
            Assert.Equal(name, System.Text.Encoding.UTF8.GetString(content!.Value.Span));
        }
    }
}
