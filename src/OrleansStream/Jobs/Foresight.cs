using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Sources;
using OrleansStream.Stages;

namespace OrleansStream.Jobs;

/// <summary>What the next attempt will bring to a silo, if the one that runs ends here and now for the death of others. A guess, which does no harm where it is wrong.</summary>
internal static class Foresight
{
    /// <summary>Of subtasks that read no source.</summary>
    public static readonly IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> NoSplits = new Dictionary<string, IReadOnlyList<SourceSplit>>();

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
