using OrleansStream.Checkpoints;
using OrleansStream.Exchange;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Stages;
using Barrier = OrleansStream.Exchange.Barrier;

namespace OrleansStream.Testing.Simulation;

/// <summary>How a job's driver reaches the others.</summary>
internal sealed class SimulatedJobPort(Silo here) : IJobPort
{
    public IReadOnlyList<string> Silos => here.Run.Members;

    public IReadOnlyDictionary<SubtaskId, string> PlacesOf(string job) => here.Running?.Places ?? RunningAttempt.Nowhere;

    public Task EndOlderAsync(string silo, string job, Attempt before) => here.Run.Network.CallAsync(
        here,
        silo,
        Network.LongTimeout,
        static there => there.Agent,
        async agent =>
        {
            await agent.Silo.EndOlderAsync(before);
            return true;
        });

    public Task<int> ReadAheadAsync(string silo, IReadOnlyList<SubtaskOpening> coming) => here.Run.Network.CallAsync(
        here, silo, Network.LongTimeout, static there => there.Agent, agent => agent.ReadAheadAsync([.. coming.Select(here.Run.Build.Opening)]));

    public Task<SubtaskOpened> OpenSubtaskAsync(string silo, SubtaskOpening opening) => here.Run.Network.CallAsync(
        here, silo, Network.LongTimeout, there => there.Subtask(opening.Attempt, opening.Id), subtask => subtask.OpenAsync(here.Run.Build.Opening(opening)));

    public Task StartSubtaskAsync(SubtaskOpening opening, SubtaskAddress address, SubtaskTable table) => here.Run.Network.CallAsync(
        here, address.Silo, Network.ShortTimeout, there => there.Subtask(opening.Attempt, opening.Id), subtask => subtask.StartAsync(table, here.Name));

    public Task<bool> OpenCoordinatorAsync(CoordinatorOpening opening)
    {
        var attempt = opening.Started.Attempt;
        here.Leave($"coordinator {attempt}", opening);
        return CoordinatorAsync(attempt, Network.LongTimeout, static coordinator => coordinator.OpenAsync());
    }

    public Task BeginCoordinatorAsync(string job, Attempt attempt, SubtaskTable table) =>
        CoordinatorAsync(attempt, Network.ShortTimeout, coordinator => coordinator.BeginAsync(table));

    public Task<AttemptOutcome?> OutcomeAsync(string job, Attempt attempt) =>
        CoordinatorAsync(attempt, Network.ShortTimeout, static coordinator => coordinator.OutcomeAsync());

    public Task<AttemptReport> ReportAsync(string job, Attempt attempt) =>
        CoordinatorAsync(attempt, Network.ShortTimeout, static coordinator => coordinator.ReportAsync());

    public Task StopCoordinatorAsync(string job, Attempt attempt, string reason) =>
        CoordinatorAsync(attempt, Network.ShortTimeout, coordinator => coordinator.StopAsync(reason));

    public Task KeepChainAsync(string job, Attempt attempt) =>
        CoordinatorAsync(attempt, Network.ShortTimeout, static coordinator => coordinator.KeepChainAsync());

    public Task MoveCoordinatorAsync(string job, Attempt attempt, PlannedMove move) =>
        CoordinatorAsync(attempt, Network.ShortTimeout, coordinator => coordinator.MoveAsync(move));

    public Task AbortCoordinatorAsync(string job, Attempt attempt, string cause) =>
        CoordinatorAsync(attempt, Network.ShortTimeout, coordinator => coordinator.AbortAsync(cause));

    private Task<T> CoordinatorAsync<T>(Attempt attempt, TimeSpan timeout, Func<CoordinatorActivation, Task<T>> call) =>
        here.Run.Network.CallAsync(here, here.Name, timeout, silo => silo.Coordinator(attempt), call);
}

/// <summary>How a subtask reaches its neighbours.</summary>
internal sealed class SimulatedSubtaskNetwork(SubtaskActivation self, Attempt attempt) : ISubtaskNetwork
{
    private readonly Silo _here = self.Silo;
    private readonly Dictionary<SubtaskId, string> _silos = [];
    private readonly EngineBuild _build = self.Silo.Run.Build;

    public void Begin(SubtaskTable table)
    {
        foreach (var (id, address) in table.Addresses) _silos[id] = address.Silo;
    }

    public ValueTask<PostReply> PostAsync(SubtaskId to, Envelope envelope)
    {
        var leaving = _build.Leaving(self, to, envelope);
        return new(_here.Run.Network.CallAsync(
            _here, _silos[to], Network.ShortTimeout, silo => _build.Addressee(silo, attempt, to), subtask => _build.DeliverAsync(_here, subtask, leaving)));
    }

    public ValueTask CreditAsync(SubtaskId to, Credit credit)
    {
        var telling = _build.Crediting(self, credit);
        return new(_here.Run.Network.CallAsync(_here, _silos[to], Network.ShortTimeout, silo => silo.Subtask(attempt, to), subtask => subtask.CreditAsync(telling)));
    }
}

/// <summary>How a subtask reaches its coordinator.</summary>
internal sealed class SimulatedCoordinatorPort(Silo here, Attempt attempt, SubtaskId self) : ICoordinatorPort
{
    private string? _silo;

    public void Begin(string silo) => _silo = silo;

    public Task<bool> ReceiptAsync(Receipt receipt) => CallAsync(coordinator => coordinator.ReceiptAsync(receipt));

    public Task<bool> EndedAsync(SubtaskId subtask, Incarnation incarnation) => CallAsync(coordinator => coordinator.EndedAsync(subtask, incarnation));

    public Task<bool> FailedAsync(SubtaskFailure failure) => _silo is null ? Task.FromResult(false) : CallAsync(coordinator => coordinator.FailedAsync(failure));

    private Task<bool> CallAsync(Func<CoordinatorActivation, Task<bool>> call) =>
        here.Run.Network.CallAsync(here, _silo ?? throw new InvalidOperationException($"Subtask {self} calls its coordinator before it was started."), Network.ShortTimeout, silo => silo.Coordinator(attempt), call);
}

/// <summary>How a coordinator reaches its subtasks.</summary>
internal sealed class SimulatedSubtaskPort(Silo here, Attempt attempt) : ISubtaskPort
{
    private readonly Dictionary<SubtaskId, string> _silos = [];

    public void Begin(SubtaskTable table)
    {
        foreach (var (id, address) in table.Addresses) _silos[id] = address.Silo;
    }

    public Task TriggerAsync(SubtaskId subtask, Barrier barrier) => CallAsync(subtask, Network.ShortTimeout, one => one.TriggerAsync(barrier));

    public Task CommitAsync(SubtaskId subtask, CommitPermit permit) => CallAsync(subtask, Network.LongTimeout, one => one.CommitAsync(permit));

    public Task<SubtaskReport> HeartbeatAsync(SubtaskId subtask) => CallAsync(subtask, Network.ShortTimeout, static one => one.HeartbeatAsync());

    public Task<long> AlignAsync(SubtaskId subtask, long lowestOfOthers) => CallAsync(subtask, Network.ShortTimeout, one => one.AlignAsync(lowestOfOthers));

    private Task<T> CallAsync<T>(SubtaskId subtask, TimeSpan timeout, Func<SubtaskActivation, Task<T>> call) =>
        here.Run.Network.CallAsync(here, _silos[subtask], timeout, silo => silo.Subtask(attempt, subtask), call);
}
