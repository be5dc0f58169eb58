namespace OrleansStream.State;

/// <summary>The state that expires.</summary>
internal sealed partial class KeyedStateTable<TKey>
{
    private readonly Dictionary<StateDeclaration, StateExpiry> _expiryOf = new(ReferenceEqualityComparer.Instance);
    private readonly StateExpiry[] _expiries;

    /// <summary>What time it is for state that expires.</summary>
    public ExpiryTime Time { get; } = new();

    /// <summary>Whether any state expires.</summary>
    public bool HasExpiries => _expiries.Length > 0;

    /// <summary>Whether the removal of what has expired is on its way over the keys.</summary>
    public bool IsSweeping => Array.Exists(_expiries, static expiry => expiry.IsInLap);

    /// <summary>When something may have expired by the clock, or earlier; null when nothing does by itself.</summary>
    public long? NextByClock
    {
        get
        {
            long? next = null;
            foreach (var expiry in _expiries)
            {
                if (!expiry.IsInEventTime && KeyCount > 0 && (next is null || expiry.Due < next)) next = expiry.Due;
            }

            return next;
        }
    }

    /// <summary>What makes a declared state expire; null for state that stays.</summary>
    public StateExpiry? ExpiryOf(StateDeclaration state) => _expiryOf.GetValueOrDefault(state);

    /// <summary>A key's value as it is by the watermark and the clock of <see cref="Time"/>, for a reader outside: such reading refreshes nothing.</summary>
    public V Peek<V>(ValueState<V> state, int slot) => TryPeek<V>(state, slot, out var value) ? value : state.Default;

    /// <summary>What a value, a reduction or an aggregate of a key holds.</summary>
    /// <inheritdoc cref="Peek{V}(ValueState{V}, int)"/>
    public bool TryPeek<V>(StateDeclaration state, int slot, out V value)
    {
        var column = (ValueColumn<V>)ColumnOf(state);
        value = column.Get(slot);
        return ExpiryOf(state) is ValueExpiry<V> expiry ? expiry.IsLiving(slot, expiry.Now(long.MaxValue)) : column.Has(slot);
    }

    /// <summary>A key's items.</summary>
    /// <inheritdoc cref="Peek{V}(ValueState{V}, int)"/>
    public ReadOnlySpan<V> Peek<V>(ListState<V> state, int slot) => ExpiryOf(state) is ListExpiry<V> expiry ? expiry.Living(slot, expiry.Now(long.MaxValue)) : Lists(state).Items(slot);

    /// <summary>A key's entries.</summary>
    /// <inheritdoc cref="Peek{V}(ValueState{V}, int)"/>
    public IEnumerable<KeyValuePair<MK, MV>> Peek<MK, MV>(MapState<MK, MV> state, int slot)
        where MK : notnull
    {
        var expiry = ExpiryOf(state) as MapExpiry<MK, MV>;
        foreach (var entry in Maps(state).Entries(slot))
        {
            if (expiry is null || expiry.IsLiving(slot, entry.Key, expiry.Now(long.MaxValue))) yield return entry;
        }
    }

    /// <summary>Removes what has expired by the watermark and the clock of <see cref="Time"/>, some of it at a call. No slot may be in use.</summary>
    /// <param name="places">About how many places are visited at most.</param>
    public void Sweep(int places)
    {
        foreach (var expiry in _expiries) expiry.Sweep(places);
    }

    /// <summary>Gives the time to what was restored without one, as soon as it is known.</summary>
    public void ResolveTimes()
    {
        foreach (var expiry in _expiries) expiry.Resolve();
    }

    private StateExpiry[] OpenExpiries(IReadOnlyList<StateDeclaration> states, StateSerializers serializers)
    {
        foreach (var state in states)
        {
            if (state.TimeToLive is { } policy) _expiryOf.Add(state, state.OpenExpiry(policy, _declared[state], this, serializers, Time));
        }

        return [.. _expiryOf.Values];
    }
}
