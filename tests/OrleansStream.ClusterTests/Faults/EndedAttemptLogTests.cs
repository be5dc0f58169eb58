using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansStream.ClusterTests.Jobs;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Stages;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>
/// What a person reads in the log when an attempt ends and its subtasks on one silo hear of it later than those on another, and so send to subtasks that have ended: that is an echo, and no trouble.
/// </summary>
public sealed class EndedAttemptLogTests : IAsyncDisposable
{
    private const long Records = 60_000;
    private const string Echo = " ended behind its attempt: ";

    /// <summary>How long after the first silo the second one hears that an attempt has ended: long enough for it to send, be refused, and send again, on a machine that is busy.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(1500);

    /// <summary>How long what is sent to the first silo is under way, so that some always is.</summary>
    private static readonly TimeSpan UnderWay = TimeSpan.FromMilliseconds(30);

    private readonly TestFolder _folder = new();
    private readonly CollectingSink<Counted> _results = new();
    private readonly LogRecorder _log = new();
    private TestSilos _cluster = null!;

    [Fact]
    public async Task A_planned_move_warns_of_nothing()
    {
        await StartAsync(trap: null);
        await CommittedAsync();

        foreach (var parallelism in (int[])[3, 4]) Assert.True(await _cluster.Jobs.RescaleAsync("job", parallelism, TestContext.Current.CancellationToken));

        await FinishAsync();
        Assert.Contains(_log.At(LogLevel.Debug), static line => line.Contains(Echo, StringComparison.Ordinal));
        Assert.Empty(_log.At(LogLevel.Warning));
    }

    [Fact]
    public async Task A_failure_is_warned_of_once_whatever_it_ends()
    {
        await StartAsync(new Trap(static record => record.Value == 400, times: 1));

        await FinishAsync();
        Assert.Contains(_log.At(LogLevel.Debug), static line => line.Contains(Echo, StringComparison.Ordinal));
        Assert.Contains("trapped at 400", Assert.Single(_log.At(LogLevel.Warning)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_that_leaves_says_of_those_jobs_that_ran_that_they_go_on()
    {
        await StartAsync(trap: null);
        await CommittedAsync();
        foreach (var idle in (string[])["idle-one", "idle-two"]) Assert.Equal(JobPhase.Idle, (await _cluster.JobsOf(1).GetStatusAsync(idle)).Phase);

        await _cluster.RemoveAsync(silo: 1, gracefully: true);

        await FinishAsync();
        Assert.StartsWith("1 running jobs go on without this silo, which leaves, ", Assert.Single(_log.At(LogLevel.Information), static line => line.Contains("which leaves", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Empty(_log.At(LogLevel.Warning));
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
        _folder.Dispose();
        _log.Dispose();
    }

    private async Task StartAsync(Trap? trap)
    {
        var silos = 0;
        _cluster = await TestSilos.StartAsync(
            _folder["checkpoints"],
            silos: 2,
            static options =>
            {
                options.Restarts = RestartStrategy.Fixed(TimeSpan.FromMilliseconds(20), attempts: 5);
                options.RebalanceAfter = null;
                options.ReviveJobs = false;
            },
            builder =>
            {
                _log.AddTo(builder);
                foreach (var job in (string[])["job", "idle-one", "idle-two"])
                    builder.Services.AddSingleton(new JobRegistration(job, _ => new LambdaJob((graph, _) => SequenceJob.Define(graph, Records, _results, trap)), null));
                if (++silos == 2) builder.AddIncomingGrainCallFilter(new Slow(typeof(ISiloGrain), nameof(ISiloGrain.EndOlderAsync), Late));
                else builder.AddIncomingGrainCallFilter(new Slow(typeof(ISubtaskGrain), nameof(ISubtaskGrain.PostAsync), UnderWay));
            });
        await _cluster.JobsOf(0).StartAsync("job", new JobStart { Parallelism = 2, RecordsPerSecond = 12_000 });
    }

    private Task<JobStatus> CommittedAsync() => _cluster.WaitAsync(static status => status.Checkpoints.Any(static checkpoint => checkpoint.State == "committed"));

    private async Task FinishAsync()
    {
        var finished = await _cluster.EndAsync();
        Assert.True((finished.Phase, finished.Attempt > 1) == (JobPhase.Finished, true), $"{finished.Phase}, attempt {finished.Attempt}: {finished.Cause}");
        Assert.Equal(SequenceJob.Expected(Records), _results.Committed.OrderBy(static counted => counted.Key));
    }

    /// <summary>A silo that takes its time for calls of one method.</summary>
    private sealed class Slow(Type grain, string method, TimeSpan delay) : IIncomingGrainCallFilter
    {
        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.InterfaceMethod?.DeclaringType == grain && context.InterfaceMethod.Name == method) await Task.Delay(delay);
            await context.Invoke();
        }
    }
}
