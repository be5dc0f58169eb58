using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Sources;
using OrleansStream.Stages;

namespace OrleansStream.Jobs;

/// <summary>Decides what a new attempt goes on from, and refuses when that would not be the same job. Pure: it reads nothing.</summary>
internal static class RecoveryPlan
{
    /// <summary>What differs between the job that a history belongs to and the one that is to go on with it; empty when nothing does.</summary>
    public static IReadOnlyList<string> Differences(
        Started started, JobArguments arguments, JobPlan plan, IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> inputs)
    {
        var differences = new List<string>();
        var before = started.Arguments;
        var now = arguments.ToMap();
        foreach (var name in before.Keys.Union(now.Keys).Order(StringComparer.Ordinal))
        {
            var was = before.TryGetValue(name, out var old) ? string.Join(", ", old) : "not given";
            var became = now.TryGetValue(name, out var current) ? string.Join(", ", current) : "not given";
            if (was != became) differences.Add($"argument '{name}' was {was} and is {became}");
        }

        // Other arguments make another graph: what they say says it all.
        if (differences.Count == 0 && started.Fingerprint != plan.Fingerprint) differences.Add(GraphDifference(started.Graph, GraphDescription.ToText(plan.Graph)));
        if (started.MaxParallelism != plan.MaxParallelism) differences.Add($"maxParallelism was {started.MaxParallelism} and is {plan.MaxParallelism}");
        foreach (var (source, splits) in started.Inputs)
        {
            var found = inputs.GetValueOrDefault(source, []).ToDictionary(static split => split.Name, static split => split.Fingerprint);
            foreach (var split in splits)
            {
                if (!found.TryGetValue(split.Name, out var fingerprint)) differences.Add($"input '{split.Name}' of source '{source}' is gone");
                else if (fingerprint != split.Fingerprint) differences.Add($"input '{split.Name}' of source '{source}' has changed since it was read");
            }
        }

        return differences;
    }

    private static string GraphDifference(string before, string now)
    {
        var (was, became) = (before.Split('\n', StringSplitOptions.RemoveEmptyEntries), now.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        var gone = string.Join(" | ", was.Except(became));
        var added = string.Join(" | ", became.Except(was));
        return $"the job's graph has changed: it had [{gone}] and has [{added}]";
    }

    /// <summary>What to start a job with that nobody starts by hand: as it is registered, and where that says nothing, as it last ran.</summary>
    /// <returns>Null when nobody has started it yet.</returns>
    public static JobStart? Revived(JobStart? registered, Started? last) => last is null ? registered : new JobStart
    {
        Arguments = registered is { Arguments.Names.Count: > 0 } ? registered.Arguments : JobArguments.FromMap(last.Arguments),
        Parallelism = registered is { Parallelism: > 0 } ? registered.Parallelism : last.Parallelism,
        Registered = registered?.Parallelism ?? 0,
        RecordsPerSecond = registered?.RecordsPerSecond ?? last.RecordsPerSecond,
        CheckpointInterval = registered?.CheckpointInterval ?? last.CheckpointInterval,
    };

    /// <summary>
    /// The parallelism that an attempt has in place of what its job is started with: that of a rescale whose checkpoint is published and which no attempt has carried out yet; and where
    /// the job goes on as it is registered, that of the last rescale, until it is registered with another parallelism than at that time.
    /// </summary>
    /// <param name="start">What the job goes on with.</param>
    /// <param name="history">What is known of it.</param>
    /// <param name="isOthers">Whether another driver has run the last attempt: its rescale is newer than one that the start knows of.</param>
    /// <returns>Null when the start says it.</returns>
    public static int? RescaledTo(JobStart start, JobHistory history, bool isOthers) => history switch
    {
        { NextParallelism: { } next } => next,
        { LastStarted: { RescaledOver: { } over } last } when start.Registered == over && (start.RescaledOver is null || isOthers) => last.Parallelism,
        _ => null,
    };

    /// <summary>What a job goes on with after a rescale that another driver may have been asked for.</summary>
    public static JobStart Rescaled(JobStart start, int parallelism) => start with { Parallelism = parallelism, RescaledOver = start.RescaledOver ?? start.Registered ?? 0 };

    /// <summary>The splits that each subtask of a source reads: dealt out in turn, so that any parallelism shares them evenly.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> SplitsOf(
        JobPlan plan, SubtaskId subtask, IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> inputs)
    {
        var stage = plan.Stages[subtask.Stage];
        return stage.Head is SourceNode
            ? new Dictionary<string, IReadOnlyList<SourceSplit>>
            {
                [stage.Head.Name] = [.. inputs[stage.Head.Name].Where((_, index) => index % stage.Parallelism == subtask.Index)],
            }
            : new Dictionary<string, IReadOnlyList<SourceSplit>>();
    }

    /// <summary>
    /// The rate of a source of which each subtask takes an even share. Subtasks without a split read nothing, so the others get their share: one file is read at the
    /// rate that was asked for, whatever the parallelism.
    /// </summary>
    public static double? RateOf(double? perSecond, PlannedStage stage, IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> inputs) =>
        stage.Head is SourceNode ? perSecond * stage.Parallelism / Math.Clamp(inputs[stage.Head.Name].Count, 1, stage.Parallelism) : perSecond;

    /// <summary>The former subtasks from which those of a stage are restored.</summary>
    public static IReadOnlyList<FormerSubtask> FormerOf(Manifest? manifest, PlannedStage stage) =>
        manifest?.Stages.FirstOrDefault(former => former.Name == stage.Name) is { } former
            ? [.. former.Subtasks.Select(static subtask => new FormerSubtask(subtask.Index, subtask.KeyGroups, subtask.Segments))]
            : [];

    /// <summary>Sinks whose output waits to be committed may not be dropped from the graph.</summary>
    public static string? MissingSink(Manifest manifest, JobPlan plan)
    {
        var missing = manifest.Sinks.FirstOrDefault(sink => sink.Value.Pending.Count > 0 && plan.Graph.Sinks.All(node => node.Name != sink.Key));
        return missing.Key is null ? null : $"sink '{missing.Key}' has {missing.Value.Pending.Count} outputs waiting to be committed and is no longer in the graph";
    }
}
