using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>What a <see cref="StoreProxy"/> can do to a request.</summary>
public enum StoreFault
{
    /// <summary>Answers 500 itself: the service never hears of it.</summary>
    Answers500,

    /// <summary>Answers 503 itself.</summary>
    Answers503,

    /// <summary>Drops the connection before the service hears of the request.</summary>
    LosesRequests,

    /// <summary>Drops the connection when the service has done what it was asked.</summary>
    LosesAnswers,

    /// <summary>Passes the request on after 5 s.</summary>
    Delays,
}

/// <summary>What is between silos and a blob service: passes requests on, or does to them what a test chooses.</summary>
internal sealed class StoreProxy : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(5);

    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });
    private readonly Lock _faults = new();
    private readonly Uri _service;
    private WebApplication? _app;
    private Func<HttpRequest, bool> _meets = static _ => false;
    private StoreFault _fault;
    private int _left;
    private TaskCompletionSource _used = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _segmentBytesRead;

    private StoreProxy(Uri service) => _service = service;

    /// <summary>The service's connection string, by way of this.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>How many bytes of segments were read through it.</summary>
    public long SegmentBytesRead => Interlocked.Read(ref _segmentBytesRead);

    /// <summary>How many requests have met a fault.</summary>
    public int Met { get; private set; }

    public static async Task<StoreProxy> StartAsync(string connectionString)
    {
        const string Endpoint = "BlobEndpoint=";
        var at = connectionString.IndexOf(Endpoint, StringComparison.Ordinal) + Endpoint.Length;
        var service = new Uri(connectionString[at..connectionString.IndexOf(';', at)]);
        var proxy = new StoreProxy(service);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        proxy._app = builder.Build();
        proxy._app.Run(proxy.HandleAsync);
        await proxy._app.StartAsync();
        proxy.ConnectionString = connectionString.Replace($"//{service.Authority}/", $"//{new Uri(proxy._app.Urls.Single()).Authority}/", StringComparison.Ordinal);
        return proxy;
    }

    /// <summary>From now on requests meet a fault.</summary>
    /// <param name="fault">What is done to them.</param>
    /// <param name="times">How many do; all until <see cref="Heal"/> when null.</param>
    /// <param name="which">Which do; all when null.</param>
    public void Break(StoreFault fault, int? times = null, Func<HttpRequest, bool>? which = null)
    {
        lock (_faults)
        {
            (_fault, _left, _meets, Met) = (fault, times ?? int.MaxValue, which ?? (static _ => true), 0);
            _used = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public void Heal()
    {
        lock (_faults) _left = 0;
    }

    /// <summary>Waits until as many requests have met the fault as should.</summary>
    public async Task UsedAsync()
    {
        try
        {
            await _used.Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Only {Met} requests met {_fault} in {Patience.TotalSeconds} s; {_left} more should.");
        }
    }

    public static bool Writes(HttpRequest request) => HttpMethods.IsPut(request.Method);

    /// <summary>Whether a request is about the job's history: a log entry or a manifest.</summary>
    public static bool IsOfHistory(HttpRequest request) => NameOf(request) is var name && (name.Contains("/log/", StringComparison.Ordinal) || name.Contains("/manifests/", StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        // A request that is delayed is not waited for.
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        try
        {
            await _app!.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
        }

        await _app!.DisposeAsync();
        _client.Dispose();
    }

    private static string NameOf(HttpRequest request) => Uri.UnescapeDataString(request.Path.Value ?? "");

    private StoreFault? FaultOf(HttpRequest request)
    {
        lock (_faults)
        {
            if (_left == 0 || !_meets(request)) return null;
            Met++;
            if (--_left == 0) _used.TrySetResult();
            return _fault;
        }
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        switch (FaultOf(context.Request))
        {
            case StoreFault.Answers500:
                context.Response.StatusCode = 500;
                return;
            case StoreFault.Answers503:
                context.Response.StatusCode = 503;
                return;
            case StoreFault.LosesRequests:
                context.Abort();
                return;
            case StoreFault.LosesAnswers:
                using (await SendAsync(context, body.ToArray(), CancellationToken.None)) context.Abort();
                return;
            case StoreFault.Delays:
                await Task.Delay(Delay, context.RequestAborted);
                break;
        }

        using var answer = await SendAsync(context, body.ToArray(), context.RequestAborted);
        await AnswerAsync(context, answer);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpContext context, byte[] body, CancellationToken cancellation)
    {
        // As it was sent, to the letter: the request is signed.
        var target = new Uri($"{_service.GetLeftPart(UriPartial.Authority)}{context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget}");
        using var request = new HttpRequestMessage(HttpMethod.Parse(context.Request.Method), target);
        if (HttpMethods.IsPut(context.Request.Method) || body.Length > 0) request.Content = new ByteArrayContent(body);
        foreach (var (name, values) in context.Request.Headers)
        {
            if (name is "Host" or "Connection" or "Content-Length" or "Transfer-Encoding" or "Expect") continue;
            if (!request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values)) request.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }

        return await _client.SendAsync(request, cancellation);
    }

    private async Task AnswerAsync(HttpContext context, HttpResponseMessage answer)
    {
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
        {
            if (name is not ("Transfer-Encoding" or "Connection" or "Keep-Alive")) context.Response.Headers[name] = values.ToArray();
        }

        if (HttpMethods.IsHead(context.Request.Method) || answer.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified) return;
        var content = await answer.Content.ReadAsByteArrayAsync(context.RequestAborted);
        if (HttpMethods.IsGet(context.Request.Method) && NameOf(context.Request).Contains("/segments/", StringComparison.Ordinal)) Interlocked.Add(ref _segmentBytesRead, content.Length);
        await context.Response.Body.WriteAsync(content, context.RequestAborted);
    }
}
