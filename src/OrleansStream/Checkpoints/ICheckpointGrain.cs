using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Checkpoints;

/// <summary>The coordinator of one attempt, pinned to the silo of the job grain that opened it.</summary>
internal interface ICheckpointGrain : IGrainWithStringKey
{
    /// <summary>Takes over what the job grain left for it on this silo, and begins the attempt's log; false when the job was taken over.</summary>
    [ResponseTimeout("00:05:00")]
    Task<bool> OpenAsync();

    Task BeginAsync(SubtaskTable table);

    Task<bool> ReceiptAsync(Receipt receipt);

    Task<bool> EndedAsync(SubtaskId subtask, Incarnation incarnation);

    Task<bool> FailedAsync(SubtaskFailure failure);

    Task StopAsync(string reason);

    Task KeepChainAsync();

    Task MoveAsync(PlannedMove move);

    Task AbortAsync(string cause);

    Task<AttemptOutcome?> OutcomeAsync();

    Task<AttemptReport> ReportAsync();
}
