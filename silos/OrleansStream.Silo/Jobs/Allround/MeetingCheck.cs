using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Silo.Jobs.Allround;

/// <summary>
/// Takes the records of each key by two ways of different length, demands of either that they are 1, 2, 3, …, and lets a record through when it has come by both. A barrier that was passed on
/// either way shows as a record that comes twice or not at all.
/// </summary>
internal sealed class MeetingCheck(AllroundPlan plan) : KeyedCoFunction<long, Beat, Beat, Beat>
{
    /// <summary>What was seen of each key, at the end.</summary>
    public static readonly SideOutput<Report> Reports = new("reports");

    private static readonly ValueState<(long First, long Second)> Last = new("last");

    public override IReadOnlyList<StateDeclaration> States => [Last];

    public override void ProcessFirst(in Beat beat, ref KeyedContext<long, Beat> context)
    {
        var (first, second) = context.Get(Last);
        ViolationException.RequireNext($"{Checks.TwoInputs}, first input", beat, first);
        Take(beat, (beat.Sequence, second), isMeeting: beat.Sequence <= second, ref context);
    }

    public override void ProcessSecond(in Beat beat, ref KeyedContext<long, Beat> context)
    {
        var (first, second) = context.Get(Last);
        ViolationException.RequireNext($"{Checks.TwoInputs}, second input", beat, second);
        Take(beat, (first, beat.Sequence), isMeeting: beat.Sequence <= first, ref context);
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<long, Beat> context)
    {
        var (first, second) = context.Get(Last);
        ViolationException.RequireAll($"{Checks.TwoInputs}, first input", context.Key, "records", plan.RecordsOf(context.Key), first);
        ViolationException.RequireAll($"{Checks.TwoInputs}, second input", context.Key, "records", plan.RecordsOf(context.Key), second);
        context.Emit(Reports, new Report(Checks.TwoInputs, context.Key, Math.Min(first, second)));
    }

    private static void Take(Beat beat, (long First, long Second) last, bool isMeeting, ref KeyedContext<long, Beat> context)
    {
        if (last.First + last.Second == 1) context.RegisterEventTimer(AllroundPlan.EndOfTime);
        context.Set(Last, last);
        if (isMeeting) context.Emit(beat);
    }
}
