namespace OrleansStream.State;

/// <summary>One value per key that expires.</summary>
internal sealed class ValueExpiry<V> : StateExpiry
{
    private readonly ValueState<V> _state;
    private readonly ValueColumn<long> _times;

    public ValueExpiry(ValueState<V> state, TimeToLive policy, ValueColumn<V> values, KeyedSlots slots, StateSerializers serializers, ExpiryTime time)
        : base(policy, slots, time)
    {
        _state = state;
        Values = values;
        var codec = serializers.For<long>();
        _times = new ValueColumn<long>(new ValueState<long>(state.Name) { Default = ExpiryTime.None }, slots, codec, TimesOf(state, policy, StateKind.ValueTimes, codec.Signature));
    }

    /// <summary>The values, expired ones that were not removed yet among them.</summary>
    public ValueColumn<V> Values { get; }

    public override ValueColumn<long> Times => _times;

    protected override int PlaceLimit => Slots.SlotLimit;

    public bool Has(int slot, long now)
    {
        if (!IsLiving(slot, now)) return false;
        if (RefreshesOnRead) Refresh(slot, now);
        return true;
    }

    /// <summary>Whether there is a value that lives; not a read.</summary>
    public bool IsLiving(int slot, long now) => Values.Has(slot) && !HasExpired(_times.Get(slot), now);

    /// <summary>The value, or the declared default when there is none that lives.</summary>
    public V Get(int slot, long now) => Has(slot, now) ? Values.Get(slot) : _state.Default;

    public void Set(int slot, in V value, long now)
    {
        Values.Set(slot, value);
        Refresh(slot, now);
    }

    public void Clear(int slot)
    {
        Values.Clear(slot);
        _times.Clear(slot);
    }

    public override void DropStrays()
    {
        for (var slot = 0; slot < PlaceLimit; slot++)
        {
            if (!Values.Has(slot)) _times.Clear(slot);
        }
    }

    protected override bool MarkMissing()
    {
        var isAny = false;
        for (var slot = 0; slot < PlaceLimit; slot++)
        {
            if (!Values.Has(slot) || _times.Get(slot) != ExpiryTime.None) continue;
            if (!_times.Has(slot)) _times.Set(slot, ExpiryTime.None);
            isAny = true;
        }

        return isAny;
    }

    protected override void ResolveAs(long moment)
    {
        for (var slot = 0; slot < PlaceLimit; slot++)
        {
            if (_times.Has(slot) && _times.Get(slot) == ExpiryTime.None) _times.Set(slot, moment);
        }
    }

    protected override int Visit(int place, long now, ref long earliest, ref long left)
    {
        if (!_times.Has(place)) return -1;
        var touched = _times.Get(place);
        if (!HasExpired(touched, now))
        {
            earliest = Math.Min(earliest, touched);
            return -1;
        }

        Clear(place);
        return place;
    }

    private void Refresh(int slot, long now)
    {
        // What has no time is said to have the earliest there is.
        if (now > _times.Get(slot) || !_times.Has(slot)) _times.Set(slot, Touch(now));
    }
}
