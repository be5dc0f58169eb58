using OrleansStream.Jobs;
using OrleansStream.Sources;
using OrleansStream.Tests.Sources;

namespace OrleansStream.Tests.FileFormats;

public sealed class SplitFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_split_is_named_by_the_path_as_given_and_its_fingerprint_changes_with_the_content_only()
    {
        var path = _folder.Write("a.csv", "a\n1\n");
        var source = Files.Csv([path, _folder.Write("b.csv", "a\n1\n")], row => row.Line);
        var first = await source.DiscoverAsync(Cancellation);
        File.SetLastWriteTimeUtc(path, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var touched = await source.DiscoverAsync(Cancellation);
        File.WriteAllText(path, "a\n2\n");
        var changed = await source.DiscoverAsync(Cancellation);

        Assert.Equal([path, _folder.In("b.csv")], first.Select(s => s.Name));
        Assert.Equal(first, touched);
        Assert.Equal(first[0].Fingerprint, first[1].Fingerprint);
        Assert.NotEqual(first[0].Fingerprint, changed[0].Fingerprint);
        Assert.Equal(first[1], changed[1]);
    }

    [Fact]
    public async Task A_missing_file_is_refused_by_name()
    {
        var error = await Assert.ThrowsAsync<JobRefusedException>(async () => await Files.JsonLines<int>(_folder.In("none.jsonl")).DiscoverAsync(Cancellation));

        Assert.Contains($"'{_folder.In("none.jsonl")}' does not exist", error.Message);
    }

    [Fact]
    public async Task A_folder_is_refused()
    {
        var error = await Assert.ThrowsAsync<JobRefusedException>(async () => await Files.Csv(_folder.Path, row => row.Line).DiscoverAsync(Cancellation));

        Assert.Contains("is a folder", error.Message);
    }

    [Fact]
    public async Task A_file_without_permission_to_read_is_refused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.UserName == "root", "Permissions are those of Unix and do not hold for root.");
        var path = _folder.Write("secret.csv", "a\n1\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.None);

        var error = await Assert.ThrowsAsync<JobRefusedException>(async () => await Files.Csv(path, row => row.Line).DiscoverAsync(Cancellation));

        Assert.Contains("cannot be read", error.Message);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFE, 0x61, 0x00 }, "UTF-16")]
    [InlineData(new byte[] { 0x1F, 0x8B, 0x08, 0x00 }, "gzip")]
    public async Task A_file_in_another_encoding_is_refused(byte[] start, string named)
    {
        var error = await Assert.ThrowsAsync<JobRefusedException>(async () => await Files.JsonLines<int>(_folder.Write("x", start)).DiscoverAsync(Cancellation));

        Assert.Contains(named, error.Message);
    }

    [Fact]
    public void A_source_without_files_or_with_one_twice_is_refused_when_the_graph_is_built()
    {
        Assert.Contains("no files", Assert.Throws<JobRefusedException>(() => Files.JsonLines<int>()).Message);
        Assert.Contains("twice", Assert.Throws<JobRefusedException>(() => Files.JsonLines<int>("a", "b", "./a")).Message);
        Assert.Contains("is empty", Assert.Throws<JobRefusedException>(() => Files.JsonLines<int>("a", " ")).Message);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("extended")]
    [InlineData("rewritten")]
    [InlineData("rewritten before the offset")]
    public async Task A_file_that_changes_while_it_is_read_ends_the_job_before_its_split_counts_as_read(string how)
    {
        // Several blocks, so that the change comes in while some of them are not read yet.
        var path = _folder.Write("a.jsonl", string.Concat(Enumerable.Repeat("1234567\n", 200_000)));
        var source = Files.JsonLines<int>(path);
        var split = Assert.Single(await source.DiscoverAsync(Cancellation));
        var begun = await Reading.SplitAsync(source, split, [], limit: 1000, reads: 1);
        await using var reader = await source.OpenAsync(split, how == "rewritten before the offset" ? default : begun.Offset, Cancellation);
        if (how != "rewritten before the offset") reader.Read(new SourceOutput<int>(10));

        switch (how)
        {
            case "cut": TemporaryFolder.Overwrite(path, 0, [], length: 800_000); break;
            case "extended": TemporaryFolder.Overwrite(path, 1_600_000, "1\n"u8.ToArray()); break;
            case "rewritten": TemporaryFolder.Overwrite(path, 1_500_000, "7"u8.ToArray()); break;
            default: TemporaryFolder.Overwrite(path, 0, "7"u8.ToArray()); break;
        }

        var output = new SourceOutput<int>(300_000);
        var error = Assert.ThrowsAny<StreamException>(() =>
        {
            while (reader.Read(output) != ReadStatus.Ended) output.Begin(300_000);
        });
        Assert.Contains("has changed since the job began to read it", error.Message);
    }

    [Fact]
    public async Task A_prefix_that_changed_before_the_reopening_is_noticed_too()
    {
        var path = _folder.Write("a.csv", "a\n" + string.Concat(Enumerable.Repeat("12345\n", 1000)));
        var source = Files.Csv(path, row => row.GetInt64("a"));
        var split = Assert.Single(await source.DiscoverAsync(Cancellation));
        var begun = await Reading.SplitAsync(source, split, [], limit: 500, reads: 1);
        TemporaryFolder.Overwrite(path, 10, "7"u8.ToArray());

        var error = await Assert.ThrowsAsync<StreamException>(() => Reading.SplitAsync(source, split, begun.Offset));

        Assert.Contains("its content is another", error.Message);
    }

    [Fact]
    public async Task An_offset_of_another_kind_of_source_or_beyond_the_file_is_refused()
    {
        var source = Files.JsonLines<int>(_folder.Write("a.jsonl", "1\n"));
        var split = Assert.Single(await source.DiscoverAsync(Cancellation));

        foreach (var offset in new[] { [1, 2, 3], new FileOffset(3, 1).Encode(), new FileOffset(-1, 1).Encode(), new FileOffset(0, 0).Encode() })
            await Assert.ThrowsAsync<StreamException>(() => Reading.SplitAsync(source, split, offset));
    }
}
