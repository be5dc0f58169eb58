using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Windows;

/// <summary>See <see cref="Triggers.Count{T}"/>. Source: Flink's CountTrigger, and its firing of what is left at the end of a global window.</summary>
internal sealed class CountTrigger<T>(long records) : Trigger<T>
{
    private static readonly ValueState<long> Count = new("count");

    public override IReadOnlyList<StateDeclaration> States => [Count];

    public override bool CanMerge => true;

    public override TriggerResult OnRecord(in T record, long timestamp, ref TriggerContext context)
    {
        var count = context.State.Get(Count) + 1;
        if (count < records)
        {
            context.State.Set(Count, count);
            if (context.Window.End == EventTime.End) context.RegisterEventTimer(EventTime.End);
            return TriggerResult.Continue;
        }

        context.State.Clear(Count);
        Clear(ref context);
        return TriggerResult.Fire;
    }

    public override TriggerResult OnEventTimer(long timestamp, ref TriggerContext context) => timestamp == EventTime.End ? TriggerResult.Fire : TriggerResult.Continue;

    public override void OnMerge(ref TriggerContext context, ReadOnlySpan<WindowState> others)
    {
        foreach (var other in others)
        {
            if (other.Has(Count)) context.State.Set(Count, context.State.Get(Count) + other.Get(Count));
        }
    }

    public override void Clear(ref TriggerContext context)
    {
        if (context.Window.End == EventTime.End) context.DeleteEventTimer(EventTime.End);
    }
}

/// <summary>See <see cref="Triggers.Delta{T}"/>. Source: Flink's DeltaTrigger.</summary>
internal sealed class DeltaTrigger<T>(double threshold, Func<T, T, double> distance) : Trigger<T>
{
    private static readonly ValueState<T> Last = new("last");

    public override IReadOnlyList<StateDeclaration> States => [Last];

    public override TriggerResult OnRecord(in T record, long timestamp, ref TriggerContext context)
    {
        var isFirst = !context.State.Has(Last);
        if (!isFirst && !(distance(context.State.Get(Last), record) > threshold)) return TriggerResult.Continue;
        context.State.Set(Last, record);
        return isFirst ? TriggerResult.Continue : TriggerResult.Fire;
    }
}

/// <summary>See <see cref="Triggers.Purging{T}"/>. Source: Flink's PurgingTrigger.</summary>
internal sealed class PurgingTrigger<T>(Trigger<T> inner) : Trigger<T>
{
    public override IReadOnlyList<StateDeclaration> States => inner.States;

    public override bool CanMerge => inner.CanMerge;

    public override TriggerResult OnRecord(in T record, long timestamp, ref TriggerContext context) => Purge(inner.OnRecord(in record, timestamp, ref context));

    public override TriggerResult OnEventTimer(long timestamp, ref TriggerContext context) => Purge(inner.OnEventTimer(timestamp, ref context));

    public override TriggerResult OnProcessingTimer(long timestamp, ref TriggerContext context) => Purge(inner.OnProcessingTimer(timestamp, ref context));

    public override void OnMerge(ref TriggerContext context, ReadOnlySpan<WindowState> others) => inner.OnMerge(ref context, others);

    public override void Clear(ref TriggerContext context) => inner.Clear(ref context);

    private static TriggerResult Purge(TriggerResult result) => (result & TriggerResult.Fire) != 0 ? TriggerResult.FireAndPurge : result;
}

/// <summary>See <see cref="Triggers.Early{T}"/>.</summary>
internal sealed class EarlyTrigger<T>(Trigger<T> inner) : Trigger<T>
{
    public override IReadOnlyList<StateDeclaration> States => inner.States;

    public override bool CanMerge => inner.CanMerge;

    public override TriggerResult OnRecord(in T record, long timestamp, ref TriggerContext context)
    {
        if (context.HasEnded) return TriggerResult.Fire;
        context.RegisterEnd();
        return inner.OnRecord(in record, timestamp, ref context);
    }

    public override TriggerResult OnEventTimer(long timestamp, ref TriggerContext context) =>
        !context.IsProcessingTime && timestamp == context.Window.Last ? TriggerResult.Fire : inner.OnEventTimer(timestamp, ref context);

    public override TriggerResult OnProcessingTimer(long timestamp, ref TriggerContext context)
    {
        if (context.IsProcessingTime && timestamp == context.Window.End) return TriggerResult.Fire;
        return context.HasEnded ? TriggerResult.Continue : inner.OnProcessingTimer(timestamp, ref context);
    }

    public override void OnMerge(ref TriggerContext context, ReadOnlySpan<WindowState> others)
    {
        inner.OnMerge(ref context, others);
        if (!context.HasEnded) context.RegisterEnd();
    }

    public override void Clear(ref TriggerContext context)
    {
        inner.Clear(ref context);
        context.DeleteEnd();
    }
}
