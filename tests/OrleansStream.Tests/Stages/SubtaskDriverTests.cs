using Microsoft.Extensions.Time.Testing;
using OrleansStream.Exchange;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.Tests.Functions;

namespace OrleansStream.Tests.Stages;

/// <summary>The driver of one subtask, on a scheduler and a clock of the test's own, with neighbours that the test is.</summary>
public sealed class SubtaskDriverTests
{
    private const string Stage = "count";

    private readonly FakeTimeProvider _time = new();
    private readonly TaskScheduler _scheduler = new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler;
    private readonly Below _below = new();

    [Fact]
    public async Task An_answer_that_is_there_as_soon_as_it_is_asked_for_wakes_a_subtask_without_room()
    {
        var driver = await StartAsync();
        await SendAsync(driver, 1);
        Assert.Equal(1, _below.Records);

        // Little, and a moment after the first: gathered until something else is due. That is, together with more to do, when the clock has gone on.
        await SendAsync(driver, 2);
        Assert.Equal(1, _below.Records);
        await RunAsync(() =>
        {
            Assert.Null(driver.Post(Made(3)).Refusal);
            _time.Advance(TimeSpan.FromMilliseconds(Subtask.FlushAfterMs));
        });
        Assert.Equal(3, driver.Report().RecordsIn);
        for (var i = 0; i < 3; i++) await RunAsync(() => _time.Advance(TimeSpan.FromMilliseconds(Subtask.FlushAfterMs)));
        Assert.Equal(3, _below.Records);

        await RunAsync(() => _ = driver.EndAsync());
        await driver.Completion;
        Assert.Null(driver.Failure);
    }

    private static Envelope Made(long sequence) => Wiring.Envelope(sequence, CountingJob.Batch("a?"));

    private Task SendAsync(SubtaskDriver driver, long sequence) => RunAsync(() => Assert.Null(driver.Post(Made(sequence)).Refusal));

    private async Task<SubtaskDriver> StartAsync()
    {
        var graph = new JobGraph(Wiring.Context().Services);
        graph.From("commands", Collections.From<string>([]))
            .KeyBy(static command => command[..1])
            .Process(Stage, static _ => new Script(static (_, ref context) => context.Emit("told"), null))
            .KeyBy(static told => told)
            .Process("below", static _ => new Script(static (_, ref context) => context.Emit("told"), null))
            .To("results", new RecordingSink<string>());
        var plan = JobPlan.Create("payments", graph, 1, 128);
        var stage = plan.Stages.Single(static stage => stage.Name == Stage);
        var subtask = new Subtask(Wiring.Context(new SubtaskId(stage.Index, 0), 1, Stage), stage);
        var driver = new SubtaskDriver(subtask, _below, new Coordinator(), null!, new Turn(), _time, new SubtaskTimings());
        var table = subtask.Inputs.Select(static input => (input.From, Wiring.UpperOpening)).Concat(subtask.Outputs.Select(static output => (output.To, new Incarnation(33))));
        await RunAsync(() =>
        {
            _ = driver.OpenAsync(CancellationToken.None);
            driver.Start(new SubtaskTable(table.ToDictionary(static entry => entry.Item1, static entry => new SubtaskAddress("silo", entry.Item2))));
        });
        return driver;
    }

    /// <summary>Does something in a turn of the subtask's scheduler, and lets the subtask go on until it waits.</summary>
    private async Task RunAsync(Action act)
    {
        await Task.Factory.StartNew(act, CancellationToken.None, TaskCreationOptions.None, _scheduler);
        for (var turn = 0; turn < 1000; turn++) await Task.Factory.StartNew(static () => { }, CancellationToken.None, TaskCreationOptions.None, _scheduler);
    }

    /// <summary>Answers every call before it is awaited, and has processed what came before.</summary>
    private sealed class Below : ISubtaskNetwork
    {
        public int Records { get; private set; }

        public ValueTask<PostReply> PostAsync(SubtaskId to, Envelope envelope)
        {
            Records += envelope.Batch?.Count ?? 0;
            return new(new PostReply(null, envelope.Sequence - 1));
        }

        public ValueTask CreditAsync(SubtaskId to, Credit credit) => ValueTask.CompletedTask;
    }

    private sealed class Coordinator : ICoordinatorPort
    {
        public Task<bool> ReceiptAsync(Receipt receipt) => Task.FromResult(true);

        public Task<bool> EndedAsync(SubtaskId subtask, Incarnation incarnation) => Task.FromResult(true);

        public Task<bool> FailedAsync(SubtaskFailure failure) => Task.FromResult(true);
    }

    private sealed class Turn : ITurn
    {
        public async ValueTask NextAsync() => await Task.Yield();
    }
}
