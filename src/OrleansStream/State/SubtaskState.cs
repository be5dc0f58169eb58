using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.State;

// Contract: all parts of a subtask's state are frozen, published and restored together.
// - A delta is against the last checkpoint known to be published, and says so in its header. Until one is known, every snapshot is full.
// - Published(c) moves the base to c if c is newer; what changed before c's freeze is then no longer kept track of. Abandoned checkpoints leave no trace:
//   the next delta reaches back over them.
// - Parts are registered before the rehearsal and the first restore or freeze, never later: a part that came late would miss its state.
// - After a restore of one former subtask with the same key groups, deltas go on from the restored checkpoint. After any other restore the next
//   snapshot is full.
// - Passed on, it is the next subtask's with all that is in it: the tables of operators of the same names and shapes take the place of the fresh ones that are registered.
//   That is right only if all tables were taken over, and only for the very content that was frozen last, or for what was read ahead: then the restore reads on from there.
// - Called on the owner's thread only.

/// <summary>The state of one subtask: its keyed tables and windows, and the snapshots of them.</summary>
/// <param name="groups">The key groups of the subtask.</param>
/// <param name="maxParallelism">How many key groups the job has.</param>
/// <param name="serializers">How values rest.</param>
internal sealed class SubtaskState(KeyGroupRange groups, int maxParallelism, StateSerializers serializers)
{
    private readonly List<ISnapshotPart> _parts = [];
    private readonly List<(CheckpointId Id, uint Epoch)> _unsettled = [];
    private uint _epoch = 1;
    private uint _baseEpoch;
    private CheckpointId? _last;
    private readonly List<ISnapshotPart> _passedOn = [];
    private readonly Dictionary<int, (SegmentChain Chain, CheckpointId Last)> _ahead = [];
    private bool _isPassedOn;
    private bool _isClosed;
    private bool _isMismatched;

    /// <summary>The checkpoint that the next delta builds on; null when the next snapshot will be full.</summary>
    public CheckpointId? Base { get; private set; }

    /// <summary>The key groups of the subtask.</summary>
    public KeyGroupRange Groups => groups;

    /// <summary>How many key groups the job has.</summary>
    public int MaxParallelism => maxParallelism;

    internal IReadOnlyList<ISnapshotPart> Parts => _parts;

    /// <summary>Whether the content is that of a former subtask, and needs no restoring.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>Whether the operators have taken over every table that was passed on, and have no other.</summary>
    public bool IsTakenOver => _passedOn.Count == 0 && !_isMismatched;

    /// <summary>The subtask has ended right behind its last freeze, or there was none and its tables were read ahead: what comes is the next one.</summary>
    public void PassOn()
    {
        if (_parts.Count > 0 && !_isClosed && _ahead.Count == 0) throw new InvalidOperationException("State was passed on that was never frozen, nor read ahead.");
        _passedOn.AddRange(_parts);
        _parts.Clear();
        _isClosed = false;
        _isPassedOn = true;
        IsWhole = _ahead.Count == 0;
    }

    /// <summary>Whether what was read ahead is how these chains begin, in the attempt that wrote the newest of it, so that the rest may follow.</summary>
    public bool IsAheadOf(IReadOnlyList<SegmentChain> chains)
    {
        var needed = chains.Where(chain => chain.FormerGroups.Overlaps(groups)).ToList();
        return needed.Count == _ahead.Count && needed.All(chain => _ahead.TryGetValue(chain.FormerSubtask, out var read) && chain.GoesOnFrom(read.Chain));
    }

    /// <summary>How many blocks of segments were read, for who wants to see that it goes on.</summary>
    internal int BlocksRead { get; set; }

    /// <summary>How many segments of a chain were read.</summary>
    internal int ReadOf(SegmentChain chain) => _ahead.TryGetValue(chain.FormerSubtask, out var read) ? read.Chain.Segments.Count : 0;

    /// <summary>The checkpoint of the last of them.</summary>
    internal CheckpointId? LastReadOf(SegmentChain chain) => _ahead.TryGetValue(chain.FormerSubtask, out var read) ? read.Last : null;

    internal void NoteRead(SegmentChain chain, CheckpointId last) => _ahead[chain.FormerSubtask] = (chain, last);

    /// <summary>Adds a table; gives the one to use, which holds what was passed on.</summary>
    public T Register<T>(T part)
        where T : class, ISnapshotPart
    {
        if (_isPassedOn) return TakeOver(part);
        Add(part);
        return part;
    }

    private T TakeOver<T>(T part)
        where T : class, ISnapshotPart
    {
        if (_passedOn.OfType<T>().FirstOrDefault(former => former.Operator == part.Operator && former.Shapes.SequenceEqual(part.Shapes)) is not { } former)
        {
            _isMismatched = true;
            return part;
        }

        _passedOn.Remove(former);
        _parts.Add(former);
        former.StandFor(part);
        return former;
    }

    private void Add(ISnapshotPart part)
    {
        if (_isClosed || _ahead.Count > 0) throw new InvalidOperationException($"The table of operator '{part.Operator}' was registered after the state was restored or frozen.");
        if (part.Epoch != _epoch) throw new InvalidOperationException($"The table of operator '{part.Operator}' was frozen before it was registered.");
        foreach (var shape in part.Shapes)
        {
            if (_parts.Any(p => p.Shapes.Any(s => s.Operator == shape.Operator && s.Kind == shape.Kind && s.Name == shape.Name)))
            {
                throw new InvalidOperationException($"Two tables of one subtask keep {shape}; give every operator a name of its own.");
            }
        }

        _parts.Add(part);
    }

    /// <summary>
    /// Freezes the tables in full and in part while there is nothing in them, so that what a freeze runs is compiled before records wait for it: it is code of each table's own types, and a millisecond's work
    /// took twenty for it. State that was passed on has been frozen, or is rehearsed already.
    /// </summary>
    public void Rehearse()
    {
        if (_isPassedOn) return;
        if (_isClosed || _ahead.Count > 0) throw new InvalidOperationException("State was rehearsed after it was restored, read ahead or frozen.");
        foreach (var since in new[] { 0u, _epoch })
        {
            foreach (var part in FreezeParts(since).Frozen) part.Release();
        }
    }

    /// <summary>Freezes everything as it is. Synchronous; the result is encoded beside the processing.</summary>
    /// <param name="id">The checkpoint; later than all before.</param>
    /// <param name="full">Whether the snapshot is to be complete by itself. It is anyway while there is no base.</param>
    /// <param name="blobs">State without keys.</param>
    public FrozenSubtask Freeze(CheckpointId id, bool full, IReadOnlyList<OperatorBlob> blobs)
    {
        if (_last is { } last && id <= last)
        {
            throw new InvalidOperationException($"Checkpoint {id} was frozen after {last}; ids are never reused and only grow.");
        }

        _isClosed = true;
        _last = id;
        var since = full ? 0 : _baseEpoch;
        _unsettled.Add((id, _epoch));
        var (frozen, firsts, declarations) = FreezeParts(since);
        var header = new SegmentHeader(id, since == 0 ? null : Base, groups, maxParallelism, declarations, [.. blobs]);
        return new FrozenSubtask(header, frozen, firsts, serializers);
    }

    private (IFrozenPart[] Frozen, int[] Firsts, List<SegmentDeclaration> Declarations) FreezeParts(uint since)
    {
        var declarations = new List<SegmentDeclaration>();
        var frozen = new IFrozenPart[_parts.Count];
        var firsts = new int[_parts.Count];
        for (var i = 0; i < frozen.Length; i++)
        {
            frozen[i] = _parts[i].Freeze(since);
            firsts[i] = declarations.Count;
            for (var shape = 0; shape < _parts[i].Shapes.Count; shape++)
            {
                declarations.Add(new SegmentDeclaration(_parts[i].Shapes[shape], frozen[i].LineOf(shape), frozen[i].RoomOf(shape)));
            }
        }

        _epoch++;
        CheckEpochs();
        return (frozen, firsts, declarations);
    }

    /// <summary>Learns that a checkpoint was published. Again, or later than a newer one, it changes nothing.</summary>
    public void Published(CheckpointId id)
    {
        if (Base is { } current && id <= current) return;
        var index = _unsettled.FindIndex(u => u.Id == id);
        if (index < 0) throw new InvalidOperationException($"Checkpoint {id} is said to be published, but this subtask has no unsettled snapshot of it.");
        Base = id;
        _baseEpoch = _unsettled[index].Epoch;
        _unsettled.RemoveRange(0, index + 1);
        foreach (var part in _parts) part.Forget(_baseEpoch);
    }

    /// <summary>Learns that a checkpoint will never be published.</summary>
    public void Abandoned(CheckpointId id) => _unsettled.RemoveAll(u => u.Id == id);

    /// <summary>
    /// Reads what a checkpoint has of this subtask's key groups into the tables, before it is known from which one they will be restored: <see cref="RestoreAsync"/> reads on from there, if that goes on
    /// with what was read. May be done again with a later checkpoint of the same attempt.
    /// </summary>
    /// <param name="store">Where the segments are.</param>
    /// <param name="chains">The segments of all former subtasks of the stage.</param>
    /// <param name="cancellation">Gives up; the state is then unusable, as it is when this fails.</param>
    public ValueTask ReadAheadAsync(ICheckpointStore store, IReadOnlyList<SegmentChain> chains, CancellationToken cancellation)
    {
        if (_isClosed || _isPassedOn) throw new InvalidOperationException("State was read ahead after it was restored, frozen or passed on.");
        if (_ahead.Count > 0 && !IsAheadOf(chains)) throw new InvalidOperationException("State was read ahead from chains that do not go on with what was read before.");
        return new SubtaskRestore(this, store, serializers).ReadAheadAsync(chains, cancellation);
    }

    /// <summary>Reads the state of this subtask's key groups into the tables, from where it was read ahead to; of state that was passed on whole, what is not in tables.</summary>
    /// <param name="store">Where the segments are.</param>
    /// <param name="chains">The segments of all former subtasks of the stage; only what is needed is read.</param>
    /// <param name="cancellation">Gives up; the state is then unusable.</param>
    /// <exception cref="DamagedObjectException">A segment is missing, cut short or changed.</exception>
    /// <exception cref="Jobs.JobRefusedException">The segments hold state that is no longer declared, or is declared otherwise.</exception>
    public async ValueTask<RestoredState> RestoreAsync(ICheckpointStore store, IReadOnlyList<SegmentChain> chains, CancellationToken cancellation)
    {
        if (_isClosed) throw new InvalidOperationException("State was restored twice, or after a freeze.");
        if (_isPassedOn && !IsTakenOver) throw new InvalidOperationException("State was passed on of which not all tables were taken over.");
        if (_ahead.Count > 0 && !IsAheadOf(chains)) throw new InvalidOperationException("State that was read ahead is restored from chains that do not go on with it.");
        _isClosed = true;
        var restore = new SubtaskRestore(this, store, serializers);
        var restored = await restore.RunAsync(chains, cancellation);
        _ahead.Clear();
        if (IsWhole)
        {
            if (restored.BuildsOn != _last) throw new InvalidOperationException($"The tables of checkpoint {_last} were passed on for those of {restored.BuildsOn}.");
            Published(_last!.Value);
            return restored;
        }

        foreach (var part in _parts) part.EndRestore();
        _epoch++;
        CheckEpochs();
        if (restored.BuildsOn is { } basis)
        {
            Base = basis;
            _baseEpoch = _epoch - 1;
            _last = basis;
        }

        return restored;
    }

    private void CheckEpochs()
    {
        foreach (var part in _parts)
        {
            if (part.Epoch == _epoch) continue;
            throw new InvalidOperationException(
                $"The table of operator '{part.Operator}' is in epoch {part.Epoch}, the subtask in {_epoch}: it was frozen apart from the others.");
        }
    }
}
