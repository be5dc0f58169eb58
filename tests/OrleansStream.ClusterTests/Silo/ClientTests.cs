using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OrleansStream.ClusterTests.Http;
using OrleansStream.Http;
using OrleansStream.Silo.CommandLine.Client;

namespace OrleansStream.ClusterTests.Silo;

/// <summary>The commands that ask a running cluster, against silos of this process.</summary>
public sealed class ClientTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_job_is_started_shown_rescaled_and_stopped_from_the_command_line()
    {
        await using var silos = await HttpSilos.StartAsync(_folder);
        var url = silos.Client.BaseAddress!.ToString();

        var started = (await CommandRun.OfAsync("start", "numbers", "--parallelism", "1", "--rate", "500", "--checkpoint-interval", "50ms", "--url", url)).Succeeded();
        Assert.Contains("Done: start numbers. The job runs, attempt 1, parallelism 1.", started.Output, StringComparison.Ordinal);

        var rescaled = (await CommandRun.OfAsync("rescale", "numbers", "2", "--url", url)).Succeeded();
        Assert.Contains("Done: rescale numbers. The job runs at parallelism 2.", rescaled.Output, StringComparison.Ordinal);

        var status = (await CommandRun.OfAsync("status", "numbers", "--url", url)).Succeeded().Output;
        Assert.Contains("numbers: running, attempt 2 from checkpoint 1-", status, StringComparison.Ordinal);
        Assert.Contains("last move: rescaling to 2", status, StringComparison.Ordinal);
        Assert.Matches(@"stage +subtasks +records/s", status);
        Assert.Matches(@"numbers +2 +", status);

        Assert.Matches(@"numbers +running +2 +2 ", (await CommandRun.OfAsync("jobs", "--url", url)).Succeeded().Output);
        var stopped = (await CommandRun.OfAsync("stop", "numbers", "--reason", "enough", "--url", url)).Succeeded();
        Assert.Contains("Done: stop numbers. Stopped in attempt 2.", stopped.Output, StringComparison.Ordinal);
        Assert.Contains("enough", (await CommandRun.OfAsync("status", "numbers", "--url", url)).Succeeded().Output, StringComparison.Ordinal);
        Assert.Matches(@"2-\d+ +.* committed ", (await CommandRun.OfAsync("checkpoints", "numbers", "--url", url)).Succeeded().Output);
        Assert.Equal(["allround", "average-sensor-readings", "sensor-anomalies"], (await CommandRun.OfAsync("jobs")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task A_job_over_files_is_started_with_arguments_of_several_values()
    {
        await using var silos = await HttpSilos.StartAsync(_folder, stream: options => options.Files.Roots.Add(_folder.Path));
        await File.WriteAllTextAsync(_folder["a=b.jsonl"], "1\n", TestContext.Current.CancellationToken);

        (await CommandRun.OfAsync("start", "copy", "--arg", $"input={_folder["a=b.jsonl"]}", "--arg", $"output={_folder["out.jsonl"]}", "--parallelism", "1", "--url", silos.Client.BaseAddress!.ToString())).Succeeded();
        await silos.Jobs.WaitForEndAsync("copy", TestContext.Current.CancellationToken);

        Assert.Equal("1\n", await File.ReadAllTextAsync(_folder["out.jsonl"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task With_json_the_output_is_the_answer_and_nothing_else()
    {
        await using var silos = await HttpSilos.StartAsync(_folder);
        var url = silos.Client.BaseAddress!.ToString();

        var begun = Parse(await CommandRun.OfAsync("start", "numbers", "--parallelism", "1", "--no-wait", "--json", "--url", url));
        Assert.Equal("numbers", begun.GetProperty("job").GetString());
        var done = Parse(await CommandRun.OfAsync("start", "numbers", "--parallelism", "1", "--wait", "--json", "--url", url));
        Assert.Equal("done", done.GetProperty("state").GetString());
        Assert.Equal("running", Parse(await CommandRun.OfAsync("status", "numbers", "--json", "--url", url)).GetProperty("summary").GetProperty("phase").GetString());
        Assert.Equal(2, Parse(await CommandRun.OfAsync("jobs", "--json", "--url", url)).GetArrayLength());
        Assert.Equal(JsonValueKind.Array, Parse(await CommandRun.OfAsync("checkpoints", "numbers", "--json", "--url", url)).ValueKind);

        static JsonElement Parse(CommandRun run) => JsonSerializer.Deserialize<JsonElement>(run.Succeeded().Output);
    }

    [Fact]
    public async Task What_goes_wrong_is_one_line_that_says_what_to_do()
    {
        await using var silos = await HttpSilos.StartAsync(_folder);
        var url = silos.Client.BaseAddress!.ToString();
        var nobody = $"http://localhost:{TestSilos.FreePort()}";

        (await CommandRun.OfAsync("status", "numbers", "--url", nobody)).Failed(1, $"No silo answers at {nobody}/", "--url");
        (await CommandRun.OfAsync("start", "numbers", "--url", nobody)).Failed(1, $"No silo answers at {nobody}/");
        (await CommandRun.OfAsync("start", "nubmers", "--url", url)).Failed(1, "There is no job 'nubmers'. Did you mean 'numbers'?");
        (await CommandRun.OfAsync("status", "Num/bers", "--url", url)).Failed(1, "1 to 64 characters");
        (await CommandRun.OfAsync("start", "copy", "--arg", "input=a", "--url", url)).Failed(1, "does not limit which files jobs may open");
        (await CommandRun.OfAsync("start", "copy", "--url", url)).Failed(1, "needs an argument 'input'");
        (await CommandRun.OfAsync("rescale", "numbers", "2", "--url", url)).Failed(1, "does not run");
        (await CommandRun.OfAsync("start", "numbers", "--parallelism", "1", "--url", url)).Succeeded();
        (await CommandRun.OfAsync("start", "numbers", "--parallelism", "2", "--url", url)).Failed(1, "runs at parallelism 1, not 2");
    }

    [Theory]
    [InlineData("start", "needs|Required argument")]
    [InlineData("status numbers --url ftp://localhost", "is no address of a silo")]
    [InlineData("status numbers --url localhost:8081", "is no address of a silo")]
    [InlineData("start numbers --arg input", "write --arg NAME=VALUE")]
    [InlineData("rescale numbers none", "no parallelism")]
    [InlineData("rescale numbers 0", "no parallelism")]
    [InlineData("stop numbers --wait --no-wait", "cannot be given together")]
    [InlineData("stop numbers --reson x", "Did you mean '--reason'?")]
    public async Task A_wrong_command_line_is_told_apart_from_a_refusal(string line, string saying)
    {
        var run = await CommandRun.OfAsync(line.Split(' '));

        Assert.Equal(2, run.ExitCode);
        Assert.Matches(saying.Replace("?", @"\?", StringComparison.Ordinal), run.ErrorLine);
    }

    [Fact]
    public async Task The_key_comes_from_the_environment_and_is_never_shown()
    {
        await using var silos = await HttpSilos.StartAsync(_folder, http: static options => options.ApiKeys.Add(SecurityTests.Key()));
        var url = silos.Client.BaseAddress!.ToString();

        var (code, printed) = await RunAsync(null, "jobs", "--url", url);
        Assert.Equal(1, code);
        Assert.Contains("wants an API key: put it into the environment variable ORLEANSSTREAM_API_KEY", printed, StringComparison.Ordinal);
        (code, printed) = await RunAsync("wrong-0123456789abcdef", "jobs", "--url", url);
        Assert.Equal(1, code);
        Assert.Contains("does not know the API key", printed, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-0123456789abcdef", printed, StringComparison.Ordinal);
        (code, printed) = await RunAsync(SecurityTests.Secret, "start", "numbers", "--parallelism", "1", "--url", url, "--verbose");
        Assert.True(code == 0, printed);
        Assert.DoesNotContain("readable for everybody", printed, StringComparison.Ordinal);
        Assert.DoesNotContain(SecurityTests.Secret, printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_whose_first_answer_is_lost_is_made_once()
    {
        var names = new List<string>();
        await using var server = await ServeAsync((http, tries) =>
        {
            names.Add(http.Request.Headers["Idempotency-Key"].ToString());
            if (tries == 1) http.Abort();
            return tries == 1 ? Results.Empty : Results.Json(new OperationView("job.stop.1.1.0123456789abcdef", "job", "stop", OperationState.Done, null, "Stopped.", DateTimeOffset.UnixEpoch, null, true), JobReads.Json, statusCode: 202);
        });

        (await CommandRun.OfAsync("stop", "job", "--url", server.Urls.First())).Succeeded();

        Assert.Equal(2, names.Count);
        Assert.Equal(names[0], names[1]);
        Assert.Equal(32, names[0].Length);
    }

    [Fact]
    public async Task What_is_no_silo_is_told_and_nobody_is_followed_elsewhere()
    {
        await using var elsewhere = await ServeAsync(static (_, _) => throw new InvalidOperationException("The client followed."));
        await using var server = await ServeAsync((http, _) => http.Request.Method == "POST" ? Results.Text("hello") : Results.Redirect(elsewhere.Urls.First() + "/api/jobs"));

        (await CommandRun.OfAsync("jobs", "--url", server.Urls.First())).Failed(1, "is no silo: it says 302");
        (await CommandRun.OfAsync("stop", "job", "--url", server.Urls.First())).Failed(1, "is no silo of this version");
    }

    private static async Task<(int Code, string Printed)> RunAsync(string? key, params string[] args)
    {
        await using var silo = SiloProcess.StartWith(key is null ? new Dictionary<string, string>() : new Dictionary<string, string> { [ClusterClient.KeyVariable] = key }, args);
        return (await silo.EndAsync(), silo.Printed);
    }

    private static async Task<WebApplication> ServeAsync(Func<HttpContext, int, IResult> answer)
    {
        var tries = 0;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRouting();
        var server = builder.Build();
        server.Map("/{**rest}", (HttpContext http) => answer(http, ++tries));
        await server.StartAsync();
        return server;
    }
}
