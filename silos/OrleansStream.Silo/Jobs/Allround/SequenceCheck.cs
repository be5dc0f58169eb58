using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Silo.Jobs.Allround;

/// <summary>Lets the records of each key through that are 1, 2, 3, … at their times. Keeps the padding, as state that is large and must come back as it was.</summary>
internal sealed class SequenceCheck(AllroundPlan plan) : KeyedFunction<long, Beat, Beat>
{
    /// <summary>What was seen of each key, at the end.</summary>
    public static readonly SideOutput<Report> Reports = new("reports");

    private static readonly ValueState<long> Last = new("last");
    private static readonly ValueState<string> Padding = new("padding");

    public override IReadOnlyList<StateDeclaration> States => [Last, Padding];

    public override void Process(in Beat beat, ref KeyedContext<long, Beat> context)
    {
        var last = context.Get(Last);
        ViolationException.RequireNext(Checks.Sequence, beat, last);
        if (context.Timestamp != AllroundPlan.TimeOf(beat)) throw ViolationException.Of(Checks.Sequence, beat.Key, $"record {beat.Sequence} at {AllroundPlan.TimeOf(beat)}", $"it at {context.Timestamp}");
        if (last == 0) context.RegisterEventTimer(AllroundPlan.EndOfTime);
        if (plan.StateBytes > 0 && last % AllroundPlan.PaddingEvery == 0)
        {
            if (last > 0) RequirePadding(beat.Key, last, context.Get(Padding));
            context.Set(Padding, new string(AllroundPlan.PaddingOf(beat.Key, beat.Sequence), plan.StateBytes));
        }

        context.Set(Last, beat.Sequence);
        context.Emit(beat);
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<long, Beat> context)
    {
        var last = context.Get(Last);
        ViolationException.RequireAll(Checks.Sequence, context.Key, "records", plan.RecordsOf(context.Key), last);
        if (plan.StateBytes > 0) RequirePadding(context.Key, last, context.Get(Padding));
        context.Emit(Reports, new Report(Checks.Sequence, context.Key, last));
    }

    private void RequirePadding(long key, long last, string? kept)
    {
        var letter = AllroundPlan.PaddingOf(key, last);
        if (kept is null || kept.Length != plan.StateBytes || kept.AsSpan().ContainsAnyExcept(letter))
            throw ViolationException.Of(Checks.Sequence, key, $"state of {plan.StateBytes} times '{letter}'", kept is null ? "none" : $"{kept.Length} characters, beginning with '{kept[..Math.Min(kept.Length, 8)]}'");
    }
}
