using OrleansStream.Checkpoints;
using OrleansStream.Hosting;
using OrleansStream.Stages;

namespace OrleansStream.Jobs;

/// <summary>Reaches silos, subtasks and the coordinator by grain calls.</summary>
internal sealed class GrainJobPort(IGrainFactory grains, IClusterMembershipService membership, ILocalSiloDetails local, SiloSubtasks subtasks, CoordinatorHandover handover) : IJobPort
{
    public IReadOnlyList<string> Silos =>
    [
        .. membership.CurrentSnapshot.Members.Values
            .Where(static member => member.Status == SiloStatus.Active)
            .Select(static member => member.SiloAddress.ToParsableString())
            .Order(StringComparer.Ordinal),
    ];

    private string Here => local.SiloAddress.ToParsableString();

    public IReadOnlyDictionary<SubtaskId, string> PlacesOf(string job) => subtasks.LastOf(job)?.Places ?? RunningAttempt.Nowhere;

    public Task EndOlderAsync(string silo, string job, Attempt before) => Agent(silo).EndOlderAsync(job, before);

    public Task<int> ReadAheadAsync(string silo, IReadOnlyList<SubtaskOpening> coming) => Agent(silo).ReadAheadAsync(coming);

    public Task<SubtaskOpened> OpenSubtaskAsync(string silo, SubtaskOpening opening) =>
        grains.GetGrain<ISubtaskGrain>(PinnedKey.Subtask(silo, opening.Job, opening.Attempt, opening.Id)).OpenAsync(opening);

    public Task StartSubtaskAsync(SubtaskOpening opening, SubtaskAddress address, SubtaskTable table) =>
        grains.GetGrain<ISubtaskGrain>(PinnedKey.Subtask(address.Silo, opening.Job, opening.Attempt, opening.Id)).StartAsync(table, Here);

    public Task<bool> OpenCoordinatorAsync(CoordinatorOpening opening)
    {
        handover.Leave(PinnedKey.Coordinator(Here, opening.Plan.Job, opening.Started.Attempt), opening);
        return Coordinator(opening.Plan.Job, opening.Started.Attempt).OpenAsync();
    }

    public Task BeginCoordinatorAsync(string job, Attempt attempt, SubtaskTable table) => Coordinator(job, attempt).BeginAsync(table);

    public Task<AttemptOutcome?> OutcomeAsync(string job, Attempt attempt) => Coordinator(job, attempt).OutcomeAsync();

    public Task<AttemptReport> ReportAsync(string job, Attempt attempt) => Coordinator(job, attempt).ReportAsync();

    public Task StopCoordinatorAsync(string job, Attempt attempt, string reason) => Coordinator(job, attempt).StopAsync(reason);

    public Task KeepChainAsync(string job, Attempt attempt) => Coordinator(job, attempt).KeepChainAsync();

    public Task MoveCoordinatorAsync(string job, Attempt attempt, PlannedMove move) => Coordinator(job, attempt).MoveAsync(move);

    public Task AbortCoordinatorAsync(string job, Attempt attempt, string cause) => Coordinator(job, attempt).AbortAsync(cause);

    private ISiloGrain Agent(string silo) => grains.GetGrain<ISiloGrain>(PinnedKey.Of(silo, "silo"));

    private ICheckpointGrain Coordinator(string job, Attempt attempt) => grains.GetGrain<ICheckpointGrain>(PinnedKey.Coordinator(Here, job, attempt));
}
