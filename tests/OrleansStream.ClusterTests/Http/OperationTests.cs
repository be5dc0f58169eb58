using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace OrleansStream.ClusterTests.Http;

public sealed class OperationTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_repeat_with_the_same_key_is_the_same_operation_and_has_no_second_effect()
    {
        await using var silos = await HttpSilos.StartAsync(_folder);
        var http = silos.Client;
        await HttpSilos.DoAsync(http, "/api/jobs/numbers/start", new { parallelism = 1 });
        var first = await HttpSilos.BeginAsync(http, "/api/jobs/numbers/stop", new { reason = "once" }, "key-1");
        await HttpSilos.EndAsync(http, first);
        await HttpSilos.DoAsync(http, "/api/jobs/numbers/start");

        var repeat = await HttpSilos.BeginAsync(http, "/api/jobs/numbers/stop", new { reason = "once" }, "key-1");

        Assert.Equal(first.GetProperty("id").GetString(), repeat.GetProperty("id").GetString());
        Assert.Equal("done", repeat.GetProperty("state").GetString());
        Assert.Equal("running", await HttpSilos.PhaseAsync(http));
        using var other = await HttpSilos.PostAsync(http, "/api/jobs/numbers/stop", new { reason = "twice" }, "key-1");
        await HttpSilos.RequireProblemAsync(other, HttpStatusCode.UnprocessableEntity, "was given to another request");
        using var bad = await HttpSilos.PostAsync(http, "/api/jobs/numbers/stop", new { }, new string('k', 129));
        await HttpSilos.RequireProblemAsync(bad, HttpStatusCode.BadRequest, "Idempotency-Key");
    }

    [Fact]
    public async Task The_same_request_twice_while_it_is_under_way_is_one_operation()
    {
        await using var silos = await HttpSilos.StartAsync(_folder);

        var both = await Task.WhenAll(
            HttpSilos.BeginAsync(silos.Client, "/api/jobs/numbers/start", new { parallelism = 1 }), HttpSilos.BeginAsync(silos.Client, "/api/jobs/numbers/start", new { parallelism = 1 }));

        Assert.Equal(both[0].GetProperty("id").GetString(), both[1].GetProperty("id").GetString());
        await HttpSilos.EndAsync(silos.Client, both[0]);
        Assert.Equal(1, (await silos.Jobs.GetStatusAsync("numbers")).Attempt);
    }

    [Fact]
    public async Task Any_silo_answers_for_an_operation_also_when_the_one_that_took_it_is_gone()
    {
        await using var silos = await HttpSilos.StartAsync(_folder, silos: 2);
        var (first, second) = (silos.Clients[0], silos.Clients[1]);
        var started = await HttpSilos.DoAsync(second, "/api/jobs/numbers/start", new { parallelism = 2 });
        var id = started.GetProperty("id").GetString();
        var elsewhere = await first.GetFromJsonAsync<JsonElement>($"/api/operations/{id}", TestContext.Current.CancellationToken);
        Assert.True(elsewhere.GetProperty("isRemembered").GetBoolean());
        Assert.Equal("done", elsewhere.GetProperty("state").GetString());

        await silos.KillAsync(1);

        // What was remembered is gone with the silo that took the request; the job, which lost its leader there, comes back by itself.
        var after = await HttpSilos.EndWhenKnownAsync(first, started);
        Assert.Equal("done", after.GetProperty("state").GetString());
        Assert.False(after.GetProperty("isRemembered").GetBoolean());
        Assert.Equal(started.GetProperty("begun").GetDateTimeOffset().ToUnixTimeMilliseconds(), after.GetProperty("begun").GetDateTimeOffset().ToUnixTimeMilliseconds());
        await HttpSilos.DoAsync(first, "/api/jobs/numbers/stop");
        Assert.Equal("stopped", await HttpSilos.PhaseAsync(first));
    }

    [Fact]
    public async Task An_operation_that_nobody_remembers_is_told_from_the_status_of_the_job()
    {
        await using var silos = await HttpSilos.StartAsync(_folder);
        await HttpSilos.DoAsync(silos.Client, "/api/jobs/numbers/start", new { parallelism = 1 });

        var start = await silos.Client.GetFromJsonAsync<JsonElement>("/api/operations/numbers.start.0.1700000000000.0123456789abcdef", TestContext.Current.CancellationToken);
        var stop = await silos.Client.GetFromJsonAsync<JsonElement>("/api/operations/numbers.stop.1.1700000000000.0123456789abcdef", TestContext.Current.CancellationToken);

        Assert.Equal("done", start.GetProperty("state").GetString());
        Assert.False(start.GetProperty("isRemembered").GetBoolean());
        Assert.Equal("unknown", stop.GetProperty("state").GetString());
        Assert.Contains("Ask for the same again", stop.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }
}
