namespace OrleansStream.State;

/// <summary>A list per key whose items expire, each by itself.</summary>
internal sealed class ListExpiry<V> : StateExpiry
{
    private readonly ListColumn<long> _times;

    public ListExpiry(ListState<V> state, TimeToLive policy, ListColumn<V> lists, KeyedSlots slots, StateSerializers serializers, ExpiryTime time)
        : base(policy, slots, time)
    {
        Lists = lists;
        var codec = serializers.For<long>();
        _times = new ListColumn<long>(slots, codec, TimesOf(state, policy, StateKind.ListTimes, codec.Signature));
    }

    /// <summary>The lists, with expired items that were not removed yet.</summary>
    public ListColumn<V> Lists { get; }

    public override ListColumn<long> Times => _times;

    protected override int PlaceLimit => Slots.SlotLimit;

    /// <summary>The items that live, in the order of adding.</summary>
    public ReadOnlySpan<V> Items(int slot, long now)
    {
        var items = Living(slot, now);
        if (RefreshesOnRead && items.Length > 0) Refresh(slot, _times.Items(slot), now);
        return items;
    }

    /// <summary>The same as <see cref="Items"/>; not a read.</summary>
    public ReadOnlySpan<V> Living(int slot, long now)
    {
        var times = _times.Items(slot);
        var living = 0;
        foreach (var touched in times)
        {
            if (!HasExpired(touched, now)) living++;
        }

        return living == times.Length ? Lists.Items(slot) : Living(Lists.Items(slot), times, living, now);
    }

    public void Add(int slot, in V item, long now)
    {
        Lists.Add(slot, item);
        _times.Add(slot, Touch(now));
    }

    /// <summary>Puts items in place of what was there, touched together.</summary>
    public void Replace(int slot, ReadOnlySpan<V> items, long now)
    {
        Lists.Replace(slot, items);
        TouchAll(slot, now);
    }

    public void Clear(int slot)
    {
        Lists.Clear(slot);
        _times.Clear(slot);
    }

    public override void DropStrays()
    {
        for (var slot = 0; slot < PlaceLimit; slot++)
        {
            if (Lists.Count(slot) != _times.Count(slot)) _times.Clear(slot);
        }
    }

    protected override bool MarkMissing()
    {
        var isAny = false;
        for (var slot = 0; slot < PlaceLimit; slot++)
        {
            if (_times.Count(slot) != Lists.Count(slot)) TouchAll(slot, ExpiryTime.None);
            isAny |= _times.Items(slot).Contains(ExpiryTime.None);
        }

        return isAny;
    }

    protected override void ResolveAs(long moment)
    {
        for (var slot = 0; slot < PlaceLimit; slot++)
        {
            if (!_times.Items(slot).Contains(ExpiryTime.None)) continue;
            var times = _times.Items(slot).ToArray();
            times.AsSpan().Replace(ExpiryTime.None, moment);
            _times.Replace(slot, times);
        }
    }

    protected override int Visit(int place, long now, ref long earliest, ref long left)
    {
        var times = _times.Items(place);
        left -= times.Length;
        var living = 0;
        foreach (var touched in times)
        {
            if (HasExpired(touched, now)) continue;
            living++;
            earliest = Math.Min(earliest, touched);
        }

        if (living == times.Length) return -1;
        Lists.Replace(place, Living(Lists.Items(place), times, living, now));
        _times.Replace(place, Living(times, times, living, now));
        return place;
    }

    private T[] Living<T>(ReadOnlySpan<T> items, ReadOnlySpan<long> times, int count, long now)
    {
        var living = new T[count];
        var next = 0;
        for (var i = 0; i < items.Length; i++)
        {
            if (!HasExpired(times[i], now)) living[next++] = items[i];
        }

        return living;
    }

    private void Refresh(int slot, ReadOnlySpan<long> times, long now)
    {
        var refreshed = times.ToArray();
        var isAny = false;
        foreach (ref var touched in refreshed.AsSpan())
        {
            if (touched >= now || HasExpired(touched, now)) continue;
            touched = now;
            isAny = true;
        }

        if (isAny) _times.Replace(slot, refreshed);
    }

    private void TouchAll(int slot, long now)
    {
        var times = new long[Lists.Count(slot)];
        Array.Fill(times, times.Length > 0 ? Touch(now) : now);
        _times.Replace(slot, times);
    }
}
