using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Sources;
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

/// <summary>What the next attempt will bring to a silo, if the one that runs ends here and now for the death of others. A guess, which does no harm where it is wrong.</summary>
internal static class Foresight
{
    private static readonly IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> NoSplits = new Dictionary<string, IReadOnlyList<SourceSplit>>();

    /// <summary>The openings of the subtasks with something to read, from the newest checkpoint there is.</summary>
    /// <param name="running">The attempt that runs.</param>
    /// <param name="plan">Its plan.</param>
    /// <param name="silo">The silo.</param>
    /// <param name="left">The silos that will be left, in their order.</param>
    /// <param name="store">Where the checkpoints are.</param>
    /// <param name="retry">How calls to it are repeated.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<IReadOnlyList<SubtaskOpening>> ComingAsync(
        RunningAttempt running, JobPlan plan, string silo, IReadOnlyList<string> left, ICheckpointStore store, RetryRule retry, CancellationToken cancellation)
    {
        if (plan.Fingerprint != running.Opening.Fingerprint || !left.Contains(silo)) return [];
        var history = await HistoryLog.ReadAsync(store, running.Opening.Job, retry, cancellation);
        if (history is not { End: null, Kept: [var newest, ..] }) return [];
        var manifest = await ManifestObject.ReadAsync(store, running.Opening.Job, newest, retry, cancellation);
        return Coming(running, plan, silo, left, manifest);
    }

    private static List<SubtaskOpening> Coming(RunningAttempt running, JobPlan plan, string silo, IReadOnlyList<string> left, Manifest manifest)
    {
        var places = Placement.Of(plan, left, running.Places);
        // The largest first, so that what is not read in time is small.
        return
        [
            .. plan.Subtasks.Where(id => places[id] == silo && plan.Stages[id.Stage].Head is not SourceNode).Select(id => running.Opening with
            {
                Attempt = running.Opening.Attempt.Next,
                Id = id,
                Splits = NoSplits,
                Former = RecoveryPlan.FormerOf(manifest, plan.Stages[id.Stage]),
            })
            .OrderByDescending(static opening => opening.Former.Sum(static former => former.Segments.Sum(static segment => segment.LengthBytes))),
        ];
    }
}
