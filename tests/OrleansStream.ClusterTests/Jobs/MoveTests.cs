using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Checkpoints;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.State;

namespace OrleansStream.ClusterTests.Jobs;

/// <summary>Planned moves of a job that runs: what it gives must be what an unbroken run gives, and no attempt may have failed.</summary>
public sealed class MoveTests(ITestOutputHelper output)
{
    private const long Records = 60_000;
    private const double RecordsPerSecond = 15_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_job_that_is_rescaled_twice_while_it_runs_loses_and_doubles_nothing(int silos)
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        // All of its small state changes between checkpoints, so that a chain is long soon: what is read ahead is to be read before the next full snapshot, on a busy machine as well.
        await using var cluster = await StartAsync(folder, results, silos, interval: TimeSpan.FromSeconds(1));
        await cluster.Jobs.StartAsync("job", new JobStart { Parallelism = 2, RecordsPerSecond = RecordsPerSecond / 2 });
        await CommittedAsync(cluster, 1);

        foreach (var parallelism in (int[])[4, 3])
        {
            var before = cluster.AllServices.Sum(static services => services.GetRequiredService<TablesAhead>().Taken);
            Assert.True(await cluster.Jobs.RescaleAsync("job", parallelism, TestContext.Current.CancellationToken));
            var status = await cluster.Jobs.GetStatusAsync("job");
            output.WriteLine($"{status.LastMove}");
            Assert.Equal((parallelism, $"rescaling to {parallelism}", 0), (status.Parallelism, status.LastMove!.Reason, status.Failures));
            Assert.All(status.Stages, stage => Assert.Equal(parallelism, stage.Subtasks.Count));
            Assert.True(status.LastMove.Checkpoint > TimeSpan.Zero, "The attempt did not end with a checkpoint of its own.");
            Assert.True(cluster.AllServices.Sum(static services => services.GetRequiredService<TablesAhead>().Taken) > before, "No tables were read ahead.");
            await CommittedAsync(cluster, 1);
        }

        Assert.False(await cluster.Jobs.RescaleAsync("job", 3, TestContext.Current.CancellationToken));
        await RequireSameAsUnbrokenAsync(cluster, results, attempts: 3);
    }

    [Fact]
    public async Task A_rescale_outlasts_a_crash_and_starts_that_say_nothing_of_it()
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        await using (var cluster = await StartRegisteredAsync(folder, results))
        {
            await CommittedAsync(cluster, 1);
            Assert.True(await cluster.Jobs.RescaleAsync("job", 4, TestContext.Current.CancellationToken));
            await cluster.RemoveAsync(silo: 0, gracefully: false);
        }

        await using var next = await StartRegisteredAsync(folder, results);
        Assert.Equal(4, (await next.WaitAsync(static status => status.Phase == JobPhase.Running)).Parallelism);
        await next.Jobs.StopAsync("job", "for the test");
        await next.EndAsync();
        await next.Jobs.StartAsync("job");
        Assert.Equal(4, (await next.WaitAsync(static status => status.Phase == JobPhase.Running)).Parallelism);
        await RequireSameAsUnbrokenAsync(next, results, attempts: 4);
    }

    [Fact]
    public async Task A_rescale_that_cannot_be_is_refused_with_what_is_wrong()
    {
        using var folder = new TestFolder();
        await using var cluster = await StartAsync(folder, new CollectingSink<Counted>(), silos: 1);
        Task<JobRefusedException> RefusedAsync(string job, int parallelism) =>
            Assert.ThrowsAsync<JobRefusedException>(() => cluster.Jobs.RescaleAsync(job, parallelism, TestContext.Current.CancellationToken));

        Assert.Contains("There is no job 'jop'. Did you mean", (await RefusedAsync("jop", 2)).Message, StringComparison.Ordinal);
        Assert.Contains("does not run, it is idle: start it", (await RefusedAsync("job", 2)).Message, StringComparison.Ordinal);
        await cluster.Jobs.StartAsync("job", new JobStart { Parallelism = 1, RecordsPerSecond = 100 });
        await cluster.WaitAsync(static status => status.Phase == JobPhase.Running);
        Assert.Contains("it must be from 1 to its number of key groups, 128", (await RefusedAsync("job", 0)).Message, StringComparison.Ordinal);
        Assert.Contains("it must be from 1 to its number of key groups, 128", (await RefusedAsync("job", 129)).Message, StringComparison.Ordinal);
        var first = cluster.Jobs.RescaleAsync("job", 2, TestContext.Current.CancellationToken);
        await cluster.WaitAsync(static status => status.Moving is not null || status.LastMove is not null);
        var second = await Record.ExceptionAsync(() => cluster.Jobs.RescaleAsync("job", 3, TestContext.Current.CancellationToken));
        if (second is not null) Assert.Contains("in the middle of another planned move, rescaling to 2", second.Message, StringComparison.Ordinal);
        Assert.True(await first);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_job_goes_on_elsewhere_behind_a_checkpoint_when_a_silo_leaves_gracefully(int leader)
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        await using var cluster = await StartAsync(folder, results, silos: 3);
        // A job is led from where it was first called, its subtasks on all silos; the last silo leaves.
        await cluster.JobsOf(leader + 1).StartAsync("job", new JobStart { Parallelism = 3, RecordsPerSecond = RecordsPerSecond });
        await CommittedAsync(cluster, 2);
        Assert.Equal(3, Silos(await cluster.Jobs.GetStatusAsync("job")).Count);

        await cluster.RemoveAsync(silo: 2, gracefully: true);
        var moved = await cluster.WaitAsync(static status => status.LastMove is not null);

        output.WriteLine($"{moved.LastMove}");
        Assert.Contains("which is leaving", moved.LastMove!.Reason, StringComparison.Ordinal);
        Assert.Equal((2, 0), (moved.LastMove.Attempt, moved.Failures));
        Assert.True(moved.LastMove.Checkpoint > TimeSpan.Zero, "The attempt did not end with a checkpoint of its own.");
        Assert.Equal(2, Silos(moved).Count);
        await RequireSameAsUnbrokenAsync(cluster, results, attempts: 2);
    }

    [Fact]
    public async Task Subtasks_move_to_a_silo_that_joins()
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        await using var cluster = await StartAsync(folder, results, silos: 1, TimeSpan.FromSeconds(1));
        await cluster.Jobs.StartAsync("job", new JobStart { Parallelism = 2, RecordsPerSecond = RecordsPerSecond });
        await CommittedAsync(cluster, 1);
        Assert.Single(Silos(await cluster.Jobs.GetStatusAsync("job")));

        await cluster.AddAsync();
        var moved = await cluster.WaitAsync(static status => status.LastMove is not null);

        output.WriteLine($"{moved.LastMove}");
        Assert.Equal(2, Silos(moved).Count);
        await RequireSameAsUnbrokenAsync(cluster, results, attempts: 2);
    }

    [Fact]
    public async Task A_silo_that_leaves_does_not_wait_for_silos_that_read_ahead_for_another_move_for_long()
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        var store = new StuckStore(new LocalFolderStore(folder["checkpoints"]));
        await using var cluster = await TestSilos.StartAsync(folder["checkpoints"], (graph, _) => SequenceJob.Define(graph, Records * 10, results), silos: 2, options =>
        {
            options.RebalanceAfter = null;
            options.ReviveJobs = false;
            options.LongestReadAhead = TimeSpan.FromHours(1);
            options.Checkpoints.Store = _ => store;
        });
        await cluster.Jobs.StartAsync("job", new JobStart { Parallelism = 2, RecordsPerSecond = RecordsPerSecond });
        await CommittedAsync(cluster, 2);

        store.Stick();
        var rescaling = cluster.Jobs.RescaleAsync("job", 3, TestContext.Current.CancellationToken);
        await store.Stuck.WaitAsync(TestContext.Current.CancellationToken);
        await cluster.RemoveAsync(silo: 1, gracefully: true);
        var moved = await cluster.WaitAsync(static status => status.LastMove is not null);

        output.WriteLine($"{moved.LastMove}");
        Assert.Equal(("rescaling to 3", 2, 0, 3), (moved.LastMove!.Reason, moved.LastMove.Attempt, moved.Failures, moved.Parallelism));
        Assert.True(moved.LastMove.Checkpoint > TimeSpan.Zero, "The attempt did not end with a checkpoint of its own.");
        Assert.True(await rescaling);
        await cluster.Jobs.StopAsync("job", "for the test");
        await cluster.EndAsync();
    }

    private static Task<TestSilos> StartAsync(TestFolder folder, CollectingSink<Counted> results, int silos, TimeSpan? rebalanceAfter = null, TimeSpan? interval = null) =>
        TestSilos.StartAsync(folder["checkpoints"], (graph, _) => SequenceJob.Define(graph, Records, results), silos, options =>
        {
            options.Checkpoints.Interval = interval ?? options.Checkpoints.Interval;
            options.RebalanceAfter = rebalanceAfter;
            options.ReviveJobs = false;
        });

    /// <summary>One silo, at which the job is registered with all it needs and starts by itself.</summary>
    private static Task<TestSilos> StartRegisteredAsync(TestFolder folder, CollectingSink<Counted> results) => TestSilos.StartAsync(
        folder["checkpoints"], silos: 1, configure: null, builder => builder.Services.AddSingleton(new JobRegistration(
            "job", _ => new LambdaJob((graph, _) => SequenceJob.Define(graph, Records, results)), new JobStart { Parallelism = 2, RecordsPerSecond = RecordsPerSecond })));

    private static Task<JobStatus> CommittedAsync(TestSilos cluster, int checkpoints) =>
        cluster.WaitAsync(status => status.Checkpoints.Count(static checkpoint => checkpoint.State == "committed") >= checkpoints);

    private static HashSet<string> Silos(JobStatus status) => [.. status.Stages.SelectMany(static stage => stage.Subtasks).Select(static subtask => subtask.Silo)];

    private static async Task RequireSameAsUnbrokenAsync(TestSilos cluster, CollectingSink<Counted> results, int attempts)
    {
        var finished = await cluster.EndAsync();
        Assert.Equal((JobPhase.Finished, attempts, 0), (finished.Phase, finished.Attempt, finished.Failures));
        Assert.Equal(SequenceJob.Expected(Records), results.Committed.OrderBy(static counted => counted.Key));
    }

    /// <summary>A store of which one read never ends, until whoever reads gives up.</summary>
    private sealed class StuckStore(ICheckpointStore store) : ICheckpointStore
    {
        private readonly TaskCompletionSource _stuck = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _sticks;

        public Task Stuck => _stuck.Task;

        public string Location => store.Location;

        public void Stick() => Volatile.Write(ref _sticks, 1);

        public async ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation)
        {
            if (Interlocked.Exchange(ref _sticks, 0) == 1)
            {
                _stuck.SetResult();
                await Task.Delay(Timeout.Infinite, cancellation);
            }

            return await store.ReadRangeAsync(name, offset, length, cancellation);
        }

        public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation) => store.ReadAsync(name, cancellation);

        public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) => store.TryCreateAsync(name, content, cancellation);

        public IObjectWriter BeginObject(string name) => store.BeginObject(name);

        public ValueTask DeleteAsync(string name, CancellationToken cancellation) => store.DeleteAsync(name, cancellation);

        public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellation) => store.ListAsync(prefix, cancellation);
    }
}
