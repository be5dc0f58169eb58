using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Checkpoints;
using OrleansStream.ClusterTests.Jobs;
using OrleansStream.Exchange;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Stages;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>A subtask that is opened a second time while the first opening works: it is refused or can do nothing, and the attempt goes on as if it were not there.</summary>
public sealed class SecondActivationTests : IAsyncDisposable
{
    private const long Records = 60_000;

    private readonly TestFolder _folder = new();
    private readonly CollectingSink<Counted> _results = new();
    private readonly Deployment _deployment = new();
    private TestSilos _cluster = null!;

    [Fact]
    public async Task A_subtask_that_is_opened_again_refuses_and_works_on()
    {
        await StartAsync();
        await CommittedAsync(attempt: 1);

        foreach (var opening in _deployment.Openings(Attempt.First))
        {
            var opened = await GrainOf(SiloOf(Attempt.First, opening.Id), opening).OpenAsync(opening);
            Assert.Contains($"Subtask {opening.Id} of attempt 1 of job 'job' was opened before.", opened.Problem, StringComparison.Ordinal);
            Assert.Equal(default, opened.Incarnation);
        }

        await RequireGoesOnAsync(attempt: 1, failures: 0);
    }

    [Fact]
    public async Task A_second_opening_on_another_silo_is_believed_by_nobody()
    {
        await StartAsync();
        await CommittedAsync(attempt: 1);
        var (table, coordinator) = _deployment.TableOf(Attempt.First);
        var second = await OpenElsewhereAsync(Attempt.First);

        // The table that each is given names itself, and otherwise the openings that work. Its sources read, and send what they read to those.
        foreach (var (opening, address) in second)
        {
            await GrainOf(address.Silo, opening).StartAsync(new SubtaskTable(new Dictionary<SubtaskId, SubtaskAddress>(table.Addresses) { [opening.Id] = address }), coordinator);
        }

        var told = CoordinatorOf(coordinator, Attempt.First);
        foreach (var (opening, address) in second)
        {
            Assert.False(await told.EndedAsync(opening.Id, address.Incarnation));
            Assert.False(await told.FailedAsync(new SubtaskFailure(opening.Id, address.Incarnation, "not of the table", true)));
            foreach (var (to, envelope) in _deployment.Sent(Attempt.First).Where(sent => sent.Envelope.From == opening.Id))
            {
                await RequireRefusedAsync(to, Forge(envelope, Attempt.First, address.Incarnation, envelope.ToIncarnation));
            }
        }

        foreach (var (to, envelope) in _deployment.Sent(Attempt.First))
        {
            await RequireRefusedAsync(to, Forge(envelope, Attempt.First, envelope.FromIncarnation, second[0].Address.Incarnation));
        }

        var sources = second.Where(static opened => opened.Opening.Id.Stage == 0).Select(static opened => opened.Address.Incarnation).ToList();
        await _cluster.WaitAsync(_ => sources.TrueForAll(source => _deployment.Refusals.Count(refused => refused.From == source) > 1));
        await RequireGoesOnAsync(attempt: 1, failures: 0);
    }

    [Fact]
    public async Task An_opening_of_an_older_attempt_is_believed_by_nobody()
    {
        await StartAsync();
        await CommittedAsync(attempt: 1);
        await CoordinatorOf(_deployment.TableOf(Attempt.First).Coordinator, Attempt.First).AbortAsync("for the test");
        var next = Attempt.First.Next;
        await CommittedAsync(attempt: 2);
        var coordinator = _deployment.TableOf(next).Coordinator;

        foreach (var (opening, address) in await OpenElsewhereAsync(Attempt.First))
        {
            Assert.False(await CoordinatorOf(coordinator, next).EndedAsync(opening.Id, address.Incarnation));
            foreach (var (to, envelope) in _deployment.Sent(next).Where(sent => sent.Envelope.From == opening.Id))
            {
                await RequireRefusedAsync(to, Forge(envelope, Attempt.First, address.Incarnation, envelope.ToIncarnation));
                await RequireRefusedAsync(to, Forge(envelope, Attempt.First, envelope.FromIncarnation, envelope.ToIncarnation));
            }
        }

        await RequireGoesOnAsync(attempt: 2, failures: 1);
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
        _folder.Dispose();
    }

    private async Task StartAsync()
    {
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
                builder.Services.AddSingleton(new JobRegistration("job", _ => new LambdaJob((graph, _) => SequenceJob.Define(graph, Records, _results)), null));
                builder.AddIncomingGrainCallFilter(_deployment);
            });
        await _cluster.Jobs.StartAsync("job", new JobStart { Parallelism = 2, RecordsPerSecond = 8_000 });
    }

    private Task<JobStatus> CommittedAsync(int attempt) => _cluster.WaitAsync(status =>
        status.Phase == JobPhase.Running && status.Attempt == attempt && status.Checkpoints.Count(static checkpoint => checkpoint.State == "committed") >= 2);

    /// <summary>Opens every subtask of an attempt once more, each on the silo that it is not on.</summary>
    private async Task<IReadOnlyList<(SubtaskOpening Opening, SubtaskAddress Address)>> OpenElsewhereAsync(Attempt attempt)
    {
        var silos = _deployment.TableOf(attempt).Table.Addresses.Values.Select(static address => address.Silo).Distinct().ToList();
        Assert.Equal(2, silos.Count);
        var opened = new List<(SubtaskOpening, SubtaskAddress)>();
        foreach (var opening in _deployment.Openings(attempt))
        {
            var silo = silos.Single(silo => silo != SiloOf(attempt, opening.Id));
            var answer = await GrainOf(silo, opening).OpenAsync(opening);
            Assert.Null(answer.Problem);
            Assert.NotEqual(_deployment.TableOf(attempt).Table.Addresses[opening.Id].Incarnation, answer.Incarnation);
            opened.Add((opening, new SubtaskAddress(silo, answer.Incarnation)));
        }

        return opened;
    }

    /// <summary>The next message on a channel, which says that it ends: one that would do harm if it were taken.</summary>
    private static Envelope Forge(Envelope last, Attempt attempt, Incarnation from, Incarnation to) => new()
    {
        Attempt = attempt,
        From = last.From,
        FromIncarnation = from,
        ToIncarnation = to,
        Channel = last.Channel,
        Sequence = last.Sequence + 1,
        End = true,
    };

    private async Task RequireRefusedAsync(string to, Envelope envelope) =>
        Assert.NotNull((await Grains.GetGrain<ISubtaskGrain>(to).PostAsync(envelope)).Refusal);

    private async Task RequireGoesOnAsync(int attempt, int failures)
    {
        Assert.Equal((JobPhase.Running, attempt), ((await _cluster.Jobs.GetStatusAsync("job")).Phase, (await _cluster.Jobs.GetStatusAsync("job")).Attempt));
        var finished = await _cluster.EndAsync();
        Assert.True((finished.Phase, finished.Attempt, finished.Failures) == (JobPhase.Finished, attempt, failures), $"{finished.Phase}, attempt {finished.Attempt}: {finished.Cause}");
        Assert.Equal(SequenceJob.Expected(Records), _results.Committed.OrderBy(static counted => counted.Key));
    }

    private IGrainFactory Grains => _cluster.Services.GetRequiredService<IGrainFactory>();

    private string SiloOf(Attempt attempt, SubtaskId subtask) => _deployment.TableOf(attempt).Table.Addresses[subtask].Silo;

    private ISubtaskGrain GrainOf(string silo, SubtaskOpening opening) => Grains.GetGrain<ISubtaskGrain>(PinnedKey.Subtask(silo, opening.Job, opening.Attempt, opening.Id));

    private ICheckpointGrain CoordinatorOf(string silo, Attempt attempt) => Grains.GetGrain<ICheckpointGrain>(PinnedKey.Coordinator(silo, "job", attempt));
}
