using Azure.Core.Pipeline;
using Azure.Storage.Blobs;

namespace OrleansStream.ClusterTests.AzureStorage;

/// <summary>What is between a client and the blob service, with faults that a test chooses.</summary>
internal sealed class UnreliableNetwork : DelegatingHandler
{
    private int _requests;

    public UnreliableNetwork()
        : base(new SocketsHttpHandler())
    {
    }

    /// <summary>Says of each request whether it gets lost on the way there.</summary>
    public Func<HttpRequestMessage, bool> LosesRequest { get; set; } = static _ => false;

    /// <summary>Says of each request whether its answer gets lost on the way back.</summary>
    public Func<HttpRequestMessage, bool> LosesAnswer { get; set; } = static _ => false;

    /// <summary>Awaited before a request goes on.</summary>
    public Func<HttpRequestMessage, Task> Before { get; set; } = static _ => Task.CompletedTask;

    /// <summary>How many requests were made, lost ones too.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Options of a client on this network, that makes each request so many times again.</summary>
    public BlobClientOptions Options(int retries) => new()
    {
        Transport = new HttpClientTransport(this),
        Retry = { MaxRetries = retries, Delay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromMilliseconds(1) },
    };

    public static bool Creates(HttpRequestMessage request) => request.Method == HttpMethod.Put && request.Headers.IfNoneMatch.Count > 0;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _requests);
        await Before(request).WaitAsync(cancellationToken);
        if (LosesRequest(request)) throw new HttpRequestException("The request was lost.");
        var answer = await base.SendAsync(request, cancellationToken);
        if (!LosesAnswer(request)) return answer;
        answer.Dispose();
        throw new HttpRequestException("The answer was lost.");
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _requests);
        return LosesRequest(request) ? throw new HttpRequestException("The request was lost.") : base.Send(request, cancellationToken);
    }
}
