using OrleansStream.Http;
using OrleansStream.Jobs;
using OrleansStream.Tests.FileFormats;

namespace OrleansStream.Tests.Http;

public sealed class StreamApiKeyTests : IDisposable
{
    private const string Secret = "s3cret-0123456789";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_key_allows_what_its_role_says_and_no_other_text_allows_anything()
    {
        StreamApiKey[] keys = [StreamApiKey.FromFile(_folder.Write("operate", $"{Secret}\n")), StreamApiKey.FromFile(_folder.Write("read", "read-only-0123456789"), StreamRole.Read)];

        Assert.Equal(StreamRole.Operate, StreamApiKey.RoleOf(Secret, keys));
        Assert.Equal(StreamRole.Read, StreamApiKey.RoleOf("read-only-0123456789", keys));
        foreach (var wrong in (string[])["", Secret[..^1], Secret + "0", Secret.ToUpperInvariant(), $"{Secret}\n"]) Assert.Null(StreamApiKey.RoleOf(wrong, keys));
    }

    [Theory]
    [InlineData("too-short", "9 characters")]
    [InlineData("", "0 characters")]
    [InlineData("two words are no key", "blanks or characters")]
    [InlineData("0123456789\n0123456789", "blanks or characters")]
    [InlineData("0123456789äöü0123456789", "blanks or characters")]
    public void What_is_no_key_is_refused_without_telling_it(string text, string why)
    {
        var refused = Assert.Throws<StreamException>(() => StreamApiKey.FromFile(_folder.Write("key", text)));

        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        if (text.Length > 0) Assert.DoesNotContain(text, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_never_shows_itself_and_a_file_that_is_missing_is_named()
    {
        var key = StreamApiKey.FromFile(_folder.Write("key", Secret));

        Assert.DoesNotContain(Secret, key.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, System.Text.Json.JsonSerializer.Serialize(key), StringComparison.Ordinal);
        Assert.Contains("none", Assert.Throws<StreamException>(() => StreamApiKey.FromFile(_folder.In("none"))).Message, StringComparison.Ordinal);
        Assert.Null(StreamApiKey.FromEnvironment("ORLEANSSTREAM_NO_SUCH_KEY"));
    }

    [Fact]
    public void Every_problem_of_the_options_is_told()
    {
        var options = new StreamHttpOptions { Port = 70_000, MostBodyBytes = 1, Jwt = new StreamJwtOptions { Authority = "http://login.example.com", Audience = " " } };

        Assert.Equal(
            ["Port", "MostBodyBytes", "Jwt.Authority", "Jwt.Audience"], options.Problems().Select(static problem => problem.Split(' ')[0]));
    }
}
