using OrleansStream.Graph;

namespace OrleansStream.Jobs;

/// <summary>Decides which silo gets which subtask. Pure.</summary>
internal static class Placement
{
    /// <summary>
    /// Deals the subtasks out in turn, stage after stage, to the silos that have least, so that none has more than one more than another. Where no silo is new, subtasks stay where they were, as far as
    /// that is even: what they wrote is on the disk there. A silo that is new gets its share of each stage, so then all are dealt out.
    /// </summary>
    /// <param name="plan">The job's plan.</param>
    /// <param name="silos">The silos, one at least, in a stable order.</param>
    /// <param name="former">Where the subtasks were in the attempt before; empty when nobody knows.</param>
    public static IReadOnlyDictionary<SubtaskId, string> Of(JobPlan plan, IReadOnlyList<string> silos, IReadOnlyDictionary<SubtaskId, string> former)
    {
        var places = new Dictionary<SubtaskId, string>();
        var counts = silos.ToDictionary(static silo => silo, static _ => 0);
        var subtasks = plan.Subtasks.ToList();
        if (subtasks.Count == former.Count && silos.All(former.Values.Contains))
        {
            var (share, larger) = Math.DivRem(subtasks.Count, silos.Count);
            foreach (var id in subtasks)
            {
                if (!former.TryGetValue(id, out var silo) || !counts.TryGetValue(silo, out var count) || count > share || (count == share && larger-- <= 0)) continue;
                Place(id, silo);
            }
        }

        foreach (var id in subtasks)
        {
            if (!places.ContainsKey(id)) Place(id, silos.MinBy(silo => counts[silo])!);
        }

        return places;

        void Place(SubtaskId id, string silo)
        {
            counts[silo]++;
            places.Add(id, silo);
        }
    }

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
