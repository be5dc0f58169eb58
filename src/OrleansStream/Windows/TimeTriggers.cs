using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>See <see cref="Triggers.EventTime{T}"/>. Source: Flink's EventTimeTrigger.</summary>
internal sealed class EventTimeTrigger<T> : Trigger<T>
{
    public override bool CanMerge => true;

    public override TriggerResult OnRecord(in T record, long timestamp, ref TriggerContext context)
    {
        if (context.Window.Last <= context.Watermark) return TriggerResult.Fire;
        context.RegisterEventTimer(context.Window.Last);
        return TriggerResult.Continue;
    }

    public override TriggerResult OnEventTimer(long timestamp, ref TriggerContext context) => timestamp == context.Window.Last ? TriggerResult.Fire : TriggerResult.Continue;

    public override void OnMerge(ref TriggerContext context, ReadOnlySpan<WindowState> others)
    {
        // One that has passed was for the window before it grew.
        if (context.Window.Last > context.Watermark) context.RegisterEventTimer(context.Window.Last);
    }

    public override void Clear(ref TriggerContext context) => context.DeleteEventTimer(context.Window.Last);
}

/// <summary>See <see cref="Triggers.ProcessingTime{T}"/>. Source: Flink's ProcessingTimeTrigger.</summary>
internal sealed class ProcessingTimeTrigger<T> : Trigger<T>
{
    public override bool CanMerge => true;

    public override TriggerResult OnRecord(in T record, long timestamp, ref TriggerContext context)
    {
        context.RegisterProcessingTimer(context.Window.End);
        return TriggerResult.Continue;
    }

    public override TriggerResult OnProcessingTimer(long timestamp, ref TriggerContext context) => timestamp == context.Window.End ? TriggerResult.Fire : TriggerResult.Continue;

    public override void OnMerge(ref TriggerContext context, ReadOnlySpan<WindowState> others) => context.RegisterProcessingTimer(context.Window.End);

    public override void Clear(ref TriggerContext context) => context.DeleteProcessingTimer(context.Window.End);
}

/// <summary>See <see cref="Triggers.ContinuousEventTime{T}"/>. Source: Flink's ContinuousEventTimeTrigger.</summary>
internal sealed class ContinuousEventTimeTrigger<T>(long interval) : Trigger<T>
{
    private static readonly ValueState<long> Next = new("next") { Default = EventTime.Beginning };

    public override IReadOnlyList<StateDeclaration> States => [Next];

    public override bool CanMerge => true;

    public override TriggerResult OnRecord(in T record, long timestamp, ref TriggerContext context)
    {
        if (context.Window.Last <= context.Watermark) return TriggerResult.Fire;
        context.RegisterEventTimer(context.Window.Last);
        if (!context.State.Has(Next)) Register(timestamp, ref context);
        return TriggerResult.Continue;
    }

    public override TriggerResult OnEventTimer(long timestamp, ref TriggerContext context)
    {
        if (timestamp == context.Window.Last) return TriggerResult.Fire;
        if (!context.State.Has(Next) || context.State.Get(Next) != timestamp) return TriggerResult.Continue;
        Register(timestamp, ref context);
        return TriggerResult.Fire;
    }

    public override void OnMerge(ref TriggerContext context, ReadOnlySpan<WindowState> others)
    {
        if (context.Window.Last > context.Watermark) context.RegisterEventTimer(context.Window.Last);
        foreach (var other in others)
        {
            if (!other.Has(Next) || (context.State.Has(Next) && context.State.Get(Next) <= other.Get(Next))) continue;
            Register(other.Get(Next), ref context, at: true);
        }
    }

    public override void Clear(ref TriggerContext context)
    {
        context.DeleteEventTimer(context.Window.Last);
        if (context.State.Has(Next)) context.DeleteEventTimer(context.State.Get(Next));
    }

    private void Register(long time, ref TriggerContext context, bool at = false)
    {
        var next = at ? time : Math.Min(Multiple.After(time, interval), context.Window.Last);
        // To the end of time there is no end of multiples.
        if (context.Watermark == EventTime.End && context.Window.Last == EventTime.End) next = EventTime.End;
        context.State.Set(Next, next);
        context.RegisterEventTimer(next);
    }
}

/// <summary>See <see cref="Triggers.ContinuousProcessingTime{T}"/>. Source: Flink's ContinuousProcessingTimeTrigger; the clock does not stop for the end of a window in event time.</summary>
internal sealed class ContinuousProcessingTimeTrigger<T>(long interval) : Trigger<T>
{
    private static readonly ValueState<long> Next = new("next-by-clock") { Default = EventTime.Beginning };

    public override IReadOnlyList<StateDeclaration> States => [Next];

    public override bool CanMerge => true;

    public override TriggerResult OnRecord(in T record, long timestamp, ref TriggerContext context)
    {
        if (!context.State.Has(Next)) Register(context.ProcessingTime, ref context);
        return TriggerResult.Continue;
    }

    public override TriggerResult OnProcessingTimer(long timestamp, ref TriggerContext context)
    {
        if (!context.State.Has(Next) || context.State.Get(Next) != timestamp) return TriggerResult.Continue;
        // Not from the timer's own time: where the clock has jumped, what lies between is over.
        Register(Math.Max(timestamp, context.ProcessingTime), ref context);
        return TriggerResult.Fire;
    }

    public override void OnMerge(ref TriggerContext context, ReadOnlySpan<WindowState> others)
    {
        foreach (var other in others)
        {
            if (!other.Has(Next) || (context.State.Has(Next) && context.State.Get(Next) <= other.Get(Next))) continue;
            context.State.Set(Next, other.Get(Next));
            context.RegisterProcessingTimer(other.Get(Next));
        }
    }

    public override void Clear(ref TriggerContext context)
    {
        if (context.State.Has(Next)) context.DeleteProcessingTimer(context.State.Get(Next));
    }

    private void Register(long time, ref TriggerContext context)
    {
        var next = Multiple.After(time, interval);
        if (context.IsProcessingTime) next = Math.Min(next, context.Window.End);
        context.State.Set(Next, next);
        context.RegisterProcessingTimer(next);
    }
}

/// <summary>Multiples of an interval, counted from 1970.</summary>
internal static class Multiple
{
    /// <summary>The first multiple above a time, or the end of time.</summary>
    public static long After(long time, long interval)
    {
        var behind = time % interval;
        return EventTime.Plus(time, behind < 0 ? -behind : interval - behind);
    }
}
