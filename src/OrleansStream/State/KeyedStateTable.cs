using System.Runtime.CompilerServices;

namespace OrleansStream.State;

// Contract: all keyed state of one operator in one subtask.
// - A key that has any state, list, map entry or timer lives in one slot until it has none; columns are addressed by slot, so a record costs one look-up.
// - A slot is freed only by ReleaseIfEmpty (and when a restore ends). Between a look-up and that call the slot stays the key's.
// - A key belongs here only if its group is in the subtask's range. Anything else means that records went astray, and ends the attempt.
// - When a key leaves whom an earlier freeze may hold, the removal is logged with the key; it takes back all that the key had in any column.

/// <summary>The keyed state of one operator in one subtask: slots of keys, a column per declared state, and timers.</summary>
internal sealed partial class KeyedStateTable<TKey> : KeyedSlots, ISnapshotPart, IKeyedTable
{
    private static readonly bool IsScoped = typeof(IScopedKey).IsAssignableFrom(typeof(TKey));

    private readonly KeyGroupRange _groups;
    private readonly int _maxParallelism;
    private readonly KeyCodec<TKey> _codec = KeyCodec<TKey>.Default;
    private readonly Dictionary<StateDeclaration, KeyedColumn> _declared = new(ReferenceEqualityComparer.Instance);
    private readonly KeyedColumn[] _columns;
    private IReadOnlyList<StateDeclaration> _states;
    private readonly PagedColumn<Cell> _cells = new();
    private readonly SlotIndex _index = new();
    private readonly SlotPool _pool = new();
    private readonly TombstoneLog<Removed> _tombstones = new();

    /// <summary>Makes an empty table.</summary>
    /// <param name="operatorName">The operator's written name.</param>
    /// <param name="groups">The key groups of the subtask.</param>
    /// <param name="maxParallelism">How many key groups the job has.</param>
    /// <param name="states">The declared states; names are unique among those of one kind.</param>
    /// <param name="serializers">How values rest.</param>
    public KeyedStateTable(string operatorName, KeyGroupRange groups, int maxParallelism, IReadOnlyList<StateDeclaration> states, StateSerializers serializers)
    {
        Operator = operatorName;
        _groups = groups;
        _maxParallelism = maxParallelism;
        _states = states;
        EventTimers = new TimerTable(StateKind.EventTimers, this);
        ProcessingTimers = new TimerTable(StateKind.ProcessingTimers, this);
        foreach (var state in states)
        {
            if (_declared.ContainsKey(state) || _declared.Keys.Any(s => s.Name == state.Name))
            {
                throw new ArgumentException($"Operator '{operatorName}' declares the state '{state.Name}' twice; state names are unique within an operator.");
            }

            _declared.Add(state, state.OpenColumn(this, serializers));
        }

        _expiries = OpenExpiries(states, serializers);
        _columns = [.. states.Select(s => _declared[s]), EventTimers, ProcessingTimers, .. _expiries.Select(static e => e.Times)];
        var keyForm = $"key{KeyCodec.Version}:{_codec.Signature}";
        Shapes =
        [
            new StateShape(operatorName, StateKind.Keys, "", keyForm),
            .. _columns.Select(c => c.Shape with { Operator = operatorName, Form = $"{keyForm}->{c.Shape.Form}" }),
        ];
    }

    public string Operator { get; }

    public IReadOnlyList<StateShape> Shapes { get; }

    public uint Epoch => _cells.Epoch;

    /// <summary>Timers that come due with the watermark.</summary>
    public TimerTable EventTimers { get; }

    /// <summary>Timers that come due with the clock.</summary>
    public TimerTable ProcessingTimers { get; }

    /// <summary>How many keys are here.</summary>
    public int KeyCount => _pool.InUse;

    /// <summary>All slot numbers are below it.</summary>
    public override int SlotLimit => _pool.Limit;

    public bool IsLive(int slot) => _cells.Read(slot).Born != 0;

    public TKey KeyOf(int slot) => _cells.Read(slot).Key;

    public override ulong HashOf(int slot)
    {
        ref readonly var cell = ref _cells.Read(slot);
        return Spread(cell.Key, cell.Hash);
    }

    /// <summary>The hash that decides the key group of a slot's key.</summary>
    public ulong GroupHashOf(int slot) => _cells.Read(slot).Hash;

    /// <summary>The column of a declared value.</summary>
    public ValueColumn<V> Values<V>(ValueState<V> state) => (ValueColumn<V>)ColumnOf(state);

    /// <summary>The column of a declared list.</summary>
    public ListColumn<V> Lists<V>(ListState<V> state) => (ListColumn<V>)ColumnOf(state);

    /// <summary>The column of a declared map.</summary>
    public MapColumn<MK, MV> Maps<MK, MV>(MapState<MK, MV> state)
        where MK : notnull => (MapColumn<MK, MV>)ColumnOf(state);

    /// <summary>The key's slot; a new one when the key is not here yet.</summary>
    /// <param name="key">The key.</param>
    /// <param name="hash">Its hash by <see cref="KeyCodec{TKey}"/>.</param>
    public int GetOrAddSlot(TKey key, ulong hash)
    {
        var slot = Find(key, hash);
        return slot >= 0 ? slot : Add(key, hash);
    }

    /// <summary>The key's slot, if the key is here.</summary>
    public bool TryGetSlot(TKey key, ulong hash, out int slot)
    {
        slot = Find(key, hash);
        return slot >= 0;
    }

    /// <summary>Frees the slot of a key that has nothing left. To be called after a key was processed; the slot must not be used afterwards.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void ReleaseIfEmpty(int slot)
    {
        if (IsUnused(slot)) Release(slot);
    }

    public override void Free(int slot) => ReleaseIfEmpty(slot);

    /// <summary>The hash to find a key by. Known when the code is compiled: for keys that are whole it is the hash itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Spread(TKey key, ulong hash) => typeof(TKey).IsValueType && IsScoped ? _codec.Spread(key, hash) : hash;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Find(TKey key, ulong hash)
    {
        var tag = SlotIndex.TagOf(Spread(key, hash));
        var buckets = _index.Buckets;
        for (var i = _index.Home(tag); ; i = (i + 1) & (buckets.Length - 1))
        {
            ref var bucket = ref buckets[i];
            if (bucket.SlotPlusOne == 0) return -1;
            if (bucket.Tag != tag) continue;
            ref readonly var cell = ref _cells.Read(bucket.SlotPlusOne - 1);
            if (cell.Hash == hash && KeyCodec<TKey>.Same(cell.Key, key)) return bucket.SlotPlusOne - 1;
        }
    }

    private int Add(TKey key, ulong hash)
    {
        var group = KeyGroups.Of(hash, _maxParallelism);
        if (!_groups.Contains(group)) throw StrayKey.Received(Operator, key, group, _groups);
        var slot = _pool.Take();
        if (slot + 1 == _pool.Limit) Reserve(slot + 1);
        _cells.Write(slot) = new Cell { Hash = hash, Key = key, Born = _cells.Epoch };
        _index.Add(SlotIndex.TagOf(Spread(key, hash)), slot);
        TakeUnused();
        return slot;
    }

    private void Reserve(int slots)
    {
        ReserveUses(slots);
        _cells.Reserve(slots);
        foreach (var column in _columns) column.Reserve(slots);
    }

    private void Release(int slot)
    {
        if (!IsLive(slot)) return;
        ref var cell = ref _cells.Write(slot);
        if (cell.Born != _cells.Epoch) _tombstones.Add(_cells.Epoch, new Removed(cell.Hash, cell.Key));
        _index.Remove(SlotIndex.TagOf(Spread(cell.Key, cell.Hash)), slot);
        cell = default;
        LeaveUnused();
        _pool.Return(slot);
    }

    public void StandFor(ISnapshotPart fresh)
    {
        var states = ((KeyedStateTable<TKey>)fresh)._states;
        for (var i = 0; i < states.Count; i++)
        {
            Rename(_declared, _states[i], states[i]);
            Rename(_expiryOf, _states[i], states[i]);
        }

        _states = states;

        static void Rename<T>(Dictionary<StateDeclaration, T> declared, StateDeclaration before, StateDeclaration now)
        {
            if (declared.Remove(before, out var kept)) declared.Add(now, kept);
        }
    }

    public KeyedColumn ColumnOf(StateDeclaration state) => _declared.TryGetValue(state, out var column)
        ? column
        : throw new InvalidOperationException(
            $"Operator '{Operator}' uses the state '{state.Name}', which it does not declare. Add it to the function's States, as the same static field.");

    private readonly record struct Removed(ulong Hash, TKey Key);

    private struct Cell
    {
        public ulong Hash;
        public TKey Key;

        /// <summary>The epoch in which the key came; 0 in a free slot.</summary>
        public uint Born;
    }
}

/// <summary>A keyed table whose key type does not matter.</summary>
internal interface IKeyedTable
{
    /// <summary>How many keys are here.</summary>
    int KeyCount { get; }
}
