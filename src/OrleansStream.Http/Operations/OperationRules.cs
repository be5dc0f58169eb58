using System.Globalization;
using OrleansStream.Jobs;

namespace OrleansStream.Http;

/// <summary>What a look at a job says of an operation.</summary>
internal readonly record struct Verdict(OperationState State, string? Text = null);

/// <summary>Decides what may be begun and what has come of it, from the job's status alone.</summary>
internal static class OperationRules
{
    /// <summary>Why a request must not be begun as the job stands; null when it may.</summary>
    public static string? Conflict(OperationRequest request, JobStatus status)
    {
        if (request.Verb == OperationVerb.Rescale) return RescaleConflict(status);
        if (request.Verb != OperationVerb.Start) return null;
        if (status.Phase == JobPhase.Stopping) return $"Job '{status.Job}' is stopping: start it when it has stopped.";
        return IsActive(status) && status.Parallelism > 0 && request.Start?.Parallelism is { } wanted && wanted != status.Parallelism
            ? $"Job '{status.Job}' runs at parallelism {status.Parallelism}, not {wanted}: rescale it to {wanted}."
            : null;
    }

    /// <summary>How an operation stands that is being carried out.</summary>
    public static Verdict Watched(OperationVerb verb, JobStatus status) => (verb, status.Phase) switch
    {
        (OperationVerb.Start, JobPhase.Running or JobPhase.Stopping) => new(OperationState.Done, RunsAs(status)),
        (OperationVerb.Start, JobPhase.Finished) => new(OperationState.Done, status.WasFinished ? "The job had finished before; nothing was done." : "The job has run to its end."),
        (OperationVerb.Start, JobPhase.Failed) => new(OperationState.Failed, status.Cause ?? "The job failed."),
        (OperationVerb.Start, JobPhase.Stopped) => new(OperationState.Failed, $"The job was stopped before it ran: {status.Cause}"),
        (OperationVerb.Start, JobPhase.Waiting) => new(OperationState.Running, $"Attempt {status.Attempt} failed, the job will be tried again: {status.Cause}"),
        (OperationVerb.Stop, JobPhase.Stopped) => new(OperationState.Done, string.Create(CultureInfo.InvariantCulture, $"Stopped in attempt {status.Attempt}.")),
        (OperationVerb.Stop, JobPhase.Finished) => new(OperationState.Done, "The job had run to its end."),
        (OperationVerb.Stop, JobPhase.Failed) => new(OperationState.Done, $"The job had failed: {status.Cause}"),
        (OperationVerb.Stop, JobPhase.Stopping) => new(OperationState.Running, "A last checkpoint is being taken."),
        _ => new(OperationState.Running),
    };

    /// <summary>What has become of an operation that nobody remembers: only what the job's status proves.</summary>
    public static Verdict Forgotten(OperationId id, JobStatus status)
    {
        var isLater = status.Attempt > id.Attempt;
        return (id.Verb, status.Phase) switch
        {
            (OperationVerb.Start, JobPhase.Running) => new(OperationState.Done, RunsAs(status)),
            (OperationVerb.Start, JobPhase.Finished) => new(OperationState.Done, "The job has run to its end."),
            (OperationVerb.Start, JobPhase.Stopping or JobPhase.Stopped) when isLater => new(OperationState.Done, $"The job has run since, and was stopped: {status.Cause}"),
            (OperationVerb.Start, JobPhase.Failed) => new(OperationState.Failed, status.Cause ?? "The job failed."),
            (OperationVerb.Start, JobPhase.Starting or JobPhase.Waiting) => new(OperationState.Running, status.Cause),
            (OperationVerb.Stop, JobPhase.Stopped or JobPhase.Finished or JobPhase.Failed) => new(OperationState.Done, $"The job does not run: {Phase(status)}."),
            (OperationVerb.Stop, JobPhase.Stopping) => new(OperationState.Running, "A last checkpoint is being taken."),
            (OperationVerb.Rescale, JobPhase.Running) when status.Moving is { } moving => new(OperationState.Running, $"The job is {moving}."),
            (OperationVerb.Rescale, JobPhase.Running) when status.Parallelism == id.Parallelism => new(OperationState.Done, RunsAs(status)),
            (OperationVerb.Rescale, JobPhase.Starting or JobPhase.Waiting) when status.Parallelism == id.Parallelism => new(OperationState.Running, status.Cause),
            _ => new(OperationState.Unknown, $"Nobody remembers this operation; the job is {Phase(status)} now, attempt {status.Attempt}. Ask for the same again if it should still happen."),
        };
    }

    public static bool IsActive(JobStatus status) => status.Phase is JobPhase.Starting or JobPhase.Running or JobPhase.Waiting or JobPhase.Stopping;

    private static string? RescaleConflict(JobStatus status) => status switch
    {
        { Phase: JobPhase.Running, Moving: null } => null,
        { Moving: { } moving } => $"Job '{status.Job}' is in the middle of another planned move, {moving}: ask again when that is done.",
        { Phase: JobPhase.Starting or JobPhase.Waiting } => $"Job '{status.Job}' is {Phase(status)}: ask again when it runs.",
        _ => $"Job '{status.Job}' does not run, it is {Phase(status)}: start it with the parallelism that it should have.",
    };

    private static string RunsAs(JobStatus status) => string.Create(CultureInfo.InvariantCulture, $"The job runs, attempt {status.Attempt}, parallelism {status.Parallelism}.");

    private static string Phase(JobStatus status) => status.Phase.ToString().ToLowerInvariant();
}
