using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Tests.FileFormats;

namespace OrleansStream.Tests.Formats;

/// <summary>What the file sink keeps on disk beside its output, and the handles in manifests that name it: a restart commits and finishes from them.</summary>
internal static class FileSinkFormats
{
    private const string Part = "v1/file-sink/part.jsonl";
    private const string Folder = "v1/file-sink/folder.txt";

    private static readonly SinkContext Context = new(new Attempt(3), new Incarnation(-0x123456789), 7, 8);
    private static readonly CheckpointId Checkpoint = new(new Attempt(3), 42);
    private static readonly CommitPermit Permit = new(Checkpoint);
    private static readonly RecordedProfile[] Rows =
    [
        new("größe <\"é\"> 😀\n", -7, RecordedColour.Red, 12.340m, new DateTime(2013, 12, 2, 21, 0, 0, DateTimeKind.Utc), new Guid("00112233-4455-6677-8899-aabbccddeeff"), new("parent", 1), [1, 2]),
        new(null, 0),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static IEnumerable<RecordedFormat> All =>
    [
        new(Folder, "the parts folder of file sinks, its names or handles", async () => (await RunAsync()).Names, ReadFolderAsync),
        new(Part, "the parts of file sinks", async () => (await RunAsync()).Part, ReadPartAsync),
        new("v1/file-sink/finished.txt", "the marker of a finished output file", async () => (await RunAsync()).Marker, ReadMarker),
    ];

    /// <summary>Writes, stages, commits and finishes one part, and notes what stands in the folder in between.</summary>
    private static async Task<(byte[] Names, byte[] Part, byte[] Marker)> RunAsync()
    {
        using var folder = new TemporaryFolder();
        var path = folder.In("out.jsonl");
        var sink = Files.JsonLinesOutput<RecordedProfile>(path);
        await sink.InitializeAsync(Cancellation);
        var lines = new List<string>();
        void Note(string phase) => lines.AddRange(
            Directory.EnumerateFileSystemEntries(folder.Path, "*", SearchOption.AllDirectories).Where(File.Exists).Order(StringComparer.Ordinal)
                .Select(file => $"{phase}: {Path.GetRelativePath(folder.Path, file).Replace('\\', '/')}"));

        string handle;
        await using (var writer = await sink.OpenAsync(Context, Cancellation))
        {
            writer.Write([new RecordedProfile(new string('x', 200_000), 0)], [0]);
            Note("writing");
        }

        await using (var writer = await sink.OpenAsync(Context, Cancellation))
        {
            writer.Write(Rows, [0, 0]);
            handle = (await writer.PrepareAsync(Checkpoint, Cancellation))!;
            Note("staged");
        }

        lines.Add($"handle: {handle}");
        await sink.CommitAsync([new PendingOutput(Context.Subtask, Checkpoint, handle)], Permit, Cancellation);
        Note("committed");
        var part = File.ReadAllBytes(Directory.EnumerateFiles(path + ".parts", "*.jsonl").Single());
        await sink.FinishAsync(1, Permit, Cancellation);
        Note("finished");
        return (RecordedFormat.Lines(lines), part, File.ReadAllBytes(Path.Combine(path + ".parts", "finished")));
    }

    /// <summary>Puts the recorded part under its recorded names and goes on from there.</summary>
    private static async Task ReadFolderAsync(byte[] recorded)
    {
        foreach (var phase in (string[])["staged", "committed"])
        {
            using var folder = new TemporaryFolder();
            await FinishAsync(folder, phase, RecordedFormat.Lines(recorded), Recordings.Bytes(Part));
            Assert.Equal(
                Of("finished", RecordedFormat.Lines(recorded)),
                Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder.Path, file).Replace('\\', '/')).Order(StringComparer.Ordinal));
        }
    }

    private static async Task ReadPartAsync(byte[] recorded)
    {
        using var folder = new TemporaryFolder();
        await FinishAsync(folder, "committed", RecordedFormat.Lines(Recordings.Bytes(Folder)), recorded);
        var read = await Tests.Sources.Reading.AllAsync(Files.JsonLines<RecordedProfile>(folder.In("out.jsonl")));
        Assert.Equal(Rows.Select(static row => $"{row}"), read.Records);
    }

    private static async Task FinishAsync(TemporaryFolder folder, string phase, string[] names, byte[] part)
    {
        folder.Write(Assert.Single(Of(phase, names)), part);
        var sink = Files.JsonLinesOutput<RecordedProfile>(folder.In("out.jsonl"));
        await sink.CommitAsync([new PendingOutput(Context.Subtask, Checkpoint, Assert.Single(Of("handle", names)))], Permit, Cancellation);
        await sink.FinishAsync(1, Permit, Cancellation);
        Assert.Equal(part, File.ReadAllBytes(folder.In("out.jsonl")));
    }

    private static Task ReadMarker(byte[] recorded)
    {
        using var folder = new TemporaryFolder();
        folder.Write("out.jsonl.parts/finished", recorded);
        var part = Recordings.Bytes(Part);
        var marker = FinishedMarker.Read(new PartsFolder(folder.In("out.jsonl")));
        Assert.Equal(new FinishedMarker(Checkpoint, 1, part.Length, System.IO.Hashing.XxHash128.HashToUInt128(part)), marker);
        return Task.CompletedTask;
    }

    private static IEnumerable<string> Of(string phase, string[] names) =>
        names.Where(name => name.StartsWith($"{phase}: ", StringComparison.Ordinal)).Select(name => name[(phase.Length + 2)..]);
}
