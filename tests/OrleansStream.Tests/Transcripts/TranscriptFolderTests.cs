using OrleansStream.Testing;
using OrleansStream.Tests.Repository;

namespace OrleansStream.Tests.Transcripts;

/// <summary>Runs every transcript below this folder: as it stands, and saved and restored after every line at parallelism 1, 2 and 3.</summary>
public sealed class TranscriptFolderTests
{
    private static readonly string Folder = Path.Combine(Tree.Root, "tests", "OrleansStream.Tests", "Transcripts");

    public static TheoryData<string> Files => [.. Transcript.ReadFolder(Folder).Select(static transcript => Path.GetRelativePath(Folder, transcript.Path))];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_transcript_holds_in_every_way(string file)
    {
        var transcript = Transcript.Read(Path.Combine(Folder, file));

        Assert.True(TranscriptJobs.All.TryGetValue(transcript.Job, out var job), $"{file} is for a job '{transcript.Job}', which {nameof(TranscriptJobs)} does not have.");
        Assert.False(string.IsNullOrEmpty(transcript.About), $"{file} does not say what it shows.");
        await transcript.RunEveryWayAsync(job);
    }

    [Fact]
    public void Every_job_has_a_transcript() =>
        Assert.Equal(TranscriptJobs.All.Keys.Order(StringComparer.Ordinal), Transcript.ReadFolder(Folder).Select(static transcript => transcript.Job).Distinct().Order(StringComparer.Ordinal));
}
