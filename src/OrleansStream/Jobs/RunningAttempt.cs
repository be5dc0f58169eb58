using OrleansStream.Stages;

namespace OrleansStream.Jobs;

/// <summary>An attempt that runs, as a silo knows on which there is a part of it.</summary>
/// <param name="Opening">That of a subtask on this silo.</param>
/// <param name="Table">Where all subtasks are.</param>
/// <param name="Leader">The silo of the coordinator, from which the job is led.</param>
internal sealed record RunningAttempt(SubtaskOpening Opening, SubtaskTable Table, string Leader)
{
    /// <summary>The places of no attempt.</summary>
    public static readonly IReadOnlyDictionary<SubtaskId, string> Nowhere = new Dictionary<SubtaskId, string>();

    /// <summary>The silo of each subtask.</summary>
    public IReadOnlyDictionary<SubtaskId, string> Places => Table.Addresses.ToDictionary(static pair => pair.Key, static pair => pair.Value.Silo);

    /// <summary>Whether the attempt ends with a silo.</summary>
    public bool Needs(string silo) => Leader == silo || Table.Addresses.Values.Any(address => address.Silo == silo);
}
