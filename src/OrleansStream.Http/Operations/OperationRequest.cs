using OrleansStream.Jobs;

namespace OrleansStream.Http;

/// <summary>What was asked of a job.</summary>
[GenerateSerializer, Immutable, Alias("os.http.OperationRequest")]
internal sealed record OperationRequest
{
    [Id(0)] public required OperationVerb Verb { get; init; }

    /// <summary>The caller's own name for it; null when he has none.</summary>
    [Id(1)] public string? Key { get; init; }

    /// <summary>Tells two requests apart that ask for something else.</summary>
    [Id(2)] public required string Digest { get; init; }

    /// <summary>What to start with; null in it is what the job is registered with, or last ran with.</summary>
    [Id(3)] public StartRequest? Start { get; init; }

    [Id(4)] public string? Reason { get; init; }

    /// <summary>What to rescale to.</summary>
    [Id(5)] public int? Parallelism { get; init; }
}

/// <summary>What a start says; what it leaves out is as the job is registered, and where that says nothing, as it last ran.</summary>
[GenerateSerializer, Immutable, Alias("os.http.StartRequest")]
internal sealed record StartRequest(
    [property: Id(0)] int? Parallelism, [property: Id(1)] JobArguments? Arguments, [property: Id(2)] double? RecordsPerSecond, [property: Id(3)] TimeSpan? CheckpointInterval)
{
    /// <summary>Lays what is said over what is there.</summary>
    public JobStart Over(JobStart? known)
    {
        var start = known ?? new JobStart();
        return start with
        {
            Parallelism = Parallelism ?? start.Parallelism,
            // A parallelism that somebody chose is none that the job goes on with by itself.
            Registered = Parallelism is null ? start.Registered : null,
            Arguments = Arguments ?? start.Arguments,
            RecordsPerSecond = RecordsPerSecond ?? start.RecordsPerSecond,
            CheckpointInterval = CheckpointInterval ?? start.CheckpointInterval,
        };
    }
}

/// <summary>What became of a request.</summary>
/// <param name="Operation">The operation that carries it out; null when it was refused.</param>
/// <param name="Conflict">Why it was refused.</param>
/// <param name="IsKeyTaken">Whether it was refused because its key is of another request.</param>
[GenerateSerializer, Immutable, Alias("os.http.OperationAnswer")]
internal sealed record OperationAnswer([property: Id(0)] OperationView? Operation, [property: Id(1)] string? Conflict, [property: Id(2)] bool IsKeyTaken);
