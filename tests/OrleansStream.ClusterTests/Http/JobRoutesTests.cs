using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace OrleansStream.ClusterTests.Http;

public sealed class JobRoutesTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_job_is_started_looked_at_and_stopped_and_goes_on_from_its_last_checkpoint()
    {
        await using var silos = await HttpSilos.StartAsync(_folder);
        var http = silos.Client;
        var listed = await http.GetFromJsonAsync<JsonElement>("/api/jobs", TestContext.Current.CancellationToken);
        Assert.Equal(["copy", "numbers"], listed.EnumerateArray().Select(static job => job.GetProperty("job").GetString()));

        var started = await HttpSilos.DoAsync(http, "/api/jobs/numbers/start", new { parallelism = 2, recordsPerSecond = 500, checkpointInterval = "50ms" });
        Assert.Equal("start", started.GetProperty("verb").GetString());
        Assert.True(started.GetProperty("isRemembered").GetBoolean());
        Assert.True(started.GetProperty("ended").GetDateTimeOffset() >= started.GetProperty("begun").GetDateTimeOffset().AddMilliseconds(-1));
        var job = await http.GetFromJsonAsync<JsonElement>("/api/jobs/numbers", TestContext.Current.CancellationToken);
        Assert.Equal("running", job.GetProperty("summary").GetProperty("phase").GetString());
        Assert.Equal(2, job.GetProperty("summary").GetProperty("parallelism").GetInt32());

        var stopped = await HttpSilos.DoAsync(http, "/api/jobs/numbers/stop", new { reason = "for the night" });
        Assert.Equal("stop", stopped.GetProperty("verb").GetString());
        job = await http.GetFromJsonAsync<JsonElement>("/api/jobs/numbers", TestContext.Current.CancellationToken);
        Assert.Equal("stopped", job.GetProperty("summary").GetProperty("phase").GetString());
        Assert.Equal("for the night", job.GetProperty("summary").GetProperty("cause").GetString());
        var checkpoints = await http.GetFromJsonAsync<JsonElement>("/api/jobs/numbers/checkpoints", TestContext.Current.CancellationToken);
        Assert.Contains(checkpoints.EnumerateArray(), static checkpoint => checkpoint.GetProperty("state").GetString() == "committed");

        // It leaves out the parallelism, which is then the last one.
        await HttpSilos.DoAsync(http, "/api/jobs/numbers/start");
        job = await http.GetFromJsonAsync<JsonElement>("/api/jobs/numbers", TestContext.Current.CancellationToken);
        Assert.Equal(2, job.GetProperty("summary").GetProperty("parallelism").GetInt32());
        Assert.StartsWith("1-", job.GetProperty("restoredFrom").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_over_files_is_started_with_arguments_and_runs_to_its_end()
    {
        var input = _folder["in.jsonl"];
        await File.WriteAllTextAsync(input, "1\n2\n3\n", TestContext.Current.CancellationToken);
        await using var silos = await HttpSilos.StartAsync(_folder, stream: options => options.Files.Roots.Add(_folder.Path));

        await HttpSilos.DoAsync(silos.Client, "/api/jobs/copy/start", new { parallelism = 1, arguments = new { input = new[] { input }, output = _folder["out.jsonl"] } });
        await silos.Jobs.WaitForEndAsync("copy", TestContext.Current.CancellationToken);

        Assert.Equal("1\n2\n3\n", await File.ReadAllTextAsync(_folder["out.jsonl"], TestContext.Current.CancellationToken));
        var again = await HttpSilos.DoAsync(silos.Client, "/api/jobs/copy/start");
        Assert.Contains("had finished before", again.GetProperty("detail").GetString(), StringComparison.Ordinal);
        var late = await HttpSilos.DoAsync(silos.Client, "/api/jobs/copy/stop");
        Assert.Contains("run to its end", late.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_running_job_is_rescaled_and_keeps_its_parallelism_when_it_is_started_again()
    {
        await using var silos = await HttpSilos.StartAsync(_folder);
        var http = silos.Client;
        await RefusedAsync(await HttpSilos.PostAsync(http, "/api/jobs/numbers/rescale", new { parallelism = 2 }), HttpStatusCode.Conflict, "does not run, it is idle");
        await HttpSilos.DoAsync(http, "/api/jobs/numbers/start", new { parallelism = 1 });

        var rescaled = await HttpSilos.DoAsync(http, "/api/jobs/numbers/rescale", new { parallelism = 3 });

        Assert.Equal("The job runs at parallelism 3.", rescaled.GetProperty("detail").GetString());
        var job = await http.GetFromJsonAsync<JsonElement>("/api/jobs/numbers", TestContext.Current.CancellationToken);
        Assert.Equal(3, job.GetProperty("summary").GetProperty("parallelism").GetInt32());
        Assert.Equal("rescaling to 3", job.GetProperty("lastMove").GetProperty("reason").GetString());
        Assert.StartsWith("1-", job.GetProperty("restoredFrom").GetString(), StringComparison.Ordinal);
        var again = await HttpSilos.DoAsync(http, "/api/jobs/numbers/rescale", new { parallelism = 3 });
        Assert.Contains("nothing was done", again.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await RefusedAsync(await HttpSilos.PostAsync(http, "/api/jobs/numbers/rescale", new { parallelism = 129 }), HttpStatusCode.BadRequest, "from 1 to 128");
        await RefusedAsync(await HttpSilos.PostAsync(http, "/api/jobs/numbers/rescale", new { }), HttpStatusCode.BadRequest, "must be given");

        await HttpSilos.DoAsync(http, "/api/jobs/numbers/stop");
        await HttpSilos.DoAsync(http, "/api/jobs/numbers/start");
        job = await http.GetFromJsonAsync<JsonElement>("/api/jobs/numbers", TestContext.Current.CancellationToken);
        Assert.Equal(3, job.GetProperty("summary").GetProperty("parallelism").GetInt32());
    }

    [Fact]
    public async Task A_start_that_the_job_refuses_fails_with_the_cause()
    {
        await using var silos = await HttpSilos.StartAsync(_folder, stream: options => options.Files.Roots.Add(_folder.Path));

        var failed = await HttpSilos.EndAsync(silos.Client, await HttpSilos.BeginAsync(silos.Client, "/api/jobs/copy/start"));

        Assert.Equal("failed", failed.GetProperty("state").GetString());
        Assert.Contains("needs an argument 'input'", failed.GetProperty("cause").GetString(), StringComparison.Ordinal);
        Assert.NotEqual(JsonValueKind.Null, failed.GetProperty("ended").ValueKind);
    }

    [Fact]
    public async Task Requests_that_ask_for_nothing_there_is_are_refused_with_what_is_wrong()
    {
        await using var silos = await HttpSilos.StartAsync(_folder);
        var http = silos.Client;

        await RefusedAsync(await http.GetAsync("/api/jobs/nubmers", TestContext.Current.CancellationToken), HttpStatusCode.NotFound, "Did you mean 'numbers'?");
        await RefusedAsync(await http.GetAsync("/api/jobs/nubmers/checkpoints", TestContext.Current.CancellationToken), HttpStatusCode.NotFound, "Did you mean 'numbers'?");
        await RefusedAsync(await HttpSilos.PostAsync(http, "/api/jobs/nubmers/start", new { }), HttpStatusCode.NotFound, "Did you mean 'numbers'?");
        await RefusedAsync(await http.GetAsync("/api/operations/whatever", TestContext.Current.CancellationToken), HttpStatusCode.BadRequest);
        await RefusedAsync(await http.GetAsync("/api/operations/gone.start.1.1.0123456789abcdef", TestContext.Current.CancellationToken), HttpStatusCode.NotFound);
        await RefusedAsync(await http.GetAsync("/api/jobs/numbers/nothing/here", TestContext.Current.CancellationToken), HttpStatusCode.NotFound, "/openapi/v1.json");
        using var wrong = await http.DeleteAsync("/api/jobs/numbers", TestContext.Current.CancellationToken);
        await RefusedAsync(wrong, HttpStatusCode.MethodNotAllowed, "GET");
        Assert.Equal(["GET"], wrong.Content.Headers.Allow);
        await RefusedAsync(await http.GetAsync("/api/jobs/numbers/start", TestContext.Current.CancellationToken), HttpStatusCode.MethodNotAllowed, "POST");
    }

    [Fact]
    public async Task A_start_at_another_parallelism_than_that_of_the_running_job_is_a_conflict()
    {
        await using var silos = await HttpSilos.StartAsync(_folder);
        await HttpSilos.DoAsync(silos.Client, "/api/jobs/numbers/start", new { parallelism = 1 });

        await RefusedAsync(await HttpSilos.PostAsync(silos.Client, "/api/jobs/numbers/start", new { parallelism = 2 }), HttpStatusCode.Conflict, "runs at parallelism 1, not 2");
        await HttpSilos.DoAsync(silos.Client, "/api/jobs/numbers/start", new { parallelism = 1 });
    }

    [Fact]
    public async Task The_document_describes_every_route_with_its_body_answers_and_errors()
    {
        await using var silos = await HttpSilos.StartAsync(_folder, http: static options => options.ApiKeys.Add(SecurityTests.Key()));
        silos.Client.DefaultRequestHeaders.Add("X-Api-Key", SecurityTests.Secret);

        var document = await silos.Client.GetFromJsonAsync<JsonElement>("/openapi/v1.json", TestContext.Current.CancellationToken);

        Assert.StartsWith("3.", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        var paths = document.GetProperty("paths").EnumerateObject().ToDictionary(static path => path.Name, static path => path.Value);
        Assert.Equal(
            ["/api/jobs", "/api/jobs/{name}", "/api/jobs/{name}/checkpoints", "/api/jobs/{name}/rescale", "/api/jobs/{name}/start", "/api/jobs/{name}/stop", "/api/operations/{id}"], paths.Keys.Order(StringComparer.Ordinal));
        var start = paths["/api/jobs/{name}/start"].GetProperty("post");
        Assert.Equal(
            ["202", "400", "401", "403", "404", "409", "413", "415", "422", "503"], start.GetProperty("responses").EnumerateObject().Select(static answer => answer.Name).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["arguments", "checkpointInterval", "parallelism", "recordsPerSecond"],
            start.GetProperty("requestBody").GetProperty("content").GetProperty("application/json").GetProperty("schema").GetProperty("properties").EnumerateObject().Select(static member => member.Name).Order(StringComparer.Ordinal));
        Assert.Contains(start.GetProperty("parameters").EnumerateArray(), static parameter => parameter.GetProperty("name").GetString() == "Idempotency-Key");
        var answers = document.GetProperty("components").GetProperty("schemas");
        Assert.True(answers.GetProperty("OperationView").GetProperty("properties").TryGetProperty("state", out _));
        Assert.True(answers.TryGetProperty("ProblemDetails", out _));
        Assert.Equal("X-Api-Key", document.GetProperty("components").GetProperty("securitySchemes").GetProperty("apiKey").GetProperty("name").GetString());
    }

    private static async Task RefusedAsync(HttpResponseMessage answer, HttpStatusCode status, params string[] saying)
    {
        using (answer) await HttpSilos.RequireProblemAsync(answer, status, saying);
    }
}
