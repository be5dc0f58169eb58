using OrleansStream.Jobs;
using OrleansStream.Tests.FileFormats;

namespace OrleansStream.Tests.Jobs;

public sealed class FileAccessRulesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public FileAccessRulesTests()
    {
        _folder.Write("root/in/a.jsonl", "1\n");
        _folder.Write("rooted/secret.jsonl", "42\n");
        _folder.Write("secret.jsonl", "42\n");
    }

    public void Dispose() => _folder.Dispose();

    private FileAccessRules Rules => new([_folder.In("root")]);

    [Theory]
    [InlineData("root/in/a.jsonl")]
    [InlineData("root/new/folders/b.jsonl")]
    [InlineData("root/./in//a.jsonl")]
    [InlineData("root/..%2fsecret.jsonl")]
    [InlineData("root/%2e%2e/secret.jsonl")]
    [InlineData("root/..hidden")]
    public void What_is_in_a_folder_may_be_opened_whether_it_is_there_or_not_and_nothing_is_decoded(string path) => Rules.Require(_folder.In(path));

    [Theory]
    [InlineData("secret.jsonl", "leads to none of the folders")]
    [InlineData("rooted/secret.jsonl", "leads to none of the folders")]
    [InlineData("root", "leads to none of the folders")]
    [InlineData("root/../secret.jsonl", "'..' segment")]
    [InlineData("root/in/../in/a.jsonl", "'..' segment")]
    [InlineData("root/in\\..\\..\\secret.jsonl", "'..' segment")]
    [InlineData("root/a\0b", "a character that no path has")]
    public void What_leads_out_is_refused_by_name(string path, string why)
    {
        var refused = Assert.Throws<JobRefusedException>(() => Rules.Require(_folder.In(path)));

        Assert.Contains($"The path '{_folder.In(path)}' is refused", refused.Message, StringComparison.Ordinal);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Links_are_followed_wherever_they_stand()
    {
        var root = _folder.In("root");
        File.CreateSymbolicLink(Path.Combine(root, "file-out"), _folder.In("secret.jsonl"));
        File.CreateSymbolicLink(Path.Combine(root, "file-out-relative"), "../secret.jsonl");
        File.CreateSymbolicLink(Path.Combine(root, "twice"), "file-out");
        File.CreateSymbolicLink(Path.Combine(root, "dangling-out"), _folder.In("not-there-yet"));
        Directory.CreateSymbolicLink(Path.Combine(root, "folder-out"), _folder.Path);
        File.CreateSymbolicLink(Path.Combine(root, "file-in"), "in/a.jsonl");
        Directory.CreateSymbolicLink(Path.Combine(root, "folder-in"), Path.Combine(root, "in"));
        File.CreateSymbolicLink(Path.Combine(root, "round"), "round-again");
        File.CreateSymbolicLink(Path.Combine(root, "round-again"), "round");

        foreach (var inside in (string[])["file-in", "folder-in/a.jsonl", "folder-in/new.jsonl"]) Rules.Require(Path.Combine(root, inside));
        foreach (var outside in (string[])["file-out", "file-out-relative", "twice", "dangling-out", "folder-out/secret.jsonl", "folder-out/new.jsonl"])
            Assert.Contains("leads to none", Assert.Throws<JobRefusedException>(() => Rules.Require(Path.Combine(root, outside))).Message, StringComparison.Ordinal);
        Assert.Contains("circle", Assert.Throws<JobRefusedException>(() => Rules.Require(Path.Combine(root, "round"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_a_link_itself_holds_what_it_leads_to()
    {
        Directory.CreateSymbolicLink(_folder.In("data"), _folder.In("root"));
        var rules = new FileAccessRules([_folder.In("data")]);

        rules.Require(_folder.In("data/in/a.jsonl"));
        rules.Require(_folder.In("root/in/a.jsonl"));
        Assert.Throws<JobRefusedException>(() => rules.Require(_folder.In("secret.jsonl")));
    }

    [Fact]
    public void Without_folders_there_is_no_limit()
    {
        Assert.False(FileAccessRules.Unlimited.IsLimited);
        FileAccessRules.Unlimited.Require(_folder.In("root/../secret.jsonl"));
    }

    [Fact]
    public async Task Sources_and_sinks_of_files_ask_before_each_opening()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var (inside, outside) = (_folder.In("root/in/a.jsonl"), _folder.In("secret.jsonl"));
        foreach (var source in (OrleansStream.Sources.Source<long>[])[Files.JsonLines<long>(outside), Files.Csv(outside, static row => row.Line)])
        {
            ((IOpensFiles)source).Limit(Rules);
            await Assert.ThrowsAsync<JobRefusedException>(async () => await source.DiscoverAsync(cancellation));
            await Assert.ThrowsAsync<JobRefusedException>(async () => await source.OpenAsync(new(outside, "3:0"), default, cancellation));
        }

        var allowed = Files.JsonLines<long>(inside);
        ((IOpensFiles)allowed).Limit(Rules);
        Assert.Single(await allowed.DiscoverAsync(cancellation));

        // The parts of an output stand in a folder of their own, which may be a link as well.
        Directory.CreateSymbolicLink(_folder.In("root/out.jsonl.parts"), _folder.Path);
        foreach (var path in (string[])[outside, _folder.In("root/out.jsonl")])
        {
            var sink = Files.JsonLinesOutput<long>(path);
            ((IOpensFiles)sink).Limit(Rules);
            await Assert.ThrowsAsync<JobRefusedException>(async () => await sink.InitializeAsync(cancellation));
            await Assert.ThrowsAsync<JobRefusedException>(async () => await sink.OpenAsync(new(new Attempt(1), default, 0, 1), cancellation));
        }
    }
}
