using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using OrleansStream.Http;
using OrleansStream.Jobs;

namespace OrleansStream.Silo.CommandLine.Client;

/// <summary>Asks a silo that runs elsewhere, over HTTP. A key goes to the address that was given and nowhere else: no redirection is followed.</summary>
internal sealed class ClusterClient : IDisposable
{
    /// <summary>Where the API key is looked for: never on the command line, which every process of the machine can read.</summary>
    public const string KeyVariable = "ORLEANSSTREAM_API_KEY";

    private const string KeyHeader = "X-Api-Key";
    private const long MostAnswerBytes = 16 * 1024 * 1024;

    /// <summary>A change whose answer is lost is asked for again, under the same name.</summary>
    private const int MostTries = 3;

    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromMilliseconds(300);

    private readonly HttpClient _http;
    private readonly Uri _url;
    private readonly string? _key;

    public ClusterClient(Uri url)
    {
        _url = new Uri(url.AbsoluteUri.TrimEnd('/') + "/");
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = !url.IsLoopback }) { BaseAddress = _url, Timeout = LongestAnswer, MaxResponseContentBufferSize = MostAnswerBytes };
        _key = Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key ? key.Trim() : null;
        if (_key is null) return;
        if (!_http.DefaultRequestHeaders.TryAddWithoutValidation(KeyHeader, _key) || _key.Any(static c => c is <= ' ' or > '~'))
            throw new JobRefusedException($"The environment variable {KeyVariable} holds no API key: it has blanks or characters that no header can have.");
    }

    /// <summary>Whether the key would go over the network readable for everybody on the way.</summary>
    public bool ShowsKey => _key is not null && _url.Scheme == Uri.UriSchemeHttp && !_url.IsLoopback;

    public Task<T> GetAsync<T>(string path, CancellationToken cancellation) => AnswerAsync<T>(() => new HttpRequestMessage(HttpMethod.Get, path), tries: 1, cancellation);

    /// <summary>Asks for a change. It is made once, also when the answer to the first try is lost.</summary>
    public Task<OperationView> BeginAsync(string job, string verb, IReadOnlyDictionary<string, object> body, CancellationToken cancellation)
    {
        var name = RandomNumberGenerator.GetHexString(32, lowercase: true);
        return AnswerAsync<OperationView>(
            () =>
            {
                var request = new HttpRequestMessage(HttpMethod.Post, $"api/jobs/{Uri.EscapeDataString(job)}/{verb}") { Content = JsonContent.Create(body) };
                request.Headers.Add("Idempotency-Key", name);
                return request;
            },
            MostTries,
            cancellation);
    }

    public void Dispose() => _http.Dispose();

    private async Task<T> AnswerAsync<T>(Func<HttpRequestMessage> request, int tries, CancellationToken cancellation)
    {
        while (true)
        {
            tries--;
            try
            {
                using var message = request();
                using var answer = await _http.SendAsync(message, cancellation);
                if (answer.IsSuccessStatusCode) return await answer.Content.ReadFromJsonAsync<T>(JobReads.Json, cancellation) ?? throw new JsonException("null");
                throw await RefusalAsync(answer, cancellation);
            }
            catch (HttpRequestException error) when (tries <= 0 || error.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError)
            {
                throw new NoAnswerException($"No silo answers at {_url}: {error.Message.TrimEnd('.')}. Start one there, or give the address of another with --url.", error);
            }
            catch (HttpRequestException)
            {
                await Task.Delay(TryAgainAfter, TimeProvider.System, cancellation);
            }
            catch (TaskCanceledException error) when (!cancellation.IsCancellationRequested)
            {
                throw new NoAnswerException($"What is at {_url} did not answer in {LongestAnswer.TotalSeconds:F0} s: try again, or give the address of another silo with --url.", error);
            }
            catch (JsonException error)
            {
                throw new JobRefusedException($"What answers at {_url} is no silo of this version: its answer cannot be read.", error);
            }
        }
    }

    private async Task<StreamException> RefusalAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        var detail = await DetailAsync(answer, cancellation);
        return answer.StatusCode switch
        {
            HttpStatusCode.Unauthorized when _key is null => new JobRefusedException($"The silo at {_url} wants an API key: put it into the environment variable {KeyVariable}."),
            HttpStatusCode.Unauthorized => new JobRefusedException($"The silo at {_url} does not know the API key in the environment variable {KeyVariable}."),
            HttpStatusCode.ServiceUnavailable => new NoAnswerException(detail ?? $"The silo at {_url} cannot answer now: try again in a moment."),
            _ => new JobRefusedException(detail ?? $"What answers at {_url} is no silo: it says {(int)answer.StatusCode} {answer.ReasonPhrase}."),
        };
    }

    private static async Task<string?> DetailAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        if (answer.Content.Headers.ContentType?.MediaType != "application/problem+json") return null;
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellation);
        return problem.ValueKind == JsonValueKind.Object && problem.TryGetProperty("detail", out var detail) ? detail.GetString() : null;
    }
}

/// <summary>There was no answer, and there may be one in a moment.</summary>
internal sealed class NoAnswerException(string message, Exception? inner = null) : StreamException(message, inner);
