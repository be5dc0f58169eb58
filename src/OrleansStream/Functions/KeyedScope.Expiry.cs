using System.Runtime.CompilerServices;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Functions;

/// <summary>What time it is for state that expires, and when it is removed. An operator calls these between two records, when no slot is in use.</summary>
internal sealed partial class KeyedScope<TKey, TOut>
{
    /// <summary>About how many places of each state are visited at once when a watermark or the clock moves on.</summary>
    private const int SweepPlaces = 1024;

    private long _sweptAt;
    private bool _isBehind;

    /// <summary>When the operator has something to do next, in wall-clock milliseconds: timers, and state that has expired.</summary>
    public long? NextTime
    {
        get
        {
            var next = Table.ProcessingTimers.Next;
            if (!Table.HasExpiries) return next;
            var sweep = Table.IsSweeping ? _sweptAt + 1 : Table.NextByClock;
            return sweep is null || next < sweep ? next : sweep;
        }
    }

    /// <summary>Takes the restored watermark, before the first record.</summary>
    public void Open()
    {
        Watermark = _context.RestoredWatermark;
        if (!Table.HasExpiries) return;
        _isBehind = _context.IsBehind;
        SetEventTime(Watermark);
        Table.Time.SeeClock(ProcessingTime);
        Table.ResolveTimes();
    }

    /// <summary>The column and times of a state that expires.</summary>
    public TExpiry Expiring<TExpiry>(StateDeclaration state)
        where TExpiry : StateExpiry => Unsafe.As<TExpiry>(Table.ExpiryOf(state)!);

    /// <summary>The time at a record or timer for a state that expires.</summary>
    public long Now(StateExpiry expiry, long timestamp)
    {
        if (!expiry.IsInEventTime) Table.Time.SeeClock(ProcessingTime);
        return expiry.Now(timestamp);
    }

    /// <summary>
    /// Says whose time counts while a timer fires: one of the clock has no event time, and one that fires between the watermarks of former subtasks (see
    /// <see cref="Stages.SubtaskContext.IsBehind"/>) has that of the subtask which kept its key.
    /// </summary>
    public void Firing(int slot, bool eventTime)
    {
        if (!Table.HasExpiries) return;
        Table.Time.IsInClockTimer = !eventTime;
        if (eventTime && _isBehind) SetEventTime(_context.FormerWatermarkOf(Table.HashOf(slot)));
    }

    /// <summary>Ends what <see cref="Firing"/> began.</summary>
    public void Fired() => Table.Time.IsInClockTimer = false;

    /// <summary>Removes some of what has expired, after so many records.</summary>
    public void AfterRecords(int records)
    {
        if (Table.HasExpiries) Sweep(Math.Max(SweepPlaces, 2 * records));
    }

    /// <summary>Removes some of what has expired, because the clock has moved on.</summary>
    public void OnTime()
    {
        if (Table.HasExpiries) Sweep(SweepPlaces);
    }

    /// <summary>All timers of a watermark have fired.</summary>
    public override void ForwardWatermark(long watermark)
    {
        base.ForwardWatermark(watermark);
        if (!Table.HasExpiries) return;
        _isBehind = false;
        SetEventTime(watermark);
        Sweep(SweepPlaces);
    }

    /// <summary>The end of input is no time: nothing expires at it.</summary>
    private void SetEventTime(long watermark)
    {
        if (watermark != EventTime.End) Table.Time.Watermark = watermark;
    }

    private void Sweep(int places)
    {
        Table.Time.SeeClock(ProcessingTime);
        Table.Sweep(places);
        _sweptAt = ProcessingTime;
    }
}
