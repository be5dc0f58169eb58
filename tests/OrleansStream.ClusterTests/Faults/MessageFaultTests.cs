using OrleansStream.Checkpoints;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Silo.Jobs.Allround;
using OrleansStream.Stages;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>Calls between subtasks and coordinators on several silos that are lost, repeated, late and out of order: what is committed is what an undisturbed run commits.</summary>
public sealed class MessageFaultTests(ITestOutputHelper output)
{
    private const int Events = 40_000;
    private const int Keys = 200;

    /// <summary>The calls that go on while a job runs.</summary>
    private static readonly IReadOnlyList<string> Running =
    [
        nameof(ISubtaskGrain.PostAsync), nameof(ISubtaskGrain.CreditAsync), nameof(ISubtaskGrain.TriggerAsync), nameof(ISubtaskGrain.CommitAsync), nameof(ISubtaskGrain.HeartbeatAsync),
        nameof(ICheckpointGrain.ReceiptAsync),
    ];

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 3)]
    [InlineData(3, 3)]
    public async Task A_job_outlasts_lost_repeated_late_and_overtaken_calls_in_one_attempt(int seed, int silos)
    {
        var faults = new MessageFaults(seed, share: 0.15);

        var finished = await RunAsync(faults, silos);

        Assert.Equal((1, 0), (finished.Attempt, finished.Failures));
        Assert.All(Running, method => Assert.True(faults.Count(method) > 0, $"No call of {method} was disturbed: {faults}"));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public async Task A_job_outlasts_attempts_that_cannot_begin_as_well(int seed)
    {
        var faults = new MessageFaults(seed, share: 0.1, openings: 6);

        var finished = await RunAsync(faults, silos: 3, attempts: true);

        Assert.True(finished.Attempt > 1, $"All attempts began well: {faults}");
    }

    private async Task<JobStatus> RunAsync(MessageFaults faults, int silos, bool attempts = false)
    {
        using var folder = new TestFolder();
        var written = new AllroundOutput(folder["out"]);
        await using var cluster = await TestSilos.StartAsync(
            folder["checkpoints"],
            silos,
            static options =>
            {
                options.Restarts = RestartStrategy.Fixed(TimeSpan.FromMilliseconds(50), attempts: 100);
                options.RebalanceAfter = null;
            },
            builder =>
            {
                builder.AddStreamJob<AllroundJob>("job");
                builder.AddIncomingGrainCallFilter(faults);
            });
        var arguments = new JobArguments([new("events", $"{Events}"), new("keys", $"{Keys}"), new("output", folder["out"])]);
        await cluster.Jobs.StartAsync("job", new JobStart { Parallelism = 2, Arguments = arguments, RecordsPerSecond = 8_000 });

        // Refuses a job that has ended: everything has struck while there was work left.
        await cluster.WaitAsync(status => Enum.GetValues<MessageFault>().All(fault => faults.Count(fault) > 0) && faults.Overtaken > 0 && (!attempts || status.Attempt > 1));
        Assert.False(File.Exists(written.Records), "The output was complete before the faults struck.");
        var finished = await cluster.EndAsync();

        output.WriteLine($"{faults}; {finished.Attempt} attempts, {finished.Cause}");
        Assert.True(finished.Phase == JobPhase.Finished, $"{finished.Phase}: {finished.Cause}; {faults}");
        var found = written.Check(Events, Keys);
        Assert.True(found.Holds, $"{faults}\n{string.Join('\n', found.Problems)}");
        Assert.Equal(Events, found.Lines);
        return finished;
    }
}
