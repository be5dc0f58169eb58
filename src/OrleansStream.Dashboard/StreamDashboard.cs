using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Jobs;

namespace OrleansStream.Dashboard;

/// <summary>The status page of a silo.</summary>
public static class StreamDashboard
{
    private const string Html = "text/html; charset=utf-8";

    /// <summary>A status that does not come in this time is answered with 503 rather than awaited.</summary>
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(5);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.Never };

    private static readonly Lazy<byte[]> Page = new(ReadPage);

    /// <summary>
    /// Maps the status page: <c>/</c> as HTML for people, <c>/api/jobs</c> and <c>/api/jobs/{name}</c> as JSON for programs. Answers only requests that come
    /// from this machine and name it as <c>localhost</c> or by a loopback address (so that no page from elsewhere can read it by a name of its own); everything else gets 403.
    /// </summary>
    /// <param name="endpoints">Where to map it, for example the application, or a group under a path of its own. The services must be those of a silo with OrleansStream.</param>
    public static IEndpointConventionBuilder MapStreamDashboard(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var group = endpoints.MapGroup("");
        group.AddEndpointFilter(static async (call, next) => IsLocal(call.HttpContext)
            ? await next(call)
            : Results.Problem(statusCode: StatusCodes.Status403Forbidden, title: "Not from here", detail: "The status page answers this machine only."));

        group.MapGet("/", static (HttpContext http) =>
        {
            http.Response.Headers.CacheControl = "no-store";
            http.Response.Headers.ContentSecurityPolicy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:";
            return Results.Bytes(Page.Value, Html);
        });
        group.MapGet("/api/jobs", static (IServiceProvider services, CancellationToken cancellation) => AnswerAsync(services, async jobs =>
            (await Task.WhenAll(jobs.Names.Select(jobs.GetStatusAsync)).WaitAsync(LongestAnswer, TimeProvider.System, cancellation)).Select(JobSummary.Of).ToList()));
        group.MapGet("/api/jobs/{name}", static (string name, IServiceProvider services, CancellationToken cancellation) => AnswerAsync(services, async jobs =>
            JobView.Of(await jobs.GetStatusAsync(name).WaitAsync(LongestAnswer, TimeProvider.System, cancellation))));
        return group;
    }

    private static async Task<IResult> AnswerAsync<T>(IServiceProvider services, Func<IStreamJobs, Task<T>> ask)
    {
        try
        {
            return Results.Json(await ask(services.GetRequiredService<IStreamJobs>()), Json);
        }
        catch (JobRefusedException unknown)
        {
            return Results.Problem(statusCode: StatusCodes.Status404NotFound, title: "No such job", detail: unknown.Message);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            return Results.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "No answer from the job", detail: $"{error.Message} Try again in a moment.");
        }
    }

    private static bool IsLocal(HttpContext http)
    {
        var host = http.Request.Host.Host;
        return http.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
            && (host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var named) && IPAddress.IsLoopback(named)));
    }

    private static byte[] ReadPage()
    {
        using var resource = typeof(StreamDashboard).Assembly.GetManifestResourceStream("status.html")!;
        var page = new byte[resource.Length];
        resource.ReadExactly(page);
        return page;
    }
}
