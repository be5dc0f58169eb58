using OrleansStream.Exchange;
using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream.Stages;

/// <summary>One subtask of one attempt, pinned to the silo that its key names.</summary>
internal interface ISubtaskGrain : IGrainWithStringKey
{
    [ResponseTimeout("00:10:00")]
    Task<SubtaskOpened> OpenAsync(SubtaskOpening opening);

    Task StartAsync(SubtaskTable table, string coordinatorSilo);

    ValueTask<PostReply> PostAsync(Envelope envelope);

    ValueTask CreditAsync(Credit credit);

    Task TriggerAsync(Barrier barrier);

    [ResponseTimeout("00:02:00")]
    Task CommitAsync(CommitPermit permit);

    Task<SubtaskReport> HeartbeatAsync();

    Task<long> AlignAsync(long lowestOfOthers);

    /// <summary>Ends the subtask because its silo leaves, and lets the coordinator know.</summary>
    Task LeaveAsync(string cause);

    Task EndAsync();
}
