using OrleansStream.Checkpoints;
using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Testing;
using OrleansStream.Testing.Simulation;
using OrleansStream.Tests.State;

namespace OrleansStream.Tests.Simulation;

/// <summary>A published checkpoint, read back whole into one subtask per stage.</summary>
internal sealed class Cut
{
    private readonly Dictionary<string, ISnapshotPart> _parts = [];
    private readonly Dictionary<string, (long Offset, bool Ended)> _offsets = [];
    private readonly List<OperatorBlob> _inFlight = [];
    private readonly SimulatedRun _run;
    private readonly Manifest _manifest;

    private Cut(SimulatedRun run, Manifest manifest)
    {
        _run = run;
        _manifest = manifest;
        var job = (EngineJob)run.Job;
        var plan = job.Plan;
        foreach (var stage in plan.Stages)
        {
            var opening = new SubtaskOpening
            {
                Job = SimulatedRun.JobName,
                Attempt = manifest.Id.Attempt,
                Id = new SubtaskId(stage.Index, 0),
                Arguments = JobArguments.None,
                Parallelism = 1,
                MaxParallelism = plan.MaxParallelism,
                Fingerprint = plan.Fingerprint,
                Splits = new Dictionary<string, IReadOnlyList<SourceSplit>>(),
                Former = RecoveryPlan.FormerOf(manifest, stage),
            };
            var context = SubtaskContext.Of(opening, stage, new Incarnation(-1), job.NewServices(), TestSerializers.OfState);
            var restoring = new Subtask(context, stage).RestoreAsync(run.Store.AsItIs, SubtaskDriver.Chains(opening), CancellationToken.None);
            if (!restoring.IsCompleted) throw new InvalidOperationException("A store that answers at once was awaited.");
            restoring.GetAwaiter().GetResult();
            foreach (var part in context.State.Parts) _parts.Add(part.Operator, part);
            foreach (var (_, blob) in context.Restored)
            {
                TakeOffsets(blob);
                if (blob.Name == InFlightBlob.Name) _inFlight.Add(blob);
            }
        }
    }

    public static Cut Read(SimulatedRun run, Manifest manifest) => new(run, manifest);

    /// <summary>How many records of a split are before the barrier.</summary>
    public long OffsetOf(string split) => _offsets.TryGetValue(split, out var saved)
        ? saved.Ended ? long.MaxValue : saved.Offset
        : throw new InvalidOperationException($"Checkpoint {_manifest.Id} has no offset of split {split}.");

    public KeyedStateTable<string> Keyed(string name) => (KeyedStateTable<string>)_parts[name];

    public KeyedStateTable<int> KeyedByNumber(string name) => (KeyedStateTable<int>)_parts[name];

    public IEnumerable<(string Key, long Start, Sums Sums)> Windows(string name)
    {
        var table = (WindowTable<string, Sums>)_parts[name];
        for (var slot = 0; slot < table.SlotLimit; slot++)
        {
            if (table.IsLive(slot)) yield return (table.KeyOf(slot), table.StartOf(slot), table.Read(slot));
        }
    }

    /// <summary>The records of an asynchronous operator that have not been handed on.</summary>
    public IEnumerable<T> InFlight<T>(string name)
    {
        using var session = StateSetup.Serializers.OpenSession();
        foreach (var blob in _inFlight.Where(blob => blob.Operator == name))
        {
            var reader = new BlobReader(blob.Bytes);
            var count = reader.ReadInt32();
            reader.ReadString();
            reader.ReadInt64();
            for (; count > 0; count--)
            {
                var isWatermark = reader.ReadBoolean();
                reader.ReadInt64();
                if (isWatermark) continue;
                reader.ReadInt64();
                yield return Read(reader.ReadBytes());
            }
        }

        T Read(ReadOnlySpan<byte> bytes) => StateSetup.Serializers.For<T>().Read(ref bytes, session);
    }

    /// <summary>What a sink has been given up to the barrier: what is visible, and what this checkpoint's permit makes visible.</summary>
    public IEnumerable<string> Lines(string sink) =>
        ((SimulatedTarget<string>)_run.Job.Targets[sink]).RecordsWith(_manifest.Sinks[sink].Pending).Select(static record => record.Value);

    private void TakeOffsets(OperatorBlob blob)
    {
        if (blob.Name != "splits") return;
        var reader = new BlobReader(blob.Bytes);
        for (var count = reader.ReadInt32(); count > 0; count--)
        {
            var name = reader.ReadString();
            var ended = reader.ReadBoolean();
            _offsets.Add(name, (NumberedOffset.Decode(reader.ReadBytes(), new SourceSplit(name, ""), 0), ended));
        }
    }
}
