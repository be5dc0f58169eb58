namespace OrleansStream.Jobs;

/// <summary>Why an attempt is to be ended at a checkpoint of its own and followed by the next one at once.</summary>
/// <param name="Reason">For people: <c>rescaling to 4</c>.</param>
/// <param name="Parallelism">The parallelism of the attempts that follow; null for the same.</param>
/// <param name="IsReadAhead">Whether silos have read ahead what subtasks that come to them need, so that a short way on from there is wanted.</param>
[GenerateSerializer, Immutable]
internal sealed record PlannedMove([property: Id(0)] string Reason, [property: Id(1)] int? Parallelism = null, [property: Id(2)] bool IsReadAhead = false)
{
    /// <summary>Whether key groups stay together, so that a subtask which stays on its silo can go on with its tables; worth to wait at the barrier for.</summary>
    public bool KeepsTables => Parallelism is null;

    /// <summary>Whether somebody waits for it who will not wait for long.</summary>
    [Id(3)] public bool IsUrgent { get; init; }

    public static PlannedMove Rescale(int parallelism) => new($"rescaling to {parallelism}", parallelism);

    public static PlannedMove Leave(string silo) => new($"moving off {silo}, which is leaving") { IsUrgent = true };

    public static PlannedMove Rebalance { get; } = new("spreading over the silos");
}

/// <summary>What the attempt before a planned move cost, on its way from one driver to the next.</summary>
/// <param name="Reason">Why it was made.</param>
/// <param name="Checkpoint">How long its last checkpoint took, from the barrier on.</param>
/// <param name="SinceEnd">How long ago it took its last record, as far as it counts: where tables are kept, none behind the barrier is taken.</param>
[GenerateSerializer, Immutable]
internal sealed record MoveBegun([property: Id(0)] string Reason, [property: Id(1)] TimeSpan Checkpoint, [property: Id(2)] TimeSpan SinceEnd);

/// <summary>What a job grain gives away as its silo leaves.</summary>
/// <param name="Start">What the job goes on with elsewhere; null when it has ended.</param>
/// <param name="Begun">The move in the middle of which it is; null when its attempt did not end by one.</param>
/// <param name="Places">Where its subtasks were.</param>
/// <param name="Attempt">Its newest attempt. Should there be newer ones, whoever gives it away has slept, and nothing is to be done any more.</param>
[GenerateSerializer, Immutable]
internal sealed record HandOver(
    [property: Id(0)] JobStart? Start,
    [property: Id(1)] MoveBegun? Begun,
    [property: Id(2)] IReadOnlyDictionary<SubtaskId, string> Places,
    [property: Id(3)] Attempt? Attempt)
{
    public static HandOver Nothing { get; } = new(null, null, new Dictionary<SubtaskId, string>(), null);
}

/// <summary>The answer to the wish for another parallelism.</summary>
/// <param name="Problem">Why it cannot be; null when it can.</param>
/// <param name="IsAlready">Whether the job has that parallelism, so that nothing is to be done.</param>
[GenerateSerializer, Immutable]
internal sealed record RescaleAnswer([property: Id(0)] string? Problem = null, [property: Id(1)] bool IsAlready = false);
