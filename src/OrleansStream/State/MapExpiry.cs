namespace OrleansStream.State;

/// <summary>A map per key whose entries expire, each by itself.</summary>
internal sealed class MapExpiry<MK, MV> : StateExpiry
    where MK : notnull
{
    private readonly MapColumn<MK, long> _times;

    public MapExpiry(MapState<MK, MV> state, TimeToLive policy, MapColumn<MK, MV> maps, KeyedSlots slots, StateSerializers serializers, ExpiryTime time)
        : base(policy, slots, time)
    {
        Maps = maps;
        var (keys, codec) = (KeyCodec<MK>.Default, serializers.For<long>());
        _times = new MapColumn<MK, long>(slots, keys, codec, TimesOf(state, policy, StateKind.MapTimes, $"{keys.Signature}->{codec.Signature}"));
    }

    /// <summary>The maps, with expired entries that were not removed yet.</summary>
    public MapColumn<MK, MV> Maps { get; }

    public override MapColumn<MK, long> Times => _times;

    protected override int PlaceLimit => _times.EntryLimit;

    public bool TryGet(int slot, MK key, long now, out MV value)
    {
        if (!Maps.TryGet(slot, key, out value) || !IsLiving(slot, key, now))
        {
            value = default!;
            return false;
        }

        if (RefreshesOnRead) Refresh(slot, key, now);
        return true;
    }

    /// <summary>Sets an entry. One that has expired comes anew, behind all others: as if it had been removed.</summary>
    public void Set(int slot, MK key, in MV value, long now)
    {
        if (!IsLiving(slot, key, now)) Drop(slot, key);
        Maps.Set(slot, key, value);
        Refresh(slot, key, now);
    }

    /// <summary>Removes an entry; false when there was none that lived.</summary>
    public bool Remove(int slot, MK key, long now)
    {
        var wasLiving = IsLiving(slot, key, now);
        Drop(slot, key);
        return wasLiving;
    }

    /// <summary>How many entries live; takes time of the number of entries.</summary>
    public int Count(int slot, long now)
    {
        var count = 0;
        foreach (var entry in _times.Entries(slot))
        {
            if (!HasExpired(entry.Value, now)) count++;
        }

        return count;
    }

    public bool IsLiving(int slot, MK key, long now) => _times.TryGet(slot, key, out var touched) && !HasExpired(touched, now);

    /// <summary>Moves an entry's time on to <paramref name="now"/>.</summary>
    public void Refresh(int slot, MK key, long now)
    {
        if (!_times.TryGet(slot, key, out var touched) || now > touched) _times.Set(slot, key, Touch(now));
    }

    public void Clear(int slot)
    {
        Maps.Clear(slot);
        _times.Clear(slot);
    }

    public override void DropStrays()
    {
        for (var entry = 0; entry < _times.EntryLimit; entry++)
        {
            if (_times.TryEntry(entry, out var owner, out var key) && !Maps.TryGet(owner, key, out _)) _times.Remove(owner, key);
        }
    }

    protected override bool MarkMissing()
    {
        var isAny = false;
        for (var entry = 0; entry < Maps.EntryLimit; entry++)
        {
            if (!Maps.TryEntry(entry, out var owner, out var key)) continue;
            if (_times.TryGet(owner, key, out var touched) && touched != ExpiryTime.None) continue;
            _times.Set(owner, key, ExpiryTime.None);
            isAny = true;
        }

        return isAny;
    }

    protected override void ResolveAs(long moment)
    {
        for (var entry = 0; entry < _times.EntryLimit; entry++)
        {
            if (_times.TryEntry(entry, out var owner, out var key) && _times.EntryAt(entry).Value == ExpiryTime.None) _times.Set(owner, key, moment);
        }
    }

    protected override int Visit(int place, long now, ref long earliest, ref long left)
    {
        if (!_times.TryEntry(place, out var owner, out var key)) return -1;
        var touched = _times.EntryAt(place).Value;
        if (!HasExpired(touched, now))
        {
            earliest = Math.Min(earliest, touched);
            return -1;
        }

        Drop(owner, key);
        return owner;
    }

    private void Drop(int slot, MK key)
    {
        Maps.Remove(slot, key);
        _times.Remove(slot, key);
    }
}
