using System.Text.Json;
using OrleansStream.ClusterTests.AzureStorage;
using OrleansStream.ClusterTests.Cluster;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>The checkpoint store answers with errors, late, or not at all for a while.</summary>
public sealed class StoreTroubleTests(Garnet garnet, Azurite azurite)
{
    /// <summary>Fewer than the calls that are made before an attempt is given up, so that no one call can meet all of them.</summary>
    private const int Times = 7;

    public static TheoryData<StoreFault> Faults => [.. Enum.GetValues<StoreFault>()];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_store_that_fails_now_and_then_costs_no_attempt(StoreFault fault)
    {
        await using var proxy = await StoreProxy.StartAsync(await azurite.NewAccountAsync());
        await using var cluster = await StartAsync(proxy);
        // Late answers take their time, in which there must be work left.
        var (times, events) = fault == StoreFault.Delays ? (3, 500_000) : (Times, 200_000);
        var job = await AllroundOnCluster.StartAsync(cluster, events, keys: 200, rate: 20_000);
        await cluster.NextCheckpointAsync(AllroundJob.JobName);

        // Segments, manifests and log entries: at each time there is something of all in flight.
        for (var round = 0; round < 2; round++)
        {
            proxy.Break(fault, times, StoreProxy.Writes);
            await proxy.UsedAsync();
            await cluster.NextCheckpointAsync(AllroundJob.JobName, SiloCluster.Checkpoint(await cluster.StatusAsync(AllroundJob.JobName)));
        }

        // One after the other.
        proxy.Break(fault, fault == StoreFault.Delays ? 2 : Times, static request => StoreProxy.Writes(request) && StoreProxy.IsOfHistory(request));
        await proxy.UsedAsync();
        Assert.NotEqual("finished", SiloCluster.Text(await cluster.StatusAsync(AllroundJob.JobName), "phase"));

        var finished = await job.FinishAsync();
        Assert.True(SiloCluster.Text(finished, "attempt") == "1", $"An attempt was lost.\n{cluster.Printed}");
    }

    [Fact]
    public async Task A_store_that_takes_no_publication_for_long_is_said_to_and_costs_no_attempt()
    {
        await using var proxy = await StoreProxy.StartAsync(await azurite.NewAccountAsync());
        await using var cluster = await StartAsync(proxy);
        var job = await AllroundOnCluster.StartAsync(cluster, events: 400_000, keys: 200, rate: 20_000);
        await cluster.NextCheckpointAsync(AllroundJob.JobName);

        proxy.Break(StoreFault.Answers503, which: StoreProxy.IsOfHistory);
        var troubled = await cluster.WaitAsync(AllroundJob.JobName, "in trouble with its store", static status => Trouble(status) is not null);
        var left = proxy.Met;
        proxy.Heal();
        await cluster.WaitAsync(AllroundJob.JobName, "without trouble again", static status => Trouble(status) is null);

        Assert.Equal("running", SiloCluster.Text(troubled, "phase"));
        Assert.Contains("/orleansstream'", Trouble(troubled), StringComparison.Ordinal);
        Assert.Contains("503", Trouble(troubled), StringComparison.Ordinal);
        var finished = await job.FinishAsync();
        Assert.True(SiloCluster.Text(finished, "attempt") == "1", $"An attempt was lost, after {left} requests were refused.\n{cluster.Printed}");
    }

    [Fact]
    public async Task An_outage_that_outlasts_the_repetitions_costs_attempts_and_the_job_goes_on_by_itself_when_the_store_is_back()
    {
        await using var proxy = await StoreProxy.StartAsync(await azurite.NewAccountAsync());
        await using var cluster = await StartAsync(proxy);
        var job = await AllroundOnCluster.StartAsync(cluster, events: 200_000, keys: 200, rate: 20_000);
        await cluster.NextCheckpointAsync(AllroundJob.JobName);

        proxy.Break(StoreFault.LosesRequests);
        var waiting = await cluster.WaitAsync(AllroundJob.JobName, "waiting for another attempt", static status => SiloCluster.Text(status, "phase") == "waiting");
        // And one attempt more, that cannot even read the history.
        await cluster.WaitAsync(AllroundJob.JobName, "waiting once more", static status => status.GetProperty("failures").GetInt32() >= 2);
        proxy.Heal();

        Assert.Contains("/orleansstream'", SiloCluster.Text(waiting, "cause"), StringComparison.Ordinal);
        var finished = await job.FinishAsync();
        TestContext.Current.SendDiagnosticMessage($"{proxy.Met} requests lost; cause: {SiloCluster.Text(waiting, "cause")}");
        Assert.True(finished.GetProperty("summary").GetProperty("attempt").GetInt32() > 1, "No attempt was lost.");
    }

    private static string? Trouble(JsonElement status) => status.GetProperty("storeTrouble").GetString();

    private Task<SiloCluster> StartAsync(StoreProxy proxy) => SiloCluster.StartAsync(garnet, new SiloClusterOptions { Storage = $"azure={proxy.ConnectionString}" });
}
