using Orleans.Serialization.Session;
using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.State;

/// <summary>The segments of one former subtask: a full one, then the deltas that build on it, each on the one before.</summary>
/// <param name="FormerSubtask">The index of the former subtask.</param>
/// <param name="FormerGroups">Its key groups.</param>
/// <param name="Segments">The segments, oldest first.</param>
[GenerateSerializer, Immutable, Alias("os.SegmentChain")]
internal sealed record SegmentChain(
    [property: Id(0)] int FormerSubtask,
    [property: Id(1)] KeyGroupRange FormerGroups,
    [property: Id(2)] IReadOnlyList<SegmentRef> Segments)
{
    /// <summary>Whether the chain begins with all of another, which the same attempt wrote to its end.</summary>
    public bool GoesOnFrom(SegmentChain other) =>
        FormerSubtask == other.FormerSubtask
        && FormerGroups == other.FormerGroups
        && Segments.Take(other.Segments.Count).SequenceEqual(other.Segments)
        && Segments[^1].Checkpoint.Attempt == other.Segments[^1].Checkpoint.Attempt;

    /// <summary>About how many bytes of the segments are of some key groups.</summary>
    public long BytesOf(KeyGroupRange groups)
    {
        var shared = Math.Min(FormerGroups.End, groups.End) - Math.Max(FormerGroups.Start, groups.Start);
        return shared <= 0 ? 0 : Segments.Sum(static segment => segment.LengthBytes) * shared / (FormerGroups.End - FormerGroups.Start);
    }
}

/// <summary>What a restore gives beside the tables.</summary>
/// <param name="Blobs">The state without keys of all former subtasks.</param>
/// <param name="BuildsOn">The restored checkpoint, if the next delta may build on it; null when the next snapshot is full.</param>
internal sealed record RestoredState(IReadOnlyList<RestoredBlob> Blobs, CheckpointId? BuildsOn);

/// <summary>State without keys of a former subtask.</summary>
internal readonly record struct RestoredBlob(int FormerSubtask, OperatorBlob Blob);

// Contract: nothing is lost silently.
// - The chains' key groups do not overlap and together cover the subtask's.
// - A chain begins with a full segment, and every delta builds on the checkpoint before it in the chain.
// - Every state in a segment that is read is declared by a registered table, in the same form. State that is declared but not in a segment begins empty.
// - A chain may be read in several goes, each further than the one before, as checkpoints are published. Only the last go takes the lines beside the states: before, they tell which entries there
//   is no use in reading, and no more.
// - Times of state that expires are the exception: they are a policy. Those of a chain are used if they are declared in the same form now and in its newest segment.
//   If the newest is without, what changed last was written without, and older times say nothing about it: then all of the chain's are passed over.

/// <summary>One restore of a subtask's state.</summary>
internal sealed class SubtaskRestore(SubtaskState state, ICheckpointStore store, StateSerializers serializers)
{
    /// <summary>The most entries that room is made for at once; what comes beyond makes its own.</summary>
    private const long MostRoom = 1 << 26;

    public async ValueTask<RestoredState> RunAsync(IReadOnlyList<SegmentChain> chains, CancellationToken cancellation)
    {
        CheckCoverage(chains);
        var blobs = new List<RestoredBlob>();
        CheckpointId? buildsOn = null;
        var places = await PlacesOfAsync(chains, cancellation);
        foreach (var chain in chains)
        {
            var segments = await OpenAsync(chain, places, cancellation);
            var last = segments[^1].Header;
            if (chain.FormerGroups == state.Groups) buildsOn = last.Checkpoint;
            blobs.AddRange(last.Blobs.Select(blob => new RestoredBlob(chain.FormerSubtask, blob)));
            if (!IsNeeded(chain)) continue;
            await ReadAsync(chain, segments, cancellation);
            RestoreLines(last, segments[^1].Name);
        }

        return new RestoredState(blobs, buildsOn);
    }

    /// <summary>Reads what there is of chains that will go on.</summary>
    public async ValueTask ReadAheadAsync(IReadOnlyList<SegmentChain> chains, CancellationToken cancellation)
    {
        var needed = chains.Where(IsNeeded).ToList();
        var places = await PlacesOfAsync(needed, cancellation);
        foreach (var chain in needed) await ReadAsync(chain, await OpenAsync(chain, places, cancellation), cancellation);
    }

    /// <summary>Where to read each segment. All at once: to look for one may mean to wait for other silos.</summary>
    private async Task<IReadOnlyDictionary<SegmentRef, ICheckpointStore>> PlacesOfAsync(IReadOnlyList<SegmentChain> chains, CancellationToken cancellation)
    {
        var places = await Task.WhenAll(chains.SelectMany(chain => ReferencesOf(chain).Select(reference => (Reference: reference, IsWhole: IsNeeded(chain)))).DistinctBy(static place => place.Reference)
            .Select(async place => (place.Reference, Store: await PlaceOfAsync(place.Reference, place.IsWhole, cancellation))));
        return places.ToDictionary(static place => place.Reference, static place => place.Store);
    }

    private async Task<List<SegmentReader>> OpenAsync(SegmentChain chain, IReadOnlyDictionary<SegmentRef, ICheckpointStore> places, CancellationToken cancellation)
    {
        var segments = new List<SegmentReader>();
        foreach (var reference in ReferencesOf(chain)) segments.Add(await SegmentReader.OpenAsync(places[reference], reference, cancellation));
        Check(chain, segments);
        return segments;
    }

    private async Task<ICheckpointStore> PlaceOfAsync(SegmentRef reference, bool isWhole, CancellationToken cancellation) =>
        store is INearSegments near ? await near.NearestAsync(reference, isWhole, cancellation) : store;

    private bool IsNeeded(SegmentChain chain) => !state.IsWhole && chain.FormerGroups.Overlaps(state.Groups);

    /// <summary>
    /// The segments to open: those that were not read before, and the last in any case, for of a former subtask whose keys go elsewhere, or are in the tables already, the state without keys is of interest.
    /// </summary>
    private IEnumerable<SegmentRef> ReferencesOf(SegmentChain chain) => chain.Segments.Skip(IsNeeded(chain) ? Math.Min(state.ReadOf(chain), chain.Segments.Count - 1) : chain.Segments.Count - 1);

    private async ValueTask ReadAsync(SegmentChain chain, List<SegmentReader> segments, CancellationToken cancellation)
    {
        using var session = serializers.OpenSession();
        var last = segments[^1].Header;
        var read = state.ReadOf(chain);
        if (read == 0) MakeRoom(last, segments[^1].Name);
        foreach (var segment in segments.TakeLast(chain.Segments.Count - read))
        {
            var targets = segment.Header.Declarations.Select(d => TargetIn(last, d.Shape, segment.Name)).ToArray();
            var lines = segment.Header.Declarations.Select(d => LineIn(last, d)).ToArray();
            await segment.ReadBlocksAsync(
                state.Groups,
                (group, block) =>
                {
                    Apply(segment, targets, lines, group, block, session);
                    state.BlocksRead++;
                },
                cancellation);
        }

        state.NoteRead(chain, last.Checkpoint);
    }

    private void RestoreLines(SegmentHeader newest, string segment)
    {
        foreach (var (shape, line, _) in newest.Declarations)
        {
            if (TargetIn(newest, shape, segment) is var (part, place)) part.RestoreLine(place, line, newest.Groups);
        }
    }

    private void MakeRoom(SegmentHeader newest, string segment)
    {
        var former = newest.Groups.End - newest.Groups.Start;
        var shared = Math.Min(newest.Groups.End, state.Groups.End) - Math.Max(newest.Groups.Start, state.Groups.Start);
        foreach (var (shape, _, room) in newest.Declarations)
        {
            if (room <= 0 || TargetIn(newest, shape, segment) is not var (part, place)) continue;

            // Of some of the groups only: a little more than their share, for keys are not spread quite evenly.
            var more = Math.Min(room, MostRoom) * shared / former;
            part.MakeRoom(place, (int)(shared == former ? more : more + (more / 32)));
        }
    }

    private static void Apply(SegmentReader segment, Target?[] targets, long[] lines, int group, ReadOnlyMemory<byte> block, SerializerSession session)
    {
        while (block.Length > 0)
        {
            var source = block.Span;
            var declaration = SegmentBuffer.ReadInt32(ref source);
            var count = SegmentBuffer.ReadInt32(ref source);
            var length = SegmentBuffer.ReadInt32(ref source);
            try
            {
                var section = new RestoredSection(group, count, block.Slice(SegmentFormat.SectionHeaderBytes, length), lines[declaration], session);
                if (targets[declaration] is var (part, shape)) part.Restore(shape, section);
            }
            catch (Exception e) when (e is not StreamException)
            {
                // The checksums held, so these are the bytes that were written: the types are no longer those that wrote them.
                throw new JobRefusedException(
                    $"{segment.Header.Declarations[declaration].Shape} cannot be read from segment '{segment.Name}', key group {group}: {e.Message} "
                    + "The types of the state or its keys are no longer compatible with those that wrote it.", e);
            }

            block = block[(SegmentFormat.SectionHeaderBytes + length)..];
        }
    }

    /// <summary>Where a saved state goes; null for times that are passed over.</summary>
    private Target? TargetIn(SegmentHeader newest, StateShape saved, string segment)
    {
        if (!saved.IsOfPolicy) return Find(saved, segment);
        foreach (var part in state.Parts)
        {
            for (var shape = 0; shape < part.Shapes.Count; shape++)
            {
                if (part.Shapes[shape] == saved && newest.Declarations.Any(d => d.Shape == saved)) return new Target(part, shape);
            }
        }

        return null;
    }

    private Target Find(StateShape saved, string segment)
    {
        foreach (var part in state.Parts)
        {
            for (var shape = 0; shape < part.Shapes.Count; shape++)
            {
                var declared = part.Shapes[shape];
                if (declared.Operator != saved.Operator || declared.Kind != saved.Kind || declared.Name != saved.Name) continue;
                if (declared.Form == saved.Form) return new Target(part, shape);
                throw new JobRefusedException(
                    $"Segment '{segment}' holds {saved} in the form '{saved.Form}', but it is now declared as '{declared.Form}'. "
                    + "Declare it with its former types (a renamed type keeps its former name by an [Alias]), or declare a state of another name beside it.");
            }
        }

        throw new JobRefusedException(
            $"Segment '{segment}' holds {saved}, which the job no longer declares: going on would lose it. Declare it again under its former name.");
    }

    private static long LineIn(SegmentHeader header, SegmentDeclaration declaration)
    {
        foreach (var (shape, line, _) in header.Declarations)
        {
            if (shape == declaration.Shape) return line;
        }

        return declaration.Line;
    }

    private void Check(SegmentChain chain, List<SegmentReader> segments)
    {
        var opened = chain.Segments.Count - segments.Count;
        if (IsNeeded(chain) && opened == 0 && segments[0].Header.Base is not null) throw new DamagedObjectException(segments[0].Name, "its chain begins with it, but it is a delta.");
        var before = opened > 0 && opened == state.ReadOf(chain) ? state.LastReadOf(chain) : null;
        for (var i = 0; i < segments.Count; i++)
        {
            var header = segments[i].Header;
            if (header.MaxParallelism != state.MaxParallelism)
            {
                throw new JobRefusedException(
                    $"Segment '{segments[i].Name}' divides keys into {header.MaxParallelism} key groups, the job now into {state.MaxParallelism}. "
                    + $"The largest parallelism of a job cannot change: set it to {header.MaxParallelism} again.");
            }

            if (header.Groups != chain.FormerGroups)
            {
                throw new DamagedObjectException(segments[i].Name, $"it holds the key groups of [{header.Groups.Start}, {header.Groups.End}), "
                    + $"but its chain is that of [{chain.FormerGroups.Start}, {chain.FormerGroups.End}).");
            }

            if (before is { } id && header.Base != id)
            {
                throw new DamagedObjectException(segments[i].Name, $"it builds on {header.Base?.ToString() ?? "nothing"}, "
                    + $"but the segment before it in the chain is of checkpoint {id}.");
            }

            before = header.Checkpoint;
        }
    }

    private void CheckCoverage(IReadOnlyList<SegmentChain> chains)
    {
        var at = state.Groups.Start;
        var end = 0;
        foreach (var chain in chains.OrderBy(c => c.FormerGroups.Start))
        {
            if (chain.Segments.Count == 0) throw new JobRefusedException($"The chain of former subtask {chain.FormerSubtask} names no segments.");
            if (chain.FormerGroups.Start < end)
            {
                throw new JobRefusedException($"Former subtask {chain.FormerSubtask} owns key groups that another one owns too.");
            }

            end = Math.Max(end, chain.FormerGroups.End);
            if (chain.FormerGroups.Contains(at)) at = chain.FormerGroups.End;
        }

        if (at < state.Groups.End) throw new JobRefusedException($"No former subtask owned key group {at}; its state would be lost.");
    }

    private readonly record struct Target(ISnapshotPart Part, int Shape);
}
