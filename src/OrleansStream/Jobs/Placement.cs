using OrleansStream.Graph;

namespace OrleansStream.Jobs;

/// <summary>Decides which silo gets which subtask. Pure.</summary>
internal static class Placement
{
    /// <summary>Deals the subtasks out in turn, stage after stage, so that no silo has more than one more than another.</summary>
    /// <param name="plan">The job's plan.</param>
    /// <param name="silos">The silos, one at least, in a stable order.</param>
    public static IReadOnlyDictionary<SubtaskId, string> Of(JobPlan plan, IReadOnlyList<string> silos) =>
        plan.Subtasks.Select((id, turn) => (id, turn)).ToDictionary(static pair => pair.id, pair => silos[pair.turn % silos.Count]);

    /// <summary>Whether another dealing would help: one silo has at least two subtasks more than another.</summary>
    /// <param name="used">The silo of each subtask.</param>
    /// <param name="silos">The silos that there are.</param>
    public static bool IsUneven(IEnumerable<string> used, IReadOnlyList<string> silos)
    {
        if (silos.Count < 2) return false;
        var counts = silos.ToDictionary(static silo => silo, static _ => 0);
        foreach (var silo in used)
        {
            if (counts.TryGetValue(silo, out var count)) counts[silo] = count + 1;
        }

        return counts.Values.Max() - counts.Values.Min() > 1;
    }
}

/// <summary>Decides when subtasks that are unevenly spread move: when neither the silos nor the attempt have been others for a while. Pure: it is told the time.</summary>
/// <param name="after">How long that is; null for never.</param>
internal sealed class RebalanceRule(TimeSpan? after)
{
    private IReadOnlyList<string> _silos = [];
    private TimeSpan _since;

    /// <summary>An attempt has come to run: it may do so for a while.</summary>
    public void OnRunning(TimeSpan now) => _since = now;

    /// <summary>Whether the attempt that runs is to be ended now, so that the next one is spread anew.</summary>
    /// <param name="now">The time, on any clock.</param>
    /// <param name="silos">The silos that there are.</param>
    /// <param name="used">The silo of each subtask.</param>
    public bool IsDue(TimeSpan now, IReadOnlyList<string> silos, IEnumerable<string> used)
    {
        if (!_silos.SequenceEqual(silos))
        {
            _silos = [.. silos];
            _since = now;
        }

        return after is { } debounce && now - _since >= debounce && Placement.IsUneven(used, silos);
    }
}
