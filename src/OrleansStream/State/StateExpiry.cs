namespace OrleansStream.State;

// Contract: a state that expires is two columns: the state's own, in its own form, and beside it one of the same structure that holds when each piece was last touched.
// - Outside of a restore both have the same pieces. A time of None means that a piece was touched when no time was known: it does not expire, and gets the
//   first time that becomes known.
// - What a reader sees depends on times only and never on what has been removed already: a piece is removed by itself only when it has expired by the
//   watermark (or the clock), and no reader's time is before that.
// - Times are a policy: a segment's times are used only if the newest segment of its chain has them too, in the same kind of time (see SubtaskRestore). Otherwise
//   every piece gets its time anew, and marked as changed, so that the next delta holds the times of all.
// - Removal goes in laps over the places, a bounded number at a call. A lap learns the earliest time there is, so none begins before something can have
//   expired, nor sooner after the last than an eighth of the time to live: so a piece outlives its time by about that, and by the lap that removes it.

/// <summary>The times of one state that expires, and its removal.</summary>
internal abstract class StateExpiry(TimeToLive policy, KeyedSlots slots, ExpiryTime time)
{
    /// <summary>The most laps in a time to live.</summary>
    private const int Laps = 8;

    private readonly long _duration = Math.Max(1, policy.Milliseconds);
    private int _next = -1;
    private long _began;
    private long _earliest;
    private long _debt;
    private bool _hasUnknown;

    /// <summary>When each piece was last touched.</summary>
    public abstract KeyedColumn Times { get; }

    public bool RefreshesOnRead => policy.RefreshOnRead;

    public bool IsInEventTime => policy.IsInEventTime;

    /// <summary>The time before which no lap begins.</summary>
    public long Due { get; private set; } = ExpiryTime.None;

    /// <summary>Whether a lap has begun that is not at its end.</summary>
    public bool IsInLap => _next >= 0;

    protected KeyedSlots Slots => slots;

    /// <summary>All places are below it.</summary>
    protected abstract int PlaceLimit { get; }

    /// <summary>What no reader's time is before; <see cref="ExpiryTime.None"/> when none is known.</summary>
    private long Floor => policy.IsInEventTime ? time.Watermark : time.Clock;

    /// <summary>The time at a record or timer.</summary>
    public long Now(long timestamp) => policy.IsInEventTime ? time.EventTimeAt(timestamp) : time.Clock;

    public bool HasExpired(long touched, long now)
    {
        if (touched == ExpiryTime.None) return false;
        var end = ExpiryTime.Plus(touched, _duration);
        return end <= now && end != long.MaxValue;
    }

    /// <summary>Goes on with the lap over the places, if one is due.</summary>
    /// <param name="places">How many places may be visited, and items moved.</param>
    public void Sweep(int places)
    {
        var floor = Floor;
        if (floor == ExpiryTime.None) return;
        Resolve();
        if (_next < 0)
        {
            if (floor < Due) return;
            (_next, _began, _earliest) = (0, floor, long.MaxValue);
        }

        // A long list is visited at once; what that took too much is made up for by the next calls.
        var left = places - _debt;
        while (left > 0 && _next < PlaceLimit)
        {
            left--;
            if (Visit(_next++, floor, ref _earliest, ref left) is var owner && owner >= 0) slots.Free(owner);
        }

        _debt = Math.Max(0, -left);
        if (_next >= PlaceLimit) EndLap(floor);
    }

    /// <summary>Learns the time, if pieces wait for it.</summary>
    public void Resolve()
    {
        if (!_hasUnknown || Floor == ExpiryTime.None) return;
        ResolveAs(Floor);
        _hasUnknown = false;
    }

    /// <summary>Ends a restore, before keys without state leave: takes away the times of what is not there.</summary>
    public abstract void DropStrays();

    /// <summary>Ends a restore, in the epoch that follows it: gives a time to what has none.</summary>
    public void AddMissing() => _hasUnknown = MarkMissing();

    /// <summary>The time to write down for a touch.</summary>
    protected long Touch(long now)
    {
        if (now == ExpiryTime.None) _hasUnknown = true;
        return now;
    }

    /// <summary>Gives <see cref="ExpiryTime.None"/> to what has no time; says whether anything has that now.</summary>
    protected abstract bool MarkMissing();

    /// <summary>Gives a time to what has <see cref="ExpiryTime.None"/>.</summary>
    protected abstract void ResolveAs(long moment);

    /// <summary>
    /// Removes what has expired at a place, lowers <paramref name="earliest"/> to the times that stay, and takes from <paramref name="left"/> what it costs beyond one.
    /// Returns the slot of a key that may have nothing left now; otherwise -1.
    /// </summary>
    protected abstract int Visit(int place, long now, ref long earliest, ref long left);

    /// <summary>The shape of the column of times.</summary>
    protected static StateShape TimesOf(StateDeclaration state, TimeToLive policy, StateKind kind, string form) =>
        new("", kind, state.Name, $"{form} {(policy.IsInEventTime ? "event time" : "processing time")}");

    private void EndLap(long floor)
    {
        // What was touched during the lap was so at its beginning or later.
        Due = Math.Max(ExpiryTime.Plus(Math.Min(_earliest, _began), _duration), ExpiryTime.Plus(floor, Math.Max(1, _duration / Laps)));
        _next = -1;
    }
}
