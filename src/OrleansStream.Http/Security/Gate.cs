using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace OrleansStream.Http;

/// <summary>
/// Decides who may do what. Without key and token: only requests that come from this machine and name it as <c>localhost</c> or by a loopback address, so that no page from elsewhere can read it by a
/// name of its own, and none that somebody has forwarded. Whatever changes something comes as JSON and from no page of another origin.
/// </summary>
internal sealed class Gate(StreamHttpOptions options)
{
    /// <summary>The name of the authentication scheme of tokens.</summary>
    public const string JwtScheme = "OrleansStream";

    public const string KeyHeader = "X-Api-Key";
    public const string ReadScope = "orleansstream.read";
    public const string OperateScope = "orleansstream.operate";

    private static readonly string[] ScopeClaims = ["scope", "scp", "roles", "role", ClaimTypes.Role];
    private static readonly string[] ForwardingHeaders = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host"];

    /// <summary>Why a request is refused; null when it is not.</summary>
    public async ValueTask<IResult?> RefusalAsync(HttpContext http, StreamRole needed)
    {
        if (!options.IsProtected)
        {
            if (!IsLocal(http)) return Problem.Of(StatusCodes.Status403Forbidden, "Not from here", "Without an API key or JWT this silo answers only this machine, as localhost.");
        }
        else
        {
            if (await RoleAsync(http) is not { } role)
            {
                http.Response.Headers.WWWAuthenticate = options.Jwt is null ? "ApiKey" : options.ApiKeys.Count == 0 ? "Bearer" : new StringValues(["ApiKey", "Bearer"]);
                return Problem.Of(StatusCodes.Status401Unauthorized, "Who are you", $"This silo wants {Wanted()}.");
            }

            if (role < needed) return Problem.Of(StatusCodes.Status403Forbidden, "Not allowed", "This key or token may only read; what changes something needs one that may operate.");
        }

        return needed == StreamRole.Operate ? ForgedBy(http.Request) : null;
    }

    private string Wanted() => (options.ApiKeys.Count > 0, options.Jwt is not null) switch
    {
        (true, true) => $"an API key in the header {KeyHeader}, or a bearer token with the scope {ReadScope} or {OperateScope}",
        (true, false) => $"an API key in the header {KeyHeader}",
        _ => $"a bearer token with the scope {ReadScope} or {OperateScope}",
    };

    private async ValueTask<StreamRole?> RoleAsync(HttpContext http)
    {
        if (http.Request.Headers.TryGetValue(KeyHeader, out var shown)) return shown is [{ Length: > 0 } key] ? StreamApiKey.RoleOf(key, [.. options.ApiKeys]) : null;
        if (options.Jwt is null || http.Request.Headers.Authorization.Count == 0) return null;
        var token = await http.AuthenticateAsync(JwtScheme);
        if (!token.Succeeded) return null;
        var scopes = token.Principal.Claims.Where(static claim => ScopeClaims.Contains(claim.Type)).SelectMany(static claim => claim.Value.Split(' ')).ToHashSet(StringComparer.Ordinal);
        return scopes.Contains(OperateScope) ? StreamRole.Operate : scopes.Contains(ReadScope) ? StreamRole.Read : null;
    }

    /// <summary>Why a change may be one that a page of another origin lets a browser of somebody else make.</summary>
    private static IResult? ForgedBy(HttpRequest request)
    {
        var origin = request.Headers.Origin;
        var isForeign = origin.Count > 0 && !string.Equals(origin.ToString(), $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (isForeign || site is not ("" or "same-origin" or "none")) return Problem.Of(StatusCodes.Status403Forbidden, "Not from another page", "A page of another origin may change nothing here.");
        return request.HasJsonContentType()
            ? null
            : Problem.Of(StatusCodes.Status415UnsupportedMediaType, "JSON only", "Send a body of JSON with the header Content-Type: application/json; {} when there is nothing to say.");
    }

    private static bool IsLocal(HttpContext http)
    {
        var host = http.Request.Host.Host;
        return http.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
            && (host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var named) && IPAddress.IsLoopback(named)))
            && !ForwardingHeaders.Any(http.Request.Headers.ContainsKey);
    }
}
