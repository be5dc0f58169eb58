using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Http;

namespace OrleansStream.Dashboard;

/// <summary>The status page of a silo.</summary>
public static class StreamDashboard
{
    private const string Html = "text/html; charset=utf-8";

    private static readonly Lazy<byte[]> Page = new(ReadPage);

    /// <summary>
    /// Maps the status page, <c>/</c>: HTML for people, which reads <c>/api/jobs</c> beside it, so map <see cref="StreamJobsRoutes.MapStreamJobs"/> too. Where the API wants no key or token, the page answers
    /// whom the API answers; where it does, the page itself, which holds nothing secret, answers everybody and asks for the key.
    /// </summary>
    /// <param name="endpoints">Where to map it, for example the application, or a group under a path of its own.</param>
    public static IEndpointConventionBuilder MapStreamDashboard(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var page = endpoints.MapGet("/", static (HttpContext http) =>
        {
            http.Response.Headers.CacheControl = "no-store";
            http.Response.Headers.ContentSecurityPolicy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'";
            return Results.Bytes(Page.Value, Html);
        }).ExcludeFromDescription();
        return endpoints.ServiceProvider.GetRequiredService<StreamHttpOptions>().IsProtected ? page : page.AddEndpointFilter(new GateFilter(StreamRole.Read));
    }

    private static byte[] ReadPage()
    {
        using var resource = typeof(StreamDashboard).Assembly.GetManifestResourceStream("status.html")!;
        var page = new byte[resource.Length];
        resource.ReadExactly(page);
        return page;
    }
}
