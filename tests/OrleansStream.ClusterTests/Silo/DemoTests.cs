using System.Diagnostics;
using System.Net;
using System.Text.Json;

namespace OrleansStream.ClusterTests.Silo;

public sealed class DemoTests
{
    [Fact]
    public async Task The_silo_without_a_command_prints_averages_shows_its_status_and_stops_within_five_seconds()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var port = TestSilos.FreePort();
        using var temporary = new TestFolder();
        await using var silo = SiloProcess.StartIn(temporary.Path, "--http-port", $"{port}");

        await silo.LineAsync("where the status page is", line => line == $"Status page: http://localhost:{port}");
        await silo.LineAsync("how to run it on a file", static line => line.Contains("-- run average-sensor-readings --input", StringComparison.Ordinal));
        Assert.Single(Directory.EnumerateDirectories(temporary.Path, "orleansstream-demo-*"));
        await silo.LineAsync("an average", static line => line.Contains("°C", StringComparison.Ordinal));
        await silo.LineAsync("the progress", static line => line.Contains("records/s", StringComparison.Ordinal) && line.Contains("watermark", StringComparison.Ordinal) && line.Contains("checkpoint", StringComparison.Ordinal));

        using var http = new HttpClient { BaseAddress = new Uri($"http://localhost:{port}") };
        Assert.Contains("<title>OrleansStream</title>", await http.GetStringAsync("/", cancellation), StringComparison.Ordinal);
        using var jobs = JsonDocument.Parse(await http.GetStringAsync("/api/jobs", cancellation));
        Assert.Equal("running", jobs.RootElement.EnumerateArray().Single(static job => job.GetProperty("job").GetString() == "average-sensor-readings").GetProperty("phase").GetString());
        using var job = JsonDocument.Parse(await http.GetStringAsync("/api/jobs/average-sensor-readings", cancellation));
        Assert.Equal(["readings", "average"], job.RootElement.GetProperty("stages").EnumerateArray().Select(static stage => stage.GetProperty("name").GetString()));
        Assert.True(job.RootElement.GetProperty("stages")[0].GetProperty("recordsIn").GetInt64() > 0);
        Assert.NotEqual(0, job.RootElement.GetProperty("checkpoints").GetArrayLength());

        using var unknown = await http.GetAsync("/api/jobs/average-sensor-reading", cancellation);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Equal("application/problem+json", unknown.Content.Headers.ContentType?.MediaType);
        Assert.Contains("Did you mean 'average-sensor-readings'?", await unknown.Content.ReadAsStringAsync(cancellation), StringComparison.Ordinal);

        using var byAnotherName = new HttpRequestMessage(HttpMethod.Get, "/api/jobs") { Headers = { Host = "status.example.com" } };
        using var refused = await http.SendAsync(byAnotherName, cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);

        var clock = Stopwatch.StartNew();
        await silo.TerminateAsync();
        Assert.Equal(0, await silo.EndAsync());
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"It took {clock.Elapsed} to stop.");
        Assert.EndsWith("Stopped.", silo.Printed, StringComparison.Ordinal);
        Assert.DoesNotContain("error", silo.Printed, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateDirectories(temporary.Path, "orleansstream-demo-*"));
    }
}
