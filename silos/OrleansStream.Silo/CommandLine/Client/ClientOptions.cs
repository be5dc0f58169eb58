using System.CommandLine;
using System.CommandLine.Parsing;

namespace OrleansStream.Silo.CommandLine.Client;

/// <summary>The options that the commands share which ask a running silo.</summary>
internal sealed class ClientOptions
{
    public const string DefaultUrl = "http://localhost:8081";

    public Option<Uri?> Url { get; } = UrlOf($"The address of any silo of the cluster; {DefaultUrl} unless given. An API key is taken from the environment variable {ClusterClient.KeyVariable}.");

    public Option<bool> Json { get; } = new("--json") { Description = "As JSON, for programs." };

    public static Option<Uri?> UrlOf(string description) => new("--url")
    {
        Description = description,
        HelpName = "URL",
        CustomParser = static result => Parse(result),
    };

    public static Argument<string> Job() => new("JOB") { Description = "The job's name." };

    public Uri UrlIn(ParseResult parsed) => parsed.GetValue(Url) ?? new Uri(DefaultUrl);

    private static Uri? Parse(ArgumentResult result)
    {
        var text = result.Tokens[^1].Value;
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.UserInfo.Length == 0 && url.Query.Length == 0 && url.Fragment.Length == 0) return url;
        result.AddError($"'{text}' is no address of a silo: write for example {DefaultUrl}.");
        return null;
    }
}
