using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream.Testing.Simulation;

/// <summary>What one sink writes to: outlives every writer. Staged output becomes visible by a commit, once.</summary>
internal abstract class SimulatedTarget(string name)
{
    public string Name => name;

    /// <summary>Hears of output in the moment in which it becomes visible.</summary>
    public Action<PendingOutput, CommitPermit>? Committed { get; set; }

    /// <summary>How many outputs the sink was told that there are, when it was finished.</summary>
    public long? Finished { get; set; }

    public abstract int Commits { get; }

    public abstract bool IsCommitted(string handle);

    public abstract bool IsKnown(string handle);

    /// <summary>How what is visible differs from what is visible elsewhere, order aside; null when it does not.</summary>
    public abstract string? Difference(SimulatedTarget expected);
}

/// <inheritdoc/>
internal sealed class SimulatedTarget<T>(string name) : SimulatedTarget(name)
{
    private readonly Dictionary<string, (CheckpointId Checkpoint, TestRecord<T>[] Records)> _staged = [];
    private readonly Dictionary<string, (CheckpointId Checkpoint, TestRecord<T>[] Records)> _committed = [];

    /// <summary>Everything that is visible.</summary>
    public IEnumerable<TestRecord<T>> Records => _committed.Values.SelectMany(static output => output.Records);

    public override int Commits => _committed.Count;

    public override bool IsCommitted(string handle) => _committed.ContainsKey(handle);

    public override bool IsKnown(string handle) => _committed.ContainsKey(handle) || _staged.ContainsKey(handle);

    /// <summary>What is visible, and some output that is staged.</summary>
    public IEnumerable<TestRecord<T>> RecordsWith(IEnumerable<PendingOutput> pending) =>
        Records.Concat(pending.Where(output => !IsCommitted(output.Handle)).SelectMany(output => _staged.TryGetValue(output.Handle, out var staged) ? staged.Records : []));

    public bool Stage(string handle, CheckpointId checkpoint, TestRecord<T>[] records) => !IsCommitted(handle) && _staged.TryAdd(handle, (checkpoint, records));

    public void Commit(PendingOutput output, CommitPermit permit)
    {
        if (output.Checkpoint > permit.Checkpoint) throw new StreamException($"Output of checkpoint {output.Checkpoint} came with the permit of {permit.Checkpoint}.");
        if (IsCommitted(output.Handle)) return;
        if (!_staged.Remove(output.Handle, out var staged)) throw new StreamException($"Output '{output.Handle}' of sink '{Name}' is neither staged nor committed.");
        _committed.Add(output.Handle, staged);
        Committed?.Invoke(output, permit);
    }

    public override string? Difference(SimulatedTarget expected)
    {
        if (expected is not SimulatedTarget<T> other) return $"sink '{Name}' takes another type of record there";
        var counts = new Dictionary<TestRecord<T>, int>();
        foreach (var record in other.Records) counts[record] = counts.GetValueOrDefault(record) + 1;
        foreach (var record in Records) counts[record] = counts.GetValueOrDefault(record) - 1;
        var missing = counts.Where(static pair => pair.Value > 0).ToList();
        var surplus = counts.Where(static pair => pair.Value < 0).ToList();
        return missing.Count + surplus.Count == 0 ? null : $"sink '{Name}':{List("missing", missing)}{List("not expected", surplus)}";
    }

    private static string List(string what, List<KeyValuePair<TestRecord<T>, int>> records)
    {
        const int Most = 8;
        if (records.Count == 0) return "";
        var lines = records.Take(Most).Select(static pair => $"\n    {(Math.Abs(pair.Value) > 1 ? $"{Math.Abs(pair.Value)} times " : "")}{pair.Key.Value} @{pair.Key.Timestamp}");
        return $"\n  {what}:{string.Concat(lines)}{(records.Count > Most ? $"\n    and {records.Count - Most} more" : "")}";
    }
}
