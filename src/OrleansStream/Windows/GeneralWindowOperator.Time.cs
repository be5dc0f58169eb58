using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.Time;

namespace OrleansStream.Windows;

// Whatever comes due comes in the order of time: timers of triggers, then windows that end or are over, so that a trigger sees its last timer.

/// <summary>What happens when a watermark comes or the clock goes on.</summary>
internal sealed partial class GeneralWindowOperator<TKey, TIn>
{
    public override long? NextTime => _trigger is null ? ClockEnd : Earlier(_scope.ProcessingTimers.Next, ClockEnd);

    private long? ClockEnd => _settings.IsProcessingTime ? _ends.Next : null;

    public override void OnWatermark(long watermark)
    {
        _reaching = watermark;
        _pending = true;
        if (watermark == EventTime.End) BeginDraining();
        Resume();
    }

    public void Resume()
    {
        while (StepLeft() || Step())
        {
            FaultPoints.Pass(FaultPoint.Firing);
            if (_context.HasRoom) continue;
            _settings.Outputs.Flush();
            return;
        }

        _settings.Outputs.ForwardWatermark(_scope.Watermark);
        _settings.Failures.Watermark(_scope.Watermark);
        _pending = false;
    }

    public override void OnTime()
    {
        var now = _context.Now.Wall;
        while (_context.HasRoom && NextTime is { } next && next <= now)
        {
            if (_scope.ProcessingTimers.Next <= next && _scope.ProcessingTimers.TryPopDue(now, out var slot, out var at)) OnTimer(slot, at, eventTime: false);
            else OnEnd();
        }

        _settings.Outputs.Flush();
    }

    /// <summary>At the end of input the clock has nothing more to wait for: what it was to bring comes now, but what comes of that does not.</summary>
    private void BeginDraining()
    {
        if (_draining) return;
        _draining = true;
        while (_scope.ProcessingTimers.TryPopDue(EventTime.End, out var slot, out var at)) _leftTimers.Enqueue((slot, at));
    }

    /// <summary>Does one thing that was left for the clock at the end of input; false when nothing is left.</summary>
    private bool StepLeft()
    {
        if (!_draining) return false;
        while (_leftTimers.TryDequeue(out var left))
        {
            // An earlier one may have been all that the window still had.
            if (!_table.IsLive(left.Slot)) continue;
            OnTimer(left.Slot, left.At, eventTime: false);
            return true;
        }

        if (ClockEnd is null) return false;
        OnEnd();
        return true;
    }

    /// <summary>Does the first thing that the watermark brings; false when there is none.</summary>
    private bool Step()
    {
        var watermark = _scope.Watermark = _reaching;
        var end = _settings.IsProcessingTime ? null : _ends.Next;
        var timer = _trigger is null ? null : _scope.EventTimers.Next;
        if (!(Earlier(end, timer) <= watermark)) return false;
        if (timer is not null && (end is null || timer <= end))
        {
            _scope.EventTimers.TryPopDue(watermark, out var slot, out var at);
            OnTimer(slot, at, eventTime: true);
        }
        else
        {
            OnEnd();
        }

        return true;
    }

    private void OnTimer(int slot, long at, bool eventTime)
    {
        _scope.Touch(slot);
        var key = _table.KeyOf(slot).Key;
        if (TryGetWindow(slot, out var window) && !IsGone(window, at, eventTime))
        {
            try
            {
                var context = new TriggerContext(_scope, slot, window);
                var result = eventTime ? _trigger!.OnEventTimer(at, ref context) : _trigger!.OnProcessingTimer(at, ref context);
                Do(result, slot, key, _table.GroupHashOf(slot), window, eventTime != _settings.IsProcessingTime ? at : null);
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                throw Failed(key, window, $"the {(eventTime ? "event" : "processing")}-time timer of {EventTime.Show(at)}", error);
            }
        }

        _scope.Keep(_released);
    }

    /// <summary>Whether a timer has outlived its window: those up to its last moment come before it is removed.</summary>
    private bool IsGone(TimeWindow window, long at, bool eventTime)
    {
        if (_settings.IsEndless) return false;
        return eventTime != _settings.IsProcessingTime ? at > OverAt(window) : OverAt(window) <= Now;
    }

    /// <summary>Looks at the window that is next to end or to be over: fires it, moves it on, or removes it.</summary>
    private void OnEnd()
    {
        var slot = _ends.Take(out var at);
        _scope.Touch(slot);
        var key = _table.KeyOf(slot).Key;
        var hash = _table.GroupHashOf(slot);
        if (TryGetWindow(slot, out var window))
        {
            try
            {
                if (_trigger is null && at == EndOf(window)) Do(TriggerResult.Fire, slot, key, hash, window, at);
                if (at >= OverAt(window)) Remove(slot, key, window);
                // It was looked at too early: it has grown, or is kept for late records.
                else Await(slot, hash, window, at);
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                throw Failed(key, window, "making the result", error);
            }
        }

        _scope.Keep(_released);
    }

    private void Remove(int slot, TKey key, TimeWindow window)
    {
        if (_trigger is not null)
        {
            var context = new TriggerContext(_scope, slot, window);
            _trigger.Clear(ref context);
        }

        if (_spans is not null) Forget(key, slot);
        Empty(slot);
    }

    private FunctionException Failed(TKey key, TimeWindow window, string what, Exception error) => WindowFailure.Of(_context, Name, key, $"{window}", what, error);

    private static long? Earlier(long? one, long? other) => one is null ? other : other is null ? one : Math.Min(one.Value, other.Value);
}
