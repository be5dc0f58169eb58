using OrleansStream.Checkpoints;
using OrleansStream.Exchange;
using OrleansStream.Hosting;
using OrleansStream.Jobs;

namespace OrleansStream.Stages;

/// <summary>
/// Reaches neighbours by grain calls; references are made once per attempt. Within the silo a call hands over the very batch, and the receiver
/// gives it back to the pool. Between silos the receiver reads a batch of its own, and the sender's is given back here.
/// </summary>
internal sealed class GrainSubtaskNetwork(IGrainFactory grains, string job, Attempt attempt, SubtaskId own) : ISubtaskNetwork
{
    private readonly Dictionary<SubtaskId, (ISubtaskGrain Grain, bool IsElsewhere)> _subtasks = [];

    /// <summary>Envelopes of which a call failed, so that a message with them may still wait to be sent. Those of open calls at most.</summary>
    private readonly HashSet<Envelope> _doubtful = [];

    public void Begin(SubtaskTable table)
    {
        var here = table.Addresses[own].Silo;
        foreach (var (id, address) in table.Addresses)
        {
            _subtasks[id] = (grains.GetGrain<ISubtaskGrain>(PinnedKey.Subtask(address.Silo, job, attempt, id)), address.Silo != here);
        }
    }

    public ValueTask<PostReply> PostAsync(SubtaskId to, Envelope envelope)
    {
        var (grain, isElsewhere) = _subtasks[to];
        return isElsewhere && envelope.Batch is { } batch ? PostElsewhereAsync(grain, envelope, batch) : grain.PostAsync(envelope);
    }

    public ValueTask CreditAsync(SubtaskId to, Credit credit) => _subtasks[to].Grain.CreditAsync(credit);

    /// <summary>
    /// Sends to another silo and gives the batch back to the pool once nobody can read it any more: when the first call that was not answered
    /// "not yet" was answered, with the envelope taken. The answer proves that the call's only message was written out to its end, and taken means that it is not made
    /// again. A call that failed may have left its message in a queue; then the batch is left to the garbage collector. (Should a message be written a second time all
    /// the same, it carries what the batch holds by then under a number that the opening it is addressed to has taken: it is answered unread.)
    /// </summary>
    private async ValueTask<PostReply> PostElsewhereAsync(ISubtaskGrain to, Envelope envelope, Batch batch)
    {
        PostReply reply;
        try
        {
            reply = await to.PostAsync(envelope);
        }
        catch
        {
            _doubtful.Add(envelope);
            throw;
        }

        if (reply is { Refusal: null, IsNotYet: false } && !_doubtful.Remove(envelope)) batch.Recycle();
        return reply;
    }
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
