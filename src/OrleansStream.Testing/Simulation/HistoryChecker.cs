using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream.Testing.Simulation;

/// <summary>
/// Watches the store and the sinks from outside, in the order in which things take effect, and knows nothing of who did them. It checks:
/// <b>sealed</b>: a sealed attempt writes nothing more, only the sealer begins the next one, and what it began from is the newest publication;
/// <b>objects</b>: what a manifest names is durable when it is published, and is there as long as it is kept;
/// <b>permit</b>: only output that a published manifest names becomes visible, and none of an attempt after the next one has begun;
/// <b>recovery</b>: all output that an attempt's checkpoint names as pending is visible when the attempt begins, unless it does nothing but write down that the job has failed;
/// <b>rescale</b>: once a checkpoint is published for a rescale, and once an attempt has begun by one, every attempt has that parallelism until another is asked for;
/// <b>cut</b>: a published checkpoint holds the effect of exactly the records before its offsets.
/// </summary>
internal sealed class HistoryChecker
{
    private readonly SimulatedRun _run;
    private readonly Dictionary<Attempt, List<LogEntry>> _logs = [];
    private readonly Dictionary<string, Manifest> _manifests = [];
    private readonly HashSet<string> _kept = [];
    private readonly HashSet<string> _permitted = [];
    private readonly HashSet<string> _leftByNewest = [];
    private Attempt? _newestStarted;
    private ManifestRef? _newestPublished;
    private readonly HashSet<int> _asked = [];
    private int? _rescaled;

    public HistoryChecker(SimulatedRun run)
    {
        _run = run;
        run.Store.Created = OnCreated;
        run.Store.Deleting = OnDeleting;
    }

    public int Publications { get; private set; }

    /// <summary>How many attempts went on from a checkpoint in the middle.</summary>
    public int Restores { get; private set; }

    public int Attempts => _logs.Count;

    /// <summary>The job was asked to have another parallelism, and said yes.</summary>
    public void OnRescale(int parallelism)
    {
        _asked.Add(parallelism);
        if (_run.FixedParallelism != parallelism) _run.FixedParallelism = null;
    }

    public void Watch(SimulatedTarget target) => target.Committed = (output, permit) => OnCommitted(target, output, permit);

    private void OnCreated(string name, byte[] content)
    {
        if (ObjectNames.LogEntryOf(SimulatedRun.JobName, name) is not var (attempt, number)) return;
        if (!_logs.TryGetValue(attempt, out var log)) _logs[attempt] = log = [];
        var entry = LogEntry.Decode(name, content);
        if (number < log.Count)
        {
            // The hole of a trimmed entry: only a slow taker's seal comes there, which says nothing, or the entry itself once more, by a call that took long.
            Require(entry is Sealed || content.AsSpan().SequenceEqual(log[(int)number].Encode()), "sealed", $"{entry.GetType().Name} was written into the hole {number} of attempt {attempt}'s log, which has {log.Count} entries");
            return;
        }

        Require(number == log.Count, "sealed", $"entry {number} was written into attempt {attempt}'s log, which has {log.Count} entries");
        Require(log.Count == 0 || log[^1] is not Sealed, "sealed", $"{entry.GetType().Name} was written behind the seal of attempt {attempt}");
        log.Add(entry);
        if (entry is not (Started or Sealed)) _run.Hot();
        if (entry is not (Started or Sealed or Failed) && attempt == _newestStarted)
            Require(_leftByNewest.Count == 0, "recovery", $"attempt {attempt} goes on, and output '{_leftByNewest.FirstOrDefault()}' that its checkpoint names is not committed");
        switch (entry)
        {
            case Started started:
                OnStarted(started);
                break;
            case Published published:
                OnPublished(attempt, published);
                break;
            case Stopped:
                // A person who stops a job calls the rescale off that was to follow; one that has been carried out holds.
                if (log.OfType<Started>().FirstOrDefault()?.RescaledOver is null) _rescaled = null;
                break;
        }

        if (entry.KeptAfter is { } kept) OnKept(kept);
    }

    private void OnStarted(Started started)
    {
        var before = started.Attempt.Number - 1;
        Require(
            before == 0 || (_logs.TryGetValue(new Attempt(before), out var log) && log[^1] is Sealed seal && seal.WriterId == started.WriterId),
            "sealed",
            $"attempt {started.Attempt} was begun by {started.WriterId}, who does not own it");
        _newestStarted = started.Attempt;
        _run.Trace?.Invoke($"attempt {started.Attempt} begins, {(started.FromCheckpoint is { } from ? $"from checkpoint {from.Id}" : "from the beginning")}, at parallelism {started.Parallelism}");
        Require(started.FromCheckpoint?.Id == _newestPublished?.Id, "sealed", $"attempt {started.Attempt} begins from {started.FromCheckpoint?.Id}, but {_newestPublished?.Id} was published");
        Require(
            _rescaled is null || started.Parallelism == _rescaled || _asked.Contains(started.Parallelism),
            "rescale",
            $"attempt {started.Attempt} begins at parallelism {started.Parallelism}, and the job was rescaled to {_rescaled}");
        if (started.RescaledOver is not null) Rescaled(started.Parallelism);
        _leftByNewest.Clear();
        if (started.FromCheckpoint is null) return;
        if (!started.FromCheckpoint.Final) Restores++;
        foreach (var (sink, pending) in ManifestOf(started.FromCheckpoint).Sinks)
        {
            foreach (var output in pending.Pending)
            {
                if (!_run.Job.Targets[sink].IsCommitted(output.Handle)) _leftByNewest.Add($"{sink}/{output.Handle}");
            }
        }
    }

    private void OnPublished(Attempt attempt, Published published)
    {
        Publications++;
        _run.Trace?.Invoke($"checkpoint {published.Manifest.Id} is published{(published.Manifest.Final ? ", the last one" : "")}");
        _newestPublished = published.Manifest;
        if (published.Parallelism is { } parallelism) Rescaled(parallelism);
        Require(attempt == _newestStarted, "sealed", $"attempt {attempt} published {published.Manifest.Id} after attempt {_newestStarted} had begun");
        if (_run.Store.Find(published.Manifest.Name) is not { } bytes || ObjectFrame.Checksum(bytes) != published.Manifest.Checksum)
        {
            Require(false, "objects", $"checkpoint {published.Manifest.Id} is published and its manifest is not there");
            return;
        }

        var manifest = ManifestOf(published.Manifest);
        foreach (var segment in manifest.Segments())
        {
            var there = _run.Store.Find(segment.Name);
            Require(
                there is not null && there.Length == segment.LengthBytes && Convert.ToHexStringLower(System.IO.Hashing.XxHash128.Hash(there)) == segment.Checksum,
                "objects",
                $"checkpoint {manifest.Id} is published and segment '{segment.Name}' is {(there is null ? "not there" : "damaged")}");
        }

        foreach (var (sink, pending) in manifest.Sinks)
        {
            foreach (var output in pending.Pending)
            {
                _permitted.Add($"{sink}/{output.Handle}");
                Require(_run.Job.Targets[sink].IsKnown(output.Handle), "objects", $"checkpoint {manifest.Id} is published and output '{output.Handle}' of sink '{sink}' is not there");
            }
        }

        if (_run.Violation is null && _run.Job.ProblemOf(manifest) is { } problem) _run.Violate("cut", $"checkpoint {manifest.Id}: {problem}");
    }

    private void Rescaled(int parallelism)
    {
        if (_rescaled != parallelism) _asked.Remove(parallelism);
        _rescaled = parallelism;
    }

    private void OnKept(IReadOnlyList<ManifestRef> kept)
    {
        _kept.Clear();
        if (_run.Violation is not null) return;
        foreach (var reference in kept)
        {
            _kept.Add(reference.Name);
            foreach (var segment in ManifestOf(reference).Segments()) _kept.Add(segment.Name);
        }

        foreach (var name in _kept) Require(_run.Store.Find(name) is not null, "objects", $"'{name}' is named by a kept checkpoint and is gone");
    }

    private void OnDeleting(string name, byte[] content)
    {
        Require(!_kept.Contains(name), "objects", $"'{name}' is deleted while a kept checkpoint names it");
        if (ObjectNames.LogEntryOf(SimulatedRun.JobName, name) is not var (attempt, number)) return;
        Require(number != 0, "sealed", $"entry 0 of attempt {attempt} is deleted");
        Require(number != _logs[attempt].Count - 1 || LogEntry.Decode(name, content) is not Sealed, "sealed", $"the seal of attempt {attempt} is deleted");
    }

    private void OnCommitted(SimulatedTarget target, PendingOutput output, CommitPermit permit)
    {
        _run.Hot();
        Require(_permitted.Contains($"{target.Name}/{output.Handle}"), "permit", $"output '{output.Handle}' of sink '{target.Name}' became visible with the permit of {permit.Checkpoint}, and no published manifest names it");
        Require(
            _newestStarted is null || _leftByNewest.Remove($"{target.Name}/{output.Handle}") || output.Checkpoint.Attempt.CompareTo(_newestStarted.Value) >= 0,
            "permit",
            $"output '{output.Handle}' of sink '{target.Name}' became visible after attempt {_newestStarted} had begun");
    }

    private Manifest ManifestOf(ManifestRef reference)
    {
        if (_manifests.TryGetValue(reference.Name, out var known)) return known;
        var bytes = _run.Store.Find(reference.Name) ?? throw new DamagedObjectException(reference.Name, "it is not there");
        return _manifests[reference.Name] = CheckpointJson.Decode(reference.Name, ObjectKind.Manifest, bytes, CheckpointJson.Default.Manifest);
    }

    private void Require(bool holds, string checker, string otherwise)
    {
        if (!holds) _run.Violate(checker, otherwise);
    }
}
