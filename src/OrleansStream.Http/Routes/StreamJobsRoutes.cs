using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace OrleansStream.Http;

/// <summary>The routes of a silo.</summary>
public static class StreamJobsRoutes
{
    private static readonly string[] Reading = [HttpMethods.Get];
    private static readonly string[] Changing = [HttpMethods.Post];

    /// <summary>
    /// Maps the API: <c>GET /api/jobs</c>, <c>GET /api/jobs/{name}</c>, <c>GET /api/jobs/{name}/checkpoints</c>, <c>POST /api/jobs/{name}/start</c>, <c>POST /api/jobs/{name}/stop</c>,
    /// <c>POST /api/jobs/{name}/rescale</c>,
    /// <c>GET /api/operations/{id}</c>; the document that describes it, <c>/openapi/v1.json</c>; and <c>/health/live</c> and <c>/health/ready</c>, which answer everybody with one word.
    /// Errors are problem details (RFC 9457). What takes a while is answered with 202 and the address of an operation.
    /// </summary>
    /// <param name="endpoints">Where to map it, for example the application, or a group under a path of its own. The services must be those of a silo with OrleansStream and
    /// <see cref="StreamHttpHosting.AddStreamHttp"/>.</param>
    /// <exception cref="InvalidOperationException">The services lack <see cref="StreamHttpHosting.AddStreamHttp"/>.</exception>
    public static IEndpointConventionBuilder MapStreamJobs(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (endpoints.ServiceProvider.GetService<StreamHttpOptions>() is null) throw new InvalidOperationException($"Call services.{nameof(StreamHttpHosting.AddStreamHttp)}() before {nameof(MapStreamJobs)}().");
        var all = endpoints.MapGroup("");
        all.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = static _ => false });
        all.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = static check => check.Tags.Contains(StreamHttpHosting.ReadyTag) });

        var reads = all.MapGroup("").AddEndpointFilter(new GateFilter(StreamRole.Read));
        reads.MapOpenApi("/openapi/{documentName}.json");
        MapReads(reads.MapGroup("/api").WithMetadata(new StreamRoute()));
        MapChanges(all.MapGroup("/api").AddEndpointFilter(new GateFilter(StreamRole.Operate)).WithMetadata(new StreamRoute()));
        MapRest(reads.MapGroup("/api"));
        return all;
    }

    private static void MapReads(RouteGroupBuilder api)
    {
        Describe<List<JobSummary>>(api.MapGet("/jobs", JobReads.ListAsync), "listJobs", "The jobs of the cluster, each in a few figures");
        Describe<JobView>(api.MapGet("/jobs/{name}", JobReads.ShowAsync), "showJob", "All there is to know of a job").OfOne();
        Describe<List<CheckpointView>>(api.MapGet("/jobs/{name}/checkpoints", JobReads.CheckpointsAsync), "listCheckpoints", "The latest checkpoints of a job's attempt, newest first").OfOne();
        Describe<OperationView>(api.MapGet("/operations/{id}", JobChanges.FindAsync), "showOperation", "How an operation stands; any silo may be asked").OfOne();
    }

    private static void MapChanges(RouteGroupBuilder api)
    {
        DescribeChange(api.MapPost("/jobs/{name}/start", JobChanges.StartAsync), "startJob", "Start a job, or let it go on from its last checkpoint. Does nothing to one that runs", RequestSchemas.Start);
        DescribeChange(api.MapPost("/jobs/{name}/stop", JobChanges.StopAsync), "stopJob", "Take a last checkpoint and stop a job. Does nothing to one that has ended", RequestSchemas.Stop);
        DescribeChange(api.MapPost("/jobs/{name}/rescale", JobChanges.RescaleAsync), "rescaleJob", "Let a running job go on at another parallelism, from a checkpoint taken for it", RequestSchemas.Rescale);
    }

    /// <summary>Answers other methods of the routes, and other paths under them, as problems too.</summary>
    private static void MapRest(RouteGroupBuilder api)
    {
        foreach (var (path, methods) in new[]
        {
            ("/jobs", Reading), ("/jobs/{name}", Reading), ("/jobs/{name}/checkpoints", Reading), ("/operations/{id}", Reading), ("/jobs/{name}/start", Changing), ("/jobs/{name}/stop", Changing),
            ("/jobs/{name}/rescale", Changing),
        })
        {
            api.Map(path, (HttpContext http) =>
            {
                http.Response.Headers.Allow = string.Join(", ", methods);
                return Problem.Of(StatusCodes.Status405MethodNotAllowed, "Not this method", $"This address takes {string.Join(", ", methods)} only.");
            }).ExcludeFromDescription();
        }

        foreach (var path in (string[])["/jobs/{**rest}", "/operations/{**rest}"])
            api.Map(path, static () => Problem.Of(StatusCodes.Status404NotFound, "No such address", "The addresses there are stand in /openapi/v1.json.")).ExcludeFromDescription();
    }

    private static RouteHandlerBuilder Describe<T>(RouteHandlerBuilder route, string id, string summary) => route
        .WithName($"orleansstream-{id}").WithSummary(summary).WithTags("jobs")
        .Produces<T>()
        .ProducesProblem(StatusCodes.Status401Unauthorized)
        .ProducesProblem(StatusCodes.Status403Forbidden)
        .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    /// <summary>Of one job or operation, which may not be there.</summary>
    private static RouteHandlerBuilder OfOne(this RouteHandlerBuilder route) =>
        route.ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);

    private static void DescribeChange(RouteHandlerBuilder route, string id, string summary, Func<Microsoft.OpenApi.OpenApiRequestBody> body) => route
        .WithName($"orleansstream-{id}").WithSummary(summary).WithTags("jobs")
        .WithDescription("Answered with 202 before it is done; the header Location names the operation to ask after. With the header Idempotency-Key a repeat of the request has no second effect and gets the same operation.")
        .Produces<OperationView>(StatusCodes.Status202Accepted)
        .ProducesProblem(StatusCodes.Status400BadRequest)
        .ProducesProblem(StatusCodes.Status401Unauthorized)
        .ProducesProblem(StatusCodes.Status403Forbidden)
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
        .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .ProducesProblem(StatusCodes.Status503ServiceUnavailable)
        .AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.RequestBody = body();
            (operation.Parameters ??= []).Add(RequestSchemas.IdempotencyKey());
            return Task.CompletedTask;
        });
}

/// <summary>Marks the routes that the document describes.</summary>
internal sealed class StreamRoute;
