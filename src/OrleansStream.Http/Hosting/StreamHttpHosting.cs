using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Jobs;

namespace OrleansStream.Http;

/// <summary>Adds the API of running jobs to the application of a silo.</summary>
public static class StreamHttpHosting
{
    /// <summary>The tag of the checks that <c>/health/ready</c> asks.</summary>
    internal const string ReadyTag = "orleansstream-ready";

    private const string Document = "v1";
    private const int MostHeaderBytes = 16 * 1024;
    private const int MostHeaders = 64;
    private const int MostLineBytes = 4 * 1024;
    private const int MostConnections = 1024;

    /// <summary>
    /// Adds what <see cref="StreamJobsRoutes.MapStreamJobs"/> needs, the health check of the silo and the document <c>v1</c> of OpenAPI. When the application has started, addresses other than the loopback
    /// one are refused unless a key or JWT is configured.
    /// </summary>
    /// <param name="services">The services of the application, which is a silo.</param>
    /// <param name="configure">Sets options; it is called at once.</param>
    /// <exception cref="StreamException">The options are wrong, or would let everybody in.</exception>
    /// <exception cref="InvalidOperationException">It was called before.</exception>
    public static IServiceCollection AddStreamHttp(this IServiceCollection services, Action<StreamHttpOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.Any(static service => service.ServiceType == typeof(StreamHttpOptions))) throw new InvalidOperationException($"{nameof(AddStreamHttp)} was called before: set all options in one call.");
        var options = new StreamHttpOptions();
        configure?.Invoke(options);
        if (options.Problems().ToList() is { Count: > 0 } problems) throw new StreamException($"The options of HTTP are wrong: {string.Join("; ", problems)}.");

        services.AddSingleton(options);
        services.AddSingleton<Gate>();
        services.AddSingleton<JobOperations>();
        services.AddHostedService<ListeningCheck>();
        services.AddHealthChecks().AddCheck<SiloReadiness>("orleansstream", tags: [ReadyTag]);
        services.AddSingleton<SiloReadiness>();
        services.AddOpenApi(Document, document =>
        {
            document.ShouldInclude = static route => route.ActionDescriptor.EndpointMetadata.OfType<StreamRoute>().Any();
            document.AddDocumentTransformer((described, _, _) => RequestSchemas.DescribeAsync(described, options));
        });
        if (options.Jwt is { } jwt)
        {
            services.AddAuthentication().AddJwtBearer(Gate.JwtScheme, bearer =>
            {
                bearer.Authority = jwt.Authority;
                bearer.Audience = jwt.Audience;
                bearer.RequireHttpsMetadata = new Uri(jwt.Authority).Scheme == Uri.UriSchemeHttps;
                // Claims keep the names that the token gives them.
                bearer.MapInboundClaims = false;
            });
        }

        return services;
    }

    /// <summary>Lets Kestrel listen where <see cref="StreamHttpOptions"/> say, with narrow limits: headers of 16 KiB in 64 lines, 1,024 connections, and bodies as the options say.</summary>
    /// <param name="kestrel">The server.</param>
    /// <param name="listen">Sets more, for example TLS.</param>
    public static void ListenForStreamJobs(this KestrelServerOptions kestrel, Action<ListenOptions>? listen = null)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        var options = kestrel.ApplicationServices.GetRequiredService<StreamHttpOptions>();
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestHeadersTotalSize = MostHeaderBytes;
        kestrel.Limits.MaxRequestHeaderCount = MostHeaders;
        kestrel.Limits.MaxRequestLineSize = MostLineBytes;
        kestrel.Limits.MaxConcurrentConnections = MostConnections;
        // What is a little too large is answered for by the routes, in words.
        kestrel.Limits.MaxRequestBodySize = options.MostBodyBytes * 2L;
        listen ??= static _ => { };
        // Kestrel has no address of both families but by name, and no free port of both.
        if (IPAddress.IsLoopback(options.Address) && options.Port != 0 && options.Address.Equals(IPAddress.Loopback)) kestrel.ListenLocalhost(options.Port, listen);
        else kestrel.Listen(options.Address, options.Port, listen);
    }
}
