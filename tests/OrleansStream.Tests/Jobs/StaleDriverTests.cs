using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.Tests.Checkpoints;

namespace OrleansStream.Tests.Jobs;

/// <summary>What a job's driver writes down of the job's end, and what it must not: it may have slept while another took the job over and went on.</summary>
public sealed class StaleDriverTests
{
    private readonly InMemoryStore _store = new();
    private readonly WithdrawableSink _sink = new();
    private readonly JobPlan _plan;

    public StaleDriverTests()
    {
        var graph = new JobGraph(new ServiceCollection().BuildServiceProvider());
        graph.From("numbers", Collections.From([1, 2, 3])).To("out", _sink);
        _plan = JobPlan.Create(Samples.Job, graph, 1, 128);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_driver_that_was_taken_over_does_not_take_what_was_dropped_for_damaged()
    {
        var newest = await PublishAsync();
        _store.BeforeRead = async name =>
        {
            if (name != newest.Name) return;
            _store.BeforeRead = null;
            await HistoryLog.TakeOverAsync(_store, Samples.Job, "other", Samples.Retry(), Cancellation);
            _store.Delete(name);
        };
        var driver = await RunAsync(new Port());

        Assert.Equal(JobPhase.Idle, driver.Phase);
        Assert.Null(_sink.WithdrawnAfter);
    }

    [Fact]
    public async Task A_driver_that_was_not_taken_over_falls_back_past_a_damaged_checkpoint()
    {
        var newest = await PublishAsync();
        _store.Delete(newest.Name);
        await RunAsync(new Port());

        Assert.Equal(Samples.Id(1, 1), _sink.WithdrawnAfter);
    }

    [Fact]
    public async Task The_last_failure_of_a_driver_is_written_down()
    {
        await PublishAsync();
        await RunAsync(new Port());

        Assert.IsType<Failed>((await HistoryLog.ReadAsync(_store, Samples.Job, Samples.Retry(), Cancellation)).End);
    }

    [Fact]
    public async Task A_rescale_that_no_attempt_came_to_carry_out_outlasts_the_failure_of_the_job()
    {
        await PublishAsync(rescale: 3);
        await RunAsync(new Port());
        var history = await HistoryLog.ReadAsync(_store, Samples.Job, Samples.Retry(), Cancellation);

        Assert.IsType<Failed>(history.End);
        Assert.Equal((3, 0), (history.LastStarted!.Parallelism, history.LastStarted.RescaledOver));
    }

    [Fact]
    public async Task The_failure_of_a_driver_that_was_taken_over_says_nothing_of_the_job()
    {
        await PublishAsync();
        await RunAsync(new Port
        {
            OnOpenCoordinator = async () =>
            {
                var takeover = await HistoryLog.TakeOverAsync(_store, Samples.Job, "other", Samples.Retry(), Cancellation);
                await AttemptLog.BeginAsync(_store, Samples.Job, takeover.History.LastStarted! with { WriterId = "other", Attempt = takeover.Next }, Samples.Retry(), Cancellation);
            },
        });
        var history = await HistoryLog.ReadAsync(_store, Samples.Job, Samples.Retry(), Cancellation);

        Assert.Null(history.End);
        Assert.Equal(3, history.LastStarted!.Attempt.Number);
        Assert.Equal(3, history.Attempts);
    }

    [Fact]
    public async Task A_stop_between_two_attempts_is_written_down()
    {
        await PublishAsync();
        var port = new Port();
        var driver = Make(port, RestartStrategy.Fixed(TimeSpan.FromHours(1), attempts: 5));
        port.OnOpenCoordinator = () =>
        {
            driver.Stop("enough");
            return Task.CompletedTask;
        };
        await RunAsync(driver);

        Assert.Equal((JobPhase.Stopped, "enough"), (driver.Phase, driver.Cause));
        var stopped = Assert.IsType<Stopped>((await HistoryLog.ReadAsync(_store, Samples.Job, Samples.Retry(), Cancellation)).End);
        Assert.Equal("enough", stopped.Reason);
    }

    [Fact]
    public async Task A_driver_that_wrote_the_end_down_is_not_taken_over_by_itself_when_it_is_started_again()
    {
        await PublishAsync();
        var port = new Port();
        var driver = await RunAsync(port);
        var opened = 0;
        port.OnOpenCoordinator = () =>
        {
            opened++;
            return Task.CompletedTask;
        };
        await RunAsync(driver);

        Assert.Equal((JobPhase.Failed, 1), (driver.Phase, opened));
    }

    [Theory]
    [InlineData(1, JobPhase.Idle)]
    [InlineData(2, JobPhase.Failed)]
    public async Task What_a_driver_hands_over_that_slept_while_others_went_on_is_not_taken_up(int attempt, JobPhase phase)
    {
        await PublishAsync();
        var takeover = await HistoryLog.TakeOverAsync(_store, Samples.Job, "other", Samples.Retry(), Cancellation);
        await AttemptLog.BeginAsync(_store, Samples.Job, takeover.History.LastStarted! with { WriterId = "other", Attempt = takeover.Next }, Samples.Retry(), Cancellation);
        var driver = Make(new Port(), RestartStrategy.None);

        driver.Continue(new JobStart(), HandOver.Nothing with { Attempt = new Attempt(attempt) });
        await driver.Completion.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);

        Assert.Equal(phase, driver.Phase);
    }

    /// <summary>A first attempt that published two checkpoints, the newer for a rescale when there is one; answers the newer.</summary>
    private async Task<ManifestRef> PublishAsync(int? rescale = null)
    {
        var started = new Started("first", Attempt.First, null, JobArguments.None.ToMap(), 1, 128, _plan.Fingerprint, new Dictionary<string, IReadOnlyList<SourceSplit>>(), [], Samples.At);
        var log = (await AttemptLog.BeginAsync(_store, Samples.Job, started, Samples.Retry(), Cancellation))!;
        List<ManifestRef> kept = [];
        for (var number = 1; number <= 2; number++)
        {
            kept.Insert(0, await ManifestObject.WriteAsync(_store, Samples.Manifest(Samples.Id(1, number)) with { Sinks = new Dictionary<string, SinkManifest>() }, Samples.At, Samples.Retry(), Cancellation));
            Assert.True(await log.AppendAsync(new Published("first", kept[0], [.. kept]) { Parallelism = number == 2 ? rescale : null }, Cancellation));
        }

        return kept[0];
    }

    private Task<JobDriver> RunAsync(Port port) => RunAsync(Make(port, RestartStrategy.None));

    private static async Task<JobDriver> RunAsync(JobDriver driver)
    {
        driver.Start(new JobStart());
        await driver.Completion.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        return driver;
    }

    private JobDriver Make(Port port, RestartStrategy restarts)
    {
        var rules = new JobRules { Checkpoints = new CheckpointRules { Interval = TimeSpan.FromSeconds(1) }, Restarts = restarts };
        var writers = 0;
        return new JobDriver(Samples.Job, _ => _plan, port, _store, rules, Samples.Retry(), () => $"stale-{++writers}", TimeProvider.System);
    }

    private sealed class WithdrawableSink : Sink<int>
    {
        public CheckpointId? WithdrawnAfter { get; private set; }

        public override SinkGuarantee Guarantee => SinkGuarantee.ExactlyOnce;

        public override bool CanWithdraw => true;

        public override ValueTask<SinkWriter<int>> OpenAsync(SinkContext context, CancellationToken cancellation) => throw new NotSupportedException();

        public override ValueTask WithdrawAsync(CheckpointId after, Attempt before, CommitPermit permit, CancellationToken cancellation)
        {
            WithdrawnAfter = after;
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>A cluster in which no coordinator can be opened.</summary>
    private sealed class Port : IJobPort
    {
        public Func<Task> OnOpenCoordinator { get; set; } = static () => Task.CompletedTask;

        public IReadOnlyList<string> Silos => [];

        public IReadOnlyDictionary<SubtaskId, string> PlacesOf(string job) => RunningAttempt.Nowhere;

        public async Task<bool> OpenCoordinatorAsync(CoordinatorOpening opening)
        {
            await OnOpenCoordinator();
            throw new StreamException("There is no room for a coordinator.");
        }

        public Task EndOlderAsync(string silo, string job, Attempt before) => Task.CompletedTask;

        public Task<int> ReadAheadAsync(string silo, IReadOnlyList<SubtaskOpening> coming) => throw new NotSupportedException();

        public Task AbortCoordinatorAsync(string job, Attempt attempt, string cause) => Task.CompletedTask;

        public Task<SubtaskOpened> OpenSubtaskAsync(string silo, SubtaskOpening opening) => throw new NotSupportedException();

        public Task StartSubtaskAsync(SubtaskOpening opening, SubtaskAddress address, SubtaskTable table) => throw new NotSupportedException();

        public Task BeginCoordinatorAsync(string job, Attempt attempt, SubtaskTable table) => throw new NotSupportedException();

        public Task<AttemptOutcome?> OutcomeAsync(string job, Attempt attempt) => throw new NotSupportedException();

        public Task<AttemptReport> ReportAsync(string job, Attempt attempt) => throw new NotSupportedException();

        public Task KeepChainAsync(string job, Attempt attempt) => throw new NotSupportedException();

        public Task MoveCoordinatorAsync(string job, Attempt attempt, PlannedMove move) => throw new NotSupportedException();

        public Task StopCoordinatorAsync(string job, Attempt attempt, string reason) => throw new NotSupportedException();
    }
}
