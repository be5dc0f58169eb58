using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansStream.Graph;
using OrleansStream.Hosting;
using OrleansStream.Http;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;

namespace OrleansStream.ClusterTests.Http;

/// <summary>
/// Silos of one cluster in this process, each with the API on a loopback port of its own, and two jobs: <c>numbers</c>, which has no end, and <c>copy</c>, which copies a file of JSON lines.
/// </summary>
internal sealed class HttpSilos : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<WebApplication> _silos = [];
    private readonly List<HttpClient> _clients = [];

    public IReadOnlyList<HttpClient> Clients => _clients;

    public HttpClient Client => _clients[0];

    public IServiceProvider Services => _silos[0].Services;

    public IStreamJobs Jobs => Services.GetRequiredService<IStreamJobs>();

    public static async Task<HttpSilos> StartAsync(
        TestFolder folder, int silos = 1, Action<StreamHttpOptions>? http = null, Action<OrleansStreamOptions>? stream = null, Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? map = null)
    {
        var cluster = new HttpSilos();
        try
        {
            IPEndPoint? primary = null;
            for (var i = 0; i < silos; i++)
            {
                var siloPort = TestSilos.FreePort();
                var silo = Build(folder, siloPort, primary, http, stream, configure);
                silo.MapStreamJobs();
                map?.Invoke(silo);
                cluster._silos.Add(silo);
                await silo.StartAsync();
                primary ??= new IPEndPoint(IPAddress.Loopback, siloPort);
                cluster._clients.Add(new HttpClient { BaseAddress = new Uri(silo.Urls.First()) });
            }
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }

        return cluster;
    }

    /// <summary>Posts a body and demands that it was taken.</summary>
    public static async Task<JsonElement> BeginAsync(HttpClient client, string path, object? body = null, string? key = null)
    {
        using var answer = await PostAsync(client, path, body ?? new { }, key);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, $"{path} was answered with {answer.StatusCode}: {text}");
        var operation = JsonSerializer.Deserialize<JsonElement>(text);
        Assert.Equal($"/api/operations/{operation.GetProperty("id").GetString()}", answer.Headers.Location!.OriginalString);
        return operation;
    }

    public static async Task<HttpResponseMessage> PostAsync(HttpClient client, string path, object body, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        return await client.SendAsync(request);
    }

    /// <summary>Asks after an operation until it runs no more.</summary>
    public static async Task<JsonElement> EndAsync(HttpClient client, JsonElement operation)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var now = await client.GetFromJsonAsync<JsonElement>($"/api/operations/{operation.GetProperty("id").GetString()}");
            if (now.GetProperty("state").GetString() != "running") return now;
            if (TimeProvider.System.GetElapsedTime(began) > Patience) throw new TimeoutException($"The operation did not end in {Patience}: {now}");
            await Task.Delay(20);
        }
    }

    /// <summary>Asks after an operation until it is known again what has come of it: a silo that dies is noticed after a while.</summary>
    public static async Task<JsonElement> EndWhenKnownAsync(HttpClient client, JsonElement operation)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var answer = await client.GetAsync($"/api/operations/{operation.GetProperty("id").GetString()}");
            var text = await answer.Content.ReadAsStringAsync();
            if (answer.IsSuccessStatusCode && JsonSerializer.Deserialize<JsonElement>(text) is var now && now.GetProperty("state").GetString() is "done" or "failed") return now;
            if (TimeProvider.System.GetElapsedTime(began) > Patience) throw new TimeoutException($"It was not known in {Patience} what had come of the operation: {text}");
            await Task.Delay(50);
        }
    }

    /// <summary>Begins something and waits until it is done.</summary>
    public static async Task<JsonElement> DoAsync(HttpClient client, string path, object? body = null)
    {
        var ended = await EndAsync(client, await BeginAsync(client, path, body));
        Assert.True(ended.GetProperty("state").GetString() == "done", $"{path}: {ended}");
        return ended;
    }

    public static async Task<string> PhaseAsync(HttpClient client, string job = "numbers") =>
        (await client.GetFromJsonAsync<JsonElement>($"/api/jobs/{job}")).GetProperty("summary").GetProperty("phase").GetString()!;

    /// <summary>Demands a refusal, with problem details that say so much and nothing of the code.</summary>
    public static async Task RequireProblemAsync(HttpResponseMessage answer, HttpStatusCode status, params string[] saying)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, $"Answered with {(int)answer.StatusCode}, not {(int)status}: {text}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = JsonSerializer.Deserialize<JsonElement>(text);
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        foreach (var words in saying) Assert.Contains(words, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", text, StringComparison.Ordinal);
    }

    /// <summary>Takes the silo out of the cluster without a farewell.</summary>
    public async Task KillAsync(int silo)
    {
        var gone = _silos[silo];
        _silos.RemoveAt(silo);
        _clients[silo].Dispose();
        _clients.RemoveAt(silo);
        await gone.StopAsync(new CancellationToken(canceled: true));
        await gone.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) client.Dispose();
        foreach (var silo in Enumerable.Reverse(_silos)) await silo.DisposeAsync();
    }

    private static WebApplication Build(
        TestFolder folder, int siloPort, IPEndPoint? primary, Action<StreamHttpOptions>? http, Action<OrleansStreamOptions>? stream, Action<WebApplicationBuilder>? configure)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.AddConsole().SetMinimumLevel(LogLevel.Critical);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.ListenForStreamJobs());
        builder.Services.AddRouting().AddStreamHttp(options =>
        {
            options.Port = 0;
            http?.Invoke(options);
        });
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(siloPort, TestSilos.FreePort(), primary);
            silo.AddOrleansStream(options =>
            {
                options.Checkpoints.Folder = folder["checkpoints"];
                options.Checkpoints.Interval = TimeSpan.FromMilliseconds(100);
                options.Restarts = RestartStrategy.Exponential(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(200), attempts: 3);
                stream?.Invoke(options);
            });
            silo.AddStreamJob<NumbersJob>("numbers").AddStreamJob<CopyJob>("copy");
        });
        configure?.Invoke(builder);
        return builder.Build();
    }

    internal sealed class NumbersJob : IStreamJob
    {
        public void Define(JobGraph graph, JobArguments args) => graph
            .From("numbers", Generator.Of(static n => n, splits: 2), recordsPerSecond: 1000)
            .To("count", new CountingSink<long>());
    }

    internal sealed class CopyJob : IStreamJob
    {
        public void Define(JobGraph graph, JobArguments args) => graph
            .From("lines", Files.JsonLines<long>(args.Require("input")))
            .To("copy", Files.JsonLinesOutput<long>(args.Require("output")));
    }
}
