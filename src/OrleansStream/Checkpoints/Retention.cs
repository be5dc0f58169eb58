using OrleansStream.Jobs;

namespace OrleansStream.Checkpoints;

/// <summary>
/// Decides what is dropped and then deleted. Invariants: the newest checkpoint is never dropped; what stays spans two full snapshots when two are
/// there, so that one damaged segment cannot take all; an object that a kept manifest names is never deleted, nor one of a later attempt than
/// the deleter's own. Deleting comes after the <see cref="Dropped"/> entry is in the log.
/// </summary>
internal static class Retention
{
    public const int DefaultRetainedCount = 2;

    /// <summary>Which of the kept checkpoints to drop.</summary>
    /// <param name="kept">All that are kept, newest first.</param>
    /// <param name="retainedCount">How many of the newest to keep, 1 or more.</param>
    public static RetentionPlan Plan(IReadOnlyList<ManifestRef> kept, int retainedCount = DefaultRetainedCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(retainedCount, 1);
        ManifestOrder.RequireNewestFirst(kept);

        var stay = new List<ManifestRef>();
        var drop = new List<ManifestRef>();
        var generations = new HashSet<CheckpointId>();
        foreach (var manifest in kept)
        {
            if (stay.Count < retainedCount || (generations.Count < 2 && !generations.Contains(manifest.Generation)))
            {
                stay.Add(manifest);
                generations.Add(manifest.Generation);
            }
            else
            {
                drop.Add(manifest);
            }
        }

        return new RetentionPlan(stay, drop);
    }

    /// <summary>The objects that dropped manifests name, themselves included, and no kept one does.</summary>
    /// <param name="job">The job.</param>
    /// <param name="dropped">Manifests that a <see cref="Dropped"/> entry in the log has dropped.</param>
    /// <param name="kept">All that are kept after that entry.</param>
    /// <param name="manifests">The manifests of all that are kept.</param>
    /// <param name="own">The deleter's own attempt.</param>
    /// <exception cref="InvalidOperationException">A kept manifest was not given, so what it names is not known.</exception>
    public static IReadOnlyList<string> ObjectsToDelete(
        string job, IReadOnlyList<Manifest> dropped, IReadOnlyList<ManifestRef> kept, IReadOnlyList<Manifest> manifests, Attempt own)
    {
        var named = Named(job, kept, manifests);
        var delete = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var manifest in dropped)
        {
            foreach (var segment in manifest.Segments()) delete.Add(segment.Name);
            delete.Add(ObjectNames.Manifest(job, manifest.Id));
        }

        delete.RemoveWhere(name => named.Contains(name) || ObjectNames.AttemptOf(job, name) is not { } attempt || attempt.CompareTo(own) > 0);
        return [.. delete];
    }

    /// <summary>
    /// Of listed names, the manifests and segments that attempts before one's own left behind and no kept manifest names: written for checkpoints
    /// that were never published, or dropped by an attempt that ended before it deleted.
    /// </summary>
    /// <param name="job">The job.</param>
    /// <param name="listed">Names from a list, which may lag.</param>
    /// <param name="kept">All that are kept, as the deleter's own attempt's newest entry says.</param>
    /// <param name="manifests">The manifests of all that are kept.</param>
    /// <param name="own">The deleter's own attempt, whose first entry is in its log: so all earlier ones are sealed.</param>
    /// <exception cref="InvalidOperationException">A kept manifest was not given, so what it names is not known.</exception>
    public static IReadOnlyList<string> Orphans(
        string job, IEnumerable<string> listed, IReadOnlyList<ManifestRef> kept, IReadOnlyList<Manifest> manifests, Attempt own)
    {
        var named = Named(job, kept, manifests);
        return
        [
            .. listed.Where(name => ObjectNames.BelongsToCheckpoint(job, name)
                && ObjectNames.AttemptOf(job, name) is { } attempt
                && attempt.CompareTo(own) < 0
                && !named.Contains(name)),
        ];
    }

    private static HashSet<string> Named(string job, IReadOnlyList<ManifestRef> kept, IReadOnlyList<Manifest> manifests)
    {
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (var reference in kept)
        {
            var manifest = manifests.FirstOrDefault(m => m.Id == reference.Id && m.Job == job)
                ?? throw new InvalidOperationException(
                    $"Nothing may be deleted: checkpoint {reference.Id} of job '{job}' is kept, but its manifest '{reference.Name}' was not given.");
            named.Add(reference.Name);
            foreach (var segment in manifest.Segments()) named.Add(segment.Name);
        }

        return named;
    }
}

/// <summary>What stays and what goes, each newest first.</summary>
/// <param name="Kept">What stays.</param>
/// <param name="Dropped">What goes; empty when there is nothing to do.</param>
internal sealed record RetentionPlan(IReadOnlyList<ManifestRef> Kept, IReadOnlyList<ManifestRef> Dropped);

/// <summary>The order of kept manifests.</summary>
internal static class ManifestOrder
{
    /// <summary>Checks that manifests are named newest first, each once.</summary>
    /// <exception cref="ArgumentException">They are not.</exception>
    public static void RequireNewestFirst(IReadOnlyList<ManifestRef> manifests)
    {
        for (var i = 1; i < manifests.Count; i++)
        {
            if (manifests[i].Id >= manifests[i - 1].Id)
                throw new ArgumentException($"Kept checkpoints go newest first, but {manifests[i].Id} comes after {manifests[i - 1].Id}.", nameof(manifests));
        }
    }
}
