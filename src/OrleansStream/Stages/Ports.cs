using OrleansStream.Exchange;
using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream.Stages;

/// <summary>
/// How a subtask reaches its neighbours. A call that throws has an unknown outcome and is made again with the same number.
/// </summary>
internal interface ISubtaskNetwork
{
    ValueTask<PostReply> PostAsync(SubtaskId to, Envelope envelope);

    ValueTask CreditAsync(SubtaskId to, Credit credit);
}

/// <summary>How a subtask reaches its attempt's coordinator. Calls may be repeated; false means the coordinator no longer counts this opening in.</summary>
internal interface ICoordinatorPort
{
    Task<bool> ReceiptAsync(Receipt receipt);

    Task<bool> EndedAsync(SubtaskId subtask, Incarnation incarnation);

    Task<bool> FailedAsync(SubtaskFailure failure);
}

/// <summary>How a coordinator reaches the subtasks of its attempt.</summary>
internal interface ISubtaskPort
{
    Task TriggerAsync(SubtaskId subtask, Barrier barrier);

    /// <summary>A checkpoint is published: deltas build on it from now on, and a sink commits its output. Completes when that is done.</summary>
    Task CommitAsync(SubtaskId subtask, CommitPermit permit);

    Task<SubtaskReport> HeartbeatAsync(SubtaskId subtask);

    /// <summary>Tells a source subtask the lowest watermark of the others in its alignment group, and hears its own. A call that is lost is not missed: the next one says it all again.</summary>
    Task<long> AlignAsync(SubtaskId subtask, long lowestOfOthers);
}

/// <summary>Runs encoding beside the processing: on another thread in a silo, as another step in a simulation.</summary>
internal interface IOffload
{
    Task<T> RunAsync<T>(Func<T> work);
}

/// <summary>Lets the subtasks of a process go on in the order in which they asked, so that none is left out while others keep each other busy. Each has one of its own.</summary>
internal interface ITurn
{
    /// <summary>Completes when those who asked before have had their turn. Awaited before it is asked for again.</summary>
    ValueTask NextAsync();
}
