using System.Net;

namespace OrleansStream.Http;

/// <summary>How a silo answers over HTTP.</summary>
public sealed class StreamHttpOptions
{
    /// <summary>The address to listen on: the loopback address unless set. Any other needs an API key or JWT.</summary>
    public IPAddress Address { get; set; } = IPAddress.Loopback;

    /// <summary>The port; 8081 unless set.</summary>
    public int Port { get; set; } = 8081;

    /// <summary>Keys that requests may show in the header <c>X-Api-Key</c>. As soon as there is one, or <see cref="Jwt"/>, every request but those for health needs a key or token.</summary>
    public IList<StreamApiKey> ApiKeys { get; } = [];

    /// <summary>Which bearer tokens requests may show; none unless set.</summary>
    public StreamJwtOptions? Jwt { get; set; }

    /// <summary>The most bytes of a request's body; 64 KiB unless set. A larger one is answered with 413.</summary>
    public int MostBodyBytes { get; set; } = 64 * 1024;

    /// <summary>The longest that a question to the cluster is waited for; 5 s unless set. Then the answer is 503.</summary>
    public TimeSpan LongestAnswer { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest that <c>/health/ready</c> waits for the checkpoint store; 2 s unless set.</summary>
    public TimeSpan LongestHealthCheck { get; set; } = TimeSpan.FromSeconds(2);

    internal bool IsProtected => ApiKeys.Count > 0 || Jwt is not null;

    internal static string NeedsProtection(string where) =>
        $"HTTP at {where} would let everybody start and stop jobs: give an API key (environment variable or file) or JWT authority and audience, or listen on the loopback address.";

    internal IEnumerable<string> Problems()
    {
        if (Port is < 0 or > 65_535) yield return $"{nameof(Port)} is {Port}; it must be from 0 (any free one) to 65535";
        if (MostBodyBytes < 1024) yield return $"{nameof(MostBodyBytes)} is {MostBodyBytes}; it must be 1024 at least";
        if (LongestAnswer <= TimeSpan.Zero) yield return $"{nameof(LongestAnswer)} is {LongestAnswer}; it must be above 0";
        if (LongestHealthCheck <= TimeSpan.Zero) yield return $"{nameof(LongestHealthCheck)} is {LongestHealthCheck}; it must be above 0";
        if (ApiKeys.Any(static key => key is null)) yield return $"{nameof(ApiKeys)} has a null: leave a variable out that is not set";
        if (Jwt is { } jwt)
        {
            if (!Uri.TryCreate(jwt.Authority, UriKind.Absolute, out var authority) || authority.Scheme is not ("https" or "http")) yield return $"{nameof(Jwt)}.{nameof(jwt.Authority)} is '{jwt.Authority}'; it must be an address such as https://login.example.com/tenant";
            else if (authority.Scheme == "http" && !authority.IsLoopback) yield return $"{nameof(Jwt)}.{nameof(jwt.Authority)} is '{jwt.Authority}'; it must be https, so that nobody can put keys of his own in between";
            if (string.IsNullOrWhiteSpace(jwt.Audience)) yield return $"{nameof(Jwt)}.{nameof(jwt.Audience)} is empty; name what tokens must be made out to";
        }

        if (!IPAddress.IsLoopback(Address) && !IsProtected) yield return NeedsProtection(Address.ToString()).TrimEnd('.');
    }
}

/// <summary>Which bearer tokens are taken: those of an authority, made out to an audience, with the role or scope <c>orleansstream.read</c> or <c>orleansstream.operate</c>.</summary>
public sealed record StreamJwtOptions
{
    /// <summary>Who signs tokens: the address below which <c>/.well-known/openid-configuration</c> is. Must be https, unless it is on this machine.</summary>
    public required string Authority { get; init; }

    /// <summary>Whom tokens must be made out to (<c>aud</c>).</summary>
    public required string Audience { get; init; }
}
