using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OrleansStream.Http;

namespace OrleansStream.ClusterTests.Http;

public sealed class BearerTests : IAsyncLifetime
{
    private const string Audience = "streams";

    private readonly TestFolder _folder = new();
    private readonly RsaSecurityKey _key = new(RSA.Create(2048)) { KeyId = "one" };
    private readonly RsaSecurityKey _foreignKey = new(RSA.Create(2048)) { KeyId = "one" };
    private WebApplication? _authority;

    private string Authority => _authority!.Urls.First();

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRouting();
        _authority = builder.Build();
        _authority.MapGet("/.well-known/openid-configuration", () => Results.Json(new { issuer = Authority, jwks_uri = $"{Authority}/keys" }));
        _authority.MapGet("/keys", () =>
        {
            var key = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(_key.Rsa.ExportParameters(includePrivateParameters: false)) { KeyId = _key.KeyId });
            return Results.Json(new { keys = new[] { new { kty = key.Kty, n = key.N, e = key.E, kid = key.KeyId, use = "sig", alg = "RS256" } } });
        });
        await _authority.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _authority!.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_token_of_the_authority_for_the_audience_allows_what_its_scope_or_role_says()
    {
        await using var silos = await HttpSilos.StartAsync(_folder, http: options => options.Jwt = new StreamJwtOptions { Authority = Authority, Audience = Audience });

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), await TryAsync(silos.Client, Token(("scope", "openid orleansstream.read"))));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Accepted), await TryAsync(silos.Client, Token(("scope", "orleansstream.operate"))));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Accepted), await TryAsync(silos.Client, Token(("roles", "orleansstream.operate"))));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), await TryAsync(silos.Client, Token(("scope", "openid"))));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), await TryAsync(silos.Client, Token(("scope", "orleansstream.operate"), audience: "others")));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), await TryAsync(silos.Client, Token(("scope", "orleansstream.operate"), issuer: "https://elsewhere.example")));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), await TryAsync(silos.Client, Token(("scope", "orleansstream.operate"), key: _foreignKey)));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), await TryAsync(silos.Client, Token(("scope", "orleansstream.operate"), expired: true)));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), await TryAsync(silos.Client, "nothing"));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), await TryAsync(silos.Client, null));
    }

    private string Token((string Name, string Value) claim, string audience = Audience, string? issuer = null, RsaSecurityKey? key = null, bool expired = false) => new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
    {
        Issuer = issuer ?? Authority,
        Audience = audience,
        Subject = new ClaimsIdentity([new Claim(claim.Name, claim.Value)]),
        NotBefore = TimeProvider.System.GetUtcNow().AddHours(-2).UtcDateTime,
        Expires = TimeProvider.System.GetUtcNow().AddHours(expired ? -1 : 1).UtcDateTime,
        SigningCredentials = new SigningCredentials(key ?? _key, SecurityAlgorithms.RsaSha256),
    });

    private static async Task<(HttpStatusCode Read, HttpStatusCode Change)> TryAsync(HttpClient http, string? token)
    {
        var bearer = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        using var read = new HttpRequestMessage(HttpMethod.Get, "/api/jobs") { Headers = { Authorization = bearer } };
        using var change = new HttpRequestMessage(HttpMethod.Post, "/api/jobs/numbers/stop") { Headers = { Authorization = bearer }, Content = JsonContent.Create(new { }) };
        using var seen = await http.SendAsync(read, TestContext.Current.CancellationToken);
        using var changed = await http.SendAsync(change, TestContext.Current.CancellationToken);
        if (seen.StatusCode == HttpStatusCode.Unauthorized) await HttpSilos.RequireProblemAsync(seen, HttpStatusCode.Unauthorized, "bearer token");
        return (seen.StatusCode, changed.StatusCode);
    }
}
