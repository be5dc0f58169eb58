using OrleansStream.Checkpoints;
using OrleansStream.Exchange;
using OrleansStream.Hosting;
using OrleansStream.Jobs;

namespace OrleansStream.Stages;

/// <summary>Reaches neighbours by grain calls; references are made once per attempt.</summary>
internal sealed class GrainSubtaskNetwork(IGrainFactory grains, string job, Attempt attempt) : ISubtaskNetwork
{
    private readonly Dictionary<SubtaskId, ISubtaskGrain> _subtasks = [];

    public void Begin(SubtaskTable table)
    {
        foreach (var (id, address) in table.Addresses) _subtasks[id] = grains.GetGrain<ISubtaskGrain>(PinnedKey.Subtask(address.Silo, job, attempt, id));
    }

    public ValueTask<PostReply> PostAsync(SubtaskId to, Envelope envelope) => _subtasks[to].PostAsync(envelope);

    public Task CreditAsync(SubtaskId to, Credit credit) => _subtasks[to].CreditAsync(credit).AsTask();
}

/// <summary>Reaches the coordinator by grain calls.</summary>
internal sealed class GrainCoordinatorPort(IGrainFactory grains, string job, Attempt attempt) : ICoordinatorPort
{
    private ICheckpointGrain? _coordinator;

    public void Begin(string silo) => _coordinator = grains.GetGrain<ICheckpointGrain>(PinnedKey.Coordinator(silo, job, attempt));

    public Task<bool> ReceiptAsync(Receipt receipt) => _coordinator!.ReceiptAsync(receipt);

    public Task<bool> EndedAsync(SubtaskId subtask, Incarnation incarnation) => _coordinator!.EndedAsync(subtask, incarnation);

    public Task<bool> FailedAsync(SubtaskFailure failure) => _coordinator?.FailedAsync(failure) ?? Task.FromResult(false);
}
