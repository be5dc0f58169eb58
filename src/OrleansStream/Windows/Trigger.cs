using OrleansStream.State;

namespace OrleansStream.Windows;

/// <summary>What a trigger makes of a record or timer.</summary>
[Flags]
public enum TriggerResult
{
    /// <summary>Nothing.</summary>
    Continue = 0,

    /// <summary>The window's result is made and emitted; its records stay.</summary>
    Fire = 1,

    /// <summary>The window's records go. What the trigger and the window function keep stays, until the window is over.</summary>
    Purge = 2,

    /// <summary>The window's result is made and emitted, then its records go.</summary>
    FireAndPurge = Fire | Purge,
}

/// <summary>
/// Decides when windows fire, and whether their records stay. Ready-made ones are in <see cref="Triggers"/>. One serves all windows, subtasks and threads: it must not keep anything but what
/// it declares in <see cref="States"/>. A window is over, whatever its trigger says, when its end and the allowed lateness have passed: then its records and states go without firing.
/// Source: Flink's Trigger.
/// </summary>
/// <typeparam name="T">The type of a record.</typeparam>
public abstract class Trigger<T>
{
    /// <summary>Every piece of state that the trigger keeps for a window. It is cleared when the window is over.</summary>
    public virtual IReadOnlyList<StateDeclaration> States => [];

    /// <summary>Whether it works for windows that become one; sessions are refused without.</summary>
    public virtual bool CanMerge => false;

    /// <summary>Called for each record of a window, after it was added.</summary>
    /// <param name="record">The record.</param>
    /// <param name="timestamp">Its event time in milliseconds since 1970.</param>
    /// <param name="context">The window at hand.</param>
    public abstract TriggerResult OnRecord(in T record, long timestamp, ref TriggerContext context);

    /// <summary>Called when the watermark has reached a timer of the window.</summary>
    /// <param name="timestamp">The time it was registered for.</param>
    /// <param name="context">The window at hand.</param>
    public virtual TriggerResult OnEventTimer(long timestamp, ref TriggerContext context) => TriggerResult.Continue;

    /// <summary>
    /// Called when the clock has reached a timer of the window. Those that are left at the end of input are called then, each once; what they register is not.
    /// </summary>
    /// <param name="timestamp">The time it was registered for.</param>
    /// <param name="context">The window at hand.</param>
    public virtual TriggerResult OnProcessingTimer(long timestamp, ref TriggerContext context) => TriggerResult.Continue;

    /// <summary>
    /// Called when a window has grown, before the record that made it grow is seen: timers are to be registered for what its time is now, and what the windows that became part of it kept
    /// is to be taken over. Called only where <see cref="CanMerge"/> holds.
    /// </summary>
    /// <param name="context">The window at hand, with its new time. Its state and timers are those of the earliest window in it.</param>
    /// <param name="others">The states of the other windows that became part of it, in the order of time. They are cleared afterwards, and their timers forgotten.</param>
    public virtual void OnMerge(ref TriggerContext context, ReadOnlySpan<WindowState> others)
    {
    }

    /// <summary>Called when the window is over, to delete timers. States need no clearing.</summary>
    /// <param name="context">The window at hand.</param>
    public virtual void Clear(ref TriggerContext context)
    {
    }
}

/// <summary>The window that a trigger is asked about. Valid during one call only.</summary>
public readonly struct TriggerContext
{
    private readonly IWindowScope _scope;
    private readonly int _slot;

    internal TriggerContext(IWindowScope scope, int slot, TimeWindow window)
    {
        _scope = scope;
        _slot = slot;
        Window = window;
    }

    /// <summary>The window.</summary>
    public TimeWindow Window { get; }

    /// <summary>What the trigger keeps for the window.</summary>
    public WindowState State => new(_scope.Columns, _slot);

    /// <summary>The watermark, in milliseconds since 1970; <see cref="long.MinValue"/> before the first.</summary>
    public long Watermark => _scope.Watermark;

    /// <summary>The clock, in milliseconds since 1970.</summary>
    public long ProcessingTime => _scope.ProcessingTime;

    /// <summary>Asks to be called when the watermark reaches a time. A repeat for the same window and time is one timer. A time that has passed fires with the next watermark.</summary>
    /// <param name="timestamp">Milliseconds since 1970.</param>
    public void RegisterEventTimer(long timestamp) => Register(_scope.EventTimers, timestamp);

    /// <summary>Takes an event-time timer back; nothing happens when there is none.</summary>
    public void DeleteEventTimer(long timestamp) => Delete(_scope.EventTimers, timestamp);

    /// <summary>Asks to be called when the clock reaches a time. A repeat for the same window and time is one timer.</summary>
    /// <param name="timestamp">Milliseconds since 1970.</param>
    public void RegisterProcessingTimer(long timestamp) => Register(_scope.ProcessingTimers, timestamp);

    /// <summary>Takes a processing-time timer back; nothing happens when there is none.</summary>
    public void DeleteProcessingTimer(long timestamp) => Delete(_scope.ProcessingTimers, timestamp);

    /// <summary>Whether the window is of processing time.</summary>
    internal bool IsProcessingTime => _scope.IsProcessingTime;

    /// <summary>Whether the window's end has come, by its own kind of time.</summary>
    internal bool HasEnded => IsProcessingTime ? Window.End <= ProcessingTime : Window.Last <= Watermark;

    /// <summary>Registers a timer for the window's end, by its own kind of time.</summary>
    internal void RegisterEnd()
    {
        if (IsProcessingTime) RegisterProcessingTimer(Window.End);
        else RegisterEventTimer(Window.Last);
    }

    /// <summary>Deletes it.</summary>
    internal void DeleteEnd()
    {
        if (IsProcessingTime) DeleteProcessingTimer(Window.End);
        else DeleteEventTimer(Window.Last);
    }

    private void Register(TimerTable timers, long timestamp)
    {
        if (timers.Register(_slot, timestamp)) _scope.Undo?.Registered(timers, _slot, timestamp);
    }

    private void Delete(TimerTable timers, long timestamp)
    {
        if (timers.Delete(_slot, timestamp)) _scope.Undo?.Deleted(timers, _slot, timestamp);
    }
}

/// <summary>What a <see cref="TriggerContext"/> stands on.</summary>
internal interface IWindowScope
{
    WindowColumns Columns { get; }

    TimerTable EventTimers { get; }

    TimerTable ProcessingTimers { get; }

    Functions.StateUndo? Undo { get; }

    long Watermark { get; }

    long ProcessingTime { get; }

    bool IsProcessingTime { get; }
}
