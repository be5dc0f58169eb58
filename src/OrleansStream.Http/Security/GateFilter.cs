using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansStream.Jobs;

namespace OrleansStream.Http;

/// <summary>Asks the gate before a route answers, and turns what goes wrong into problem details that tell nothing of the code.</summary>
internal sealed partial class GateFilter(StreamRole needed) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            if (await http.RequestServices.GetRequiredService<Gate>().RefusalAsync(http, needed) is { } refusal) return refusal;
            return await next(context);
        }
        catch (RefusedRequestException refused)
        {
            return refused.Answer;
        }
        catch (BadHttpRequestException bad)
        {
            return Problem.Of(bad.StatusCode, "Bad request", "The request could not be read to its end.");
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            return Results.Empty;
        }
        catch (Exception error)
        {
            var log = http.RequestServices.GetRequiredService<ILogger<GateFilter>>();
            LogFailed(log, http.Request.Method, http.GetEndpoint()?.DisplayName, error);
            var detail = error is StreamException ? error.Message : error is TimeoutException ? "The cluster did not answer in time." : "The log of the silo says why.";
            return Problem.Of(StatusCodes.Status503ServiceUnavailable, "No answer", $"{detail} Try again in a moment.");
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Method} {Route} could not be answered")]
    private static partial void LogFailed(ILogger log, string method, string? route, Exception error);
}
