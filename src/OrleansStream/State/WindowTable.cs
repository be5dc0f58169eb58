using System.Runtime.CompilerServices;

namespace OrleansStream.State;

// Contract: accumulators by (key, window start), all in one cell each, so that a record costs one look-up and, as a rule, two cache lines.
// - A start that is closed is not added to any more; its windows stay until they are removed, all of them, which then costs nothing in the index.
// - Windows that start before the purge line are gone for good: the line is in every snapshot, so purging whole stretches of time logs nothing. Set the
//   line before removing the windows below it. Removing a window at or above the line is logged, if an earlier freeze may hold it.
// - No live window starts below the line when the table is frozen.
// - The line never goes back.

/// <summary>The windows of one operator in one subtask.</summary>
internal sealed partial class WindowTable<TKey, TAcc> : ISnapshotPart, IWindowTable
{
    /// <summary>How many runs of slots are removed in one go.</summary>
    private const int MostRuns = 256;

    private readonly KeyGroupRange _groups;
    private readonly int _maxParallelism;
    private readonly KeyCodec<TKey> _keys = KeyCodec<TKey>.Default;
    private readonly StateCodec<TAcc> _accumulators;
    private readonly PagedColumn<Cell> _cells = new();
    private readonly WindowStarts _starts = new();
    private readonly TombstoneLog<Removed> _tombstones = new();
    private long _purgedBefore = long.MinValue;

    /// <summary>Makes an empty table.</summary>
    /// <param name="operatorName">The operator's written name.</param>
    /// <param name="groups">The key groups of the subtask.</param>
    /// <param name="maxParallelism">How many key groups the job has.</param>
    /// <param name="serializers">How accumulators rest.</param>
    public WindowTable(string operatorName, KeyGroupRange groups, int maxParallelism, StateSerializers serializers)
    {
        Operator = operatorName;
        _groups = groups;
        _maxParallelism = maxParallelism;
        _accumulators = serializers.For<TAcc>();
        Shapes = [new StateShape(operatorName, StateKind.Windows, "", $"key{KeyCodec.Version}:{_keys.Signature},int64->{_accumulators.Signature}")];
    }

    public string Operator { get; }

    public IReadOnlyList<StateShape> Shapes { get; }

    public uint Epoch => _cells.Epoch;

    /// <summary>How many windows are open.</summary>
    public int Count => _starts.Count;

    /// <summary>All slot numbers are below it.</summary>
    public int SlotLimit => _starts.Limit;

    /// <summary>Removals that are kept until a published checkpoint is without the windows.</summary>
    internal int LoggedRemovals => _tombstones.Count;

    /// <summary>Windows that start before it are gone; it only goes forward.</summary>
    public long PurgedBefore
    {
        get => _purgedBefore;
        set => _purgedBefore = value >= _purgedBefore
            ? value
            : throw new InvalidOperationException($"The purge line of operator '{Operator}' cannot go back from {_purgedBefore} to {value}.");
    }

    public bool IsLive(int slot) => _cells.Read(slot).Changed != 0;

    public TKey KeyOf(int slot) => _cells.Read(slot).Key;

    public ulong HashOf(int slot) => _cells.Read(slot).Hash;

    public long StartOf(int slot) => _cells.Read(slot).Start;

    /// <summary>The accumulator of a live slot.</summary>
    public ref readonly TAcc Read(int slot) => ref _cells.Read(slot).Accumulator;

    /// <summary>The accumulator of a live slot, and whose it is.</summary>
    public ref readonly TAcc Read(int slot, out TKey key, out ulong hash, out long start)
    {
        ref readonly var cell = ref _cells.Read(slot);
        key = cell.Key;
        hash = cell.Hash;
        start = cell.Start;
        return ref cell.Accumulator;
    }

    /// <summary>The accumulator in place, marked as changed. To be used before the next call on the table.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref TAcc GetRefForWrite(int slot)
    {
        ref var cell = ref _cells.Write(slot);
        cell.Changed = _cells.Epoch;
        return ref cell.Accumulator;
    }

    /// <summary>The window's slot; a new one with a default accumulator when the window is not open yet.</summary>
    public int GetOrAdd(TKey key, ulong hash, long start, out bool added)
    {
        var slot = Find(key, hash, start);
        added = slot < 0;
        return added ? Add(key, hash, start) : slot;
    }

    /// <summary>The window's slot, if the window is open.</summary>
    public bool TryGet(TKey key, ulong hash, long start, out int slot)
    {
        slot = Find(key, hash, start);
        return slot >= 0;
    }

    /// <summary>Says that all windows of a start are about to be removed.</summary>
    public void Close(long start)
    {
        if (_starts.Of(start) is { } windows) windows.IsClosed = true;
    }

    /// <summary>Removes a window and frees its slot.</summary>
    public void Remove(int slot)
    {
        ref var cell = ref _cells.Write(slot);
        if (cell.Changed == 0) throw new InvalidOperationException($"Operator '{Operator}' removes the window in slot {slot}, which is free.");
        if (cell.Start >= _purgedBefore) LogRemoval(in cell);
        _starts.Remove(cell.Start, cell.Hash, slot);
        cell = default;
    }

    /// <summary>The first slots of the runs that hold the windows of a start, some of whose slots may be free.</summary>
    public ReadOnlySpan<int> RunsOf(long start) => _starts.Of(start) is { } windows ? windows.Runs : [];

    /// <summary>
    /// Removes windows of one start, whosever they are, run by run and not key by key: some thousands at most, so that no turn is held up. No other of them is added
    /// any more. False when some are left.
    /// </summary>
    public bool RemoveSome(long start)
    {
        for (var i = 0; i < MostRuns; i++)
        {
            if (_starts.TakeBackRun(start) is not { } run) return true;
            for (var slot = run; start >= _purgedBefore && slot < run + SlotRuns.Length; slot++) LogRemoval(in _cells.Read(slot));
            _cells.Clear(run, SlotRuns.Length);
        }

        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Find(TKey key, ulong hash, long start)
    {
        if (_starts.Of(start)?.Index is not { } index) return -1;
        var tag = SlotIndex.TagOf(hash);
        var buckets = index.Buckets;
        for (var i = index.Home(tag); ; i = (i + 1) & (buckets.Length - 1))
        {
            ref var bucket = ref buckets[i];
            if (bucket.SlotPlusOne == 0) return -1;
            if (bucket.Tag != tag) continue;
            ref readonly var cell = ref _cells.Read(bucket.SlotPlusOne - 1);
            if (cell.Hash == hash && KeyCodec<TKey>.Same(cell.Key, key)) return bucket.SlotPlusOne - 1;
        }
    }

    private void LogRemoval(in Cell cell)
    {
        if (cell.Changed != 0 && cell.Born != _cells.Epoch) _tombstones.Add(_cells.Epoch, new Removed(cell.Hash, cell.Key, cell.Start));
    }

    private int Add(TKey key, ulong hash, long start)
    {
        var group = KeyGroups.Of(hash, _maxParallelism);
        if (!_groups.Contains(group)) throw StrayKey.Received(Operator, key, group, _groups);
        if (start < _purgedBefore)
        {
            throw new InvalidOperationException(
                $"Operator '{Operator}' opens a window of key '{key}' that starts at {start}, before the purge line {_purgedBefore}: its records are late.");
        }

        var slot = _starts.Add(start, hash);
        _cells.Reserve(slot + 1);
        _cells.Write(slot) = new Cell { Hash = hash, Start = start, Key = key, Changed = _cells.Epoch, Born = _cells.Epoch };
        return slot;
    }

    private readonly record struct Removed(ulong Hash, TKey Key, long Start);

    private struct Cell
    {
        public ulong Hash;
        public long Start;
        public TKey Key;

        /// <summary>The epoch of the last change; 0 in a free slot.</summary>
        public uint Changed;

        /// <summary>The epoch in which the window was opened.</summary>
        public uint Born;

        public TAcc Accumulator;
    }
}

/// <summary>A table of windows whose types do not matter.</summary>
internal interface IWindowTable
{
    /// <summary>How many windows are open.</summary>
    int Count { get; }
}
