using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Time;

namespace OrleansStream.Checkpoints;

/// <summary>
/// The alignment groups of an attempt: which source subtasks are in each, and the lowest watermark that was last heard of every one. Nothing of it is saved: an attempt begins with nothing
/// heard, so that nobody runs ahead before all have spoken. A group of one subtask needs no coordinator and is not here.
/// </summary>
internal sealed class AlignmentGroups
{
    private readonly Dictionary<SubtaskId, Dictionary<SubtaskId, long>> _groupOf = [];

    public AlignmentGroups(JobPlan plan)
    {
        var groups = new SortedDictionary<string, Dictionary<SubtaskId, long>>(StringComparer.Ordinal);
        foreach (var stage in plan.Stages)
        {
            if (stage.Nodes.OfType<ITimestampNode>().FirstOrDefault(static node => node.AlignmentGroup is not null)?.AlignmentGroup is not { } name) continue;
            if (!groups.TryGetValue(name, out var group)) groups[name] = group = [];
            for (var index = 0; index < stage.Parallelism; index++) group.Add(new SubtaskId(stage.Index, index), EventTime.Beginning);
        }

        foreach (var group in groups.Values.Where(static group => group.Count > 1))
        {
            foreach (var subtask in group.Keys) _groupOf.Add(subtask, group);
        }
    }

    /// <summary>Every subtask of a group that has others.</summary>
    public IReadOnlyCollection<SubtaskId> Subtasks => _groupOf.Keys;

    /// <summary>Notes the lowest watermark of a subtask's splits; the end of time when none counts.</summary>
    public void Note(SubtaskId subtask, long lowest) => _groupOf[subtask][subtask] = lowest;

    /// <summary>The lowest watermark of the other subtasks in the group; the end of time when nobody is to be waited for.</summary>
    public long LowestOfOthers(SubtaskId subtask)
    {
        var lowest = EventTime.End;
        foreach (var (other, watermark) in _groupOf[subtask])
        {
            if (other != subtask) lowest = Math.Min(lowest, watermark);
        }

        return lowest;
    }
}
