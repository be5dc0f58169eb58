using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansStream.Dashboard;
using OrleansStream.Http;
using OrleansStream.Jobs;

namespace OrleansStream.ClusterTests.Http;

public sealed class SecurityTests : IDisposable
{
    public const string Secret = "operate-0123456789abcdef";
    private const string ReadSecret = "read-0123456789abcdef";

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static StreamApiKey Key() => KeyOf(Secret, StreamRole.Operate);

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("192.0.2.1")]
    public void Any_address_but_the_loopback_one_is_refused_without_a_key_or_jwt(string address)
    {
        var refused = Assert.Throws<StreamException>(() => new ServiceCollection().AddStreamHttp(options => options.Address = IPAddress.Parse(address)));

        Assert.Contains($"HTTP at {address} would let everybody start and stop jobs", refused.Message, StringComparison.Ordinal);
        new ServiceCollection().AddStreamHttp(options =>
        {
            options.Address = IPAddress.Parse(address);
            options.ApiKeys.Add(Key());
        });
    }

    [Fact]
    public async Task An_application_that_listens_elsewhere_by_its_own_settings_does_not_start_without_a_key()
    {
        var port = TestSilos.FreePort();

        var refused = await Assert.ThrowsAsync<StreamException>(() => HttpSilos.StartAsync(
            _folder, configure: builder => builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.Listen(IPAddress.Any, port))));

        Assert.Contains("would let everybody start and stop jobs", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_keys_every_request_but_those_for_health_shows_one_and_a_reading_key_changes_nothing()
    {
        await using var silos = await HttpSilos.StartAsync(_folder, http: static options =>
        {
            options.ApiKeys.Add(Key());
            options.ApiKeys.Add(KeyOf(ReadSecret, StreamRole.Read));
        });
        var http = silos.Client;

        foreach (var path in (string[])["/api/jobs", "/api/jobs/numbers", "/api/jobs/numbers/checkpoints", "/api/operations/numbers.start.1.1.0123456789abcdef", "/openapi/v1.json", "/api/jobs/no/such"])
        {
            using var without = await SendAsync(http, HttpMethod.Get, path);
            await HttpSilos.RequireProblemAsync(without, HttpStatusCode.Unauthorized, "X-Api-Key");
            Assert.Equal("ApiKey", without.Headers.WwwAuthenticate.ToString());
        }

        using var wrong = await SendAsync(http, HttpMethod.Get, "/api/jobs", key: Secret + "0");
        await HttpSilos.RequireProblemAsync(wrong, HttpStatusCode.Unauthorized);
        Assert.DoesNotContain(Secret, await wrong.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        using var read = await SendAsync(http, HttpMethod.Get, "/api/jobs", key: ReadSecret);
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        using var change = await SendAsync(http, HttpMethod.Post, "/api/jobs/numbers/start", "{}", key: ReadSecret);
        await HttpSilos.RequireProblemAsync(change, HttpStatusCode.Forbidden, "may only read");
        using var unseen = await SendAsync(http, HttpMethod.Post, "/api/jobs/numbers/start", "{}");
        await HttpSilos.RequireProblemAsync(unseen, HttpStatusCode.Unauthorized);
        using var operate = await SendAsync(http, HttpMethod.Post, "/api/jobs/numbers/start", "{}", key: Secret);
        Assert.Equal(HttpStatusCode.Accepted, operate.StatusCode);
        using var live = await SendAsync(http, HttpMethod.Get, "/health/live");
        Assert.Equal("Healthy", await live.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("status.example.com", null)]
    [InlineData("127.0.0.1.example.com", null)]
    [InlineData("localhost", "X-Forwarded-For")]
    [InlineData("localhost", "Forwarded")]
    public async Task Without_a_key_only_this_machine_is_answered_by_a_name_of_this_machine(string host, string? forwarded)
    {
        await using var silos = await HttpSilos.StartAsync(_folder);
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
        {
            using var request = new HttpRequestMessage(method, method == HttpMethod.Get ? "/api/jobs" : "/api/jobs/numbers/start") { Headers = { Host = host } };
            if (method == HttpMethod.Post) request.Content = JsonContent.Create(new { });
            if (forwarded is not null) request.Headers.Add(forwarded, "for=203.0.113.7");

            using var refused = await silos.Client.SendAsync(request, TestContext.Current.CancellationToken);

            await HttpSilos.RequireProblemAsync(refused, HttpStatusCode.Forbidden, "answers only this machine");
        }

        Assert.Equal("idle", await HttpSilos.PhaseAsync(silos.Client));
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task A_page_of_another_origin_changes_nothing(string header, string value)
    {
        await using var silos = await HttpSilos.StartAsync(_folder);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/jobs/numbers/start") { Content = JsonContent.Create(new { }) };
        request.Headers.Add(header, value);

        using var refused = await silos.Client.SendAsync(request, TestContext.Current.CancellationToken);

        await HttpSilos.RequireProblemAsync(refused, HttpStatusCode.Forbidden, "another origin");
        Assert.Equal("idle", await HttpSilos.PhaseAsync(silos.Client));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData(null)]
    public async Task What_a_browser_sends_without_asking_first_is_no_change(string? type)
    {
        await using var silos = await HttpSilos.StartAsync(_folder);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/jobs/numbers/start") { Content = type is null ? null : new StringContent("{}", Encoding.UTF8, type) };

        using var refused = await silos.Client.SendAsync(request, TestContext.Current.CancellationToken);

        await HttpSilos.RequireProblemAsync(refused, HttpStatusCode.UnsupportedMediaType, "application/json");
    }

    [Fact]
    public async Task Bodies_are_limited_and_read_strictly()
    {
        await using var silos = await HttpSilos.StartAsync(_folder, stream: options => options.Files.Roots.Add(_folder.Path));
        foreach (var (body, saying) in new[]
        {
            ("{\"paralelism\":1}", "There is no member 'paralelism'. Did you mean 'parallelism'?"),
            ("{\"parallelism\":0}", "whole number from 1"),
            ("{\"parallelism\":\"2\"}", "whole number from 1"),
            ("{\"parallelism\":1,\"parallelism\":2}", "a member may be there once"),
            ("{\"recordsPerSecond\":-1}", "a number above 0"),
            ("{\"checkpointInterval\":\"soon\"}", "a duration such as"),
            ("{\"checkpointInterval\":\"1ms\"}", "a duration such as"),
            ("{\"arguments\":{\"input\":1}}", "Argument 'input' must be a text"),
            ("{\"arguments\":{\"in/put\":\"a\"}}", "An argument's name"),
            ("{\"arguments\":{\"input\":\"a\\u0000b\"}}", "control characters"),
            ($"{{\"arguments\":{{\"input\":\"{new string('a', 5000)}\"}}}}", "5000 characters"),
            ("[]", "must be a JSON object"),
            ("{", "no JSON that can be read"),
        })
        {
            using var refused = await SendAsync(silos.Client, HttpMethod.Post, "/api/jobs/copy/start", body);
            await HttpSilos.RequireProblemAsync(refused, HttpStatusCode.BadRequest, saying);
        }

        using var large = await SendAsync(silos.Client, HttpMethod.Post, "/api/jobs/copy/start", $"{{\"x\":\"{new string('x', 64 * 1024)}\"}}");
        await HttpSilos.RequireProblemAsync(large, HttpStatusCode.RequestEntityTooLarge, "65,536 bytes");
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "/api/jobs/copy/start") { Content = JsonContent.Create(new { x = new string('x', 70_000) }), Headers = { TransferEncodingChunked = true } };
        using var refusedChunks = await silos.Client.SendAsync(chunked, TestContext.Current.CancellationToken);
        await HttpSilos.RequireProblemAsync(refusedChunks, HttpStatusCode.RequestEntityTooLarge, "65,536 bytes");
    }

    [Fact]
    public async Task Headers_are_limited()
    {
        await using var silos = await HttpSilos.StartAsync(_folder);
        using var large = new HttpRequestMessage(HttpMethod.Get, "/api/jobs") { Headers = { { "X-Large", new string('x', 17 * 1024) } } };
        using var many = new HttpRequestMessage(HttpMethod.Get, "/api/jobs");
        for (var i = 0; i < 65; i++) many.Headers.Add($"X-Header-{i}", "x");

        using var tooLarge = await silos.Client.SendAsync(large, TestContext.Current.CancellationToken);
        using var tooMany = await silos.Client.SendAsync(many, TestContext.Current.CancellationToken);
        using var tooLong = await silos.Client.GetAsync($"/api/jobs/{new string('a', 5000)}", TestContext.Current.CancellationToken);

        Assert.Equal(
            (HttpStatusCode.RequestHeaderFieldsTooLarge, HttpStatusCode.RequestHeaderFieldsTooLarge, HttpStatusCode.RequestUriTooLong), (tooLarge.StatusCode, tooMany.StatusCode, tooLong.StatusCode));
    }

    [Fact]
    public async Task No_key_is_in_a_log_whatever_is_logged()
    {
        using var log = new LogLines();
        await using var silos = await HttpSilos.StartAsync(_folder, http: static options => options.ApiKeys.Add(Key()), configure: builder => builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Trace));

        foreach (var key in (string[])[Secret, "wrong-0123456789abcdef"])
        {
            using var read = await SendAsync(silos.Client, HttpMethod.Get, "/api/jobs/nubmers", key: key);
            using var change = await SendAsync(silos.Client, HttpMethod.Post, "/api/jobs/numbers/stop", "{", key: key);
            Assert.NotEqual(HttpStatusCode.OK, read.StatusCode);
        }

        Assert.Contains(log.Lines, static line => line.Contains("/api/jobs/nubmers", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, static line => line.Contains("0123456789abcdef", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_status_page_answers_as_the_api_does_and_asks_for_the_key_where_there_is_one()
    {
        await using var open = await HttpSilos.StartAsync(_folder, map: static app => app.MapStreamDashboard());
        Assert.Contains("<title>OrleansStream</title>", await open.Client.GetStringAsync("/", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        using var rebound = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { Host = "status.example.com" } };
        using var refused = await open.Client.SendAsync(rebound, TestContext.Current.CancellationToken);
        await HttpSilos.RequireProblemAsync(refused, HttpStatusCode.Forbidden);

        await using var guarded = await HttpSilos.StartAsync(_folder, http: static options => options.ApiKeys.Add(Key()), map: static app => app.MapStreamDashboard());
        var page = await guarded.Client.GetStringAsync("/", TestContext.Current.CancellationToken);
        Assert.Contains("askForKey", page, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/jobs/..%2f..%2fetc%2fpasswd")]
    [InlineData("/api/jobs/%252e%252e%252fpasswd")]
    [InlineData("/api/jobs/Numbers")]
    [InlineData("/api/jobs/num%00bers")]
    [InlineData("/api/jobs/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task What_can_be_no_name_of_a_job_is_refused(string path)
    {
        await using var silos = await HttpSilos.StartAsync(_folder);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(silos.Client.BaseAddress + path[1..], new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));

        using var refused = await silos.Client.SendAsync(request, TestContext.Current.CancellationToken);

        // A zero byte does not get as far as a route.
        if (path.Contains("%00", StringComparison.Ordinal)) Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        else await HttpSilos.RequireProblemAsync(refused, HttpStatusCode.BadRequest, "1 to 64 characters");
    }

    [Fact]
    public async Task Arguments_are_refused_where_nothing_limits_which_files_jobs_open()
    {
        await using var silos = await HttpSilos.StartAsync(_folder);

        using var refused = await HttpSilos.PostAsync(silos.Client, "/api/jobs/copy/start", new { arguments = new { input = "a" } });

        await HttpSilos.RequireProblemAsync(refused, HttpStatusCode.Forbidden, "does not limit which files jobs may open");
    }

    [Theory]
    [InlineData("in/../../secret.jsonl", "'..' segment")]
    [InlineData("secret", "leads to none of the folders")]
    [InlineData("in/..%2f..%2fsecret.jsonl", "does not exist")]
    [InlineData("in/%252e%252e/secret.jsonl", "does not exist")]
    [InlineData("in/link.jsonl", "leads to none of the folders")]
    [InlineData("in/folder/secret.jsonl", "leads to none of the folders")]
    public async Task No_path_from_a_request_leads_out_of_the_folders(string path, string saying)
    {
        var root = Directory.CreateDirectory(_folder["root"]).FullName;
        Directory.CreateDirectory(Path.Combine(root, "in"));
        await File.WriteAllTextAsync(_folder["secret.jsonl"], "42\n", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(Path.Combine(root, "in", "link.jsonl"), _folder["secret.jsonl"]);
        Directory.CreateSymbolicLink(Path.Combine(root, "in", "folder"), _folder.Path);
        await using var silos = await HttpSilos.StartAsync(_folder, stream: options => options.Files.Roots.Add(root));
        var asked = path == "secret" ? _folder["secret.jsonl"] : $"{root}/{path}";
        await File.WriteAllTextAsync(Path.Combine(root, "one.jsonl"), "1\n", TestContext.Current.CancellationToken);

        var reading = await HttpSilos.EndAsync(silos.Client, await HttpSilos.BeginAsync(silos.Client, "/api/jobs/copy/start", new { arguments = new { input = asked, output = Path.Combine(root, "out.jsonl") } }));
        Assert.Equal("failed", reading.GetProperty("state").GetString());
        Assert.Contains(saying, reading.GetProperty("cause").GetString(), StringComparison.Ordinal);

        if (saying == "does not exist") return;
        var writing = await HttpSilos.EndAsync(silos.Client, await HttpSilos.BeginAsync(silos.Client, "/api/jobs/copy/start", new { arguments = new { input = Path.Combine(root, "one.jsonl"), output = asked } }));
        Assert.Equal("failed", writing.GetProperty("state").GetString());
        Assert.Contains(saying, writing.GetProperty("cause").GetString(), StringComparison.Ordinal);
        Assert.Equal("42\n", await File.ReadAllTextAsync(_folder["secret.jsonl"], TestContext.Current.CancellationToken));
        Assert.False(Directory.Exists(_folder["secret.jsonl.parts"]));
    }

    /// <summary>Keeps all that is logged.</summary>
    private sealed class LogLines : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IReadOnlyCollection<string> Lines => _lines;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => _lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }

    private static StreamApiKey KeyOf(string secret, StreamRole role)
    {
        using var folder = new TestFolder();
        File.WriteAllText(folder["key"], secret + "\n");
        return StreamApiKey.FromFile(folder["key"], role);
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient http, HttpMethod method, string path, string? body = null, string? key = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (key is not null) request.Headers.Add("X-Api-Key", key);
        return await http.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
