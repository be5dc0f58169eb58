using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Silo.Jobs.Allround;

/// <summary>Sets a timer for every record, and demands that each fires once, at its time, in order, and before any record that comes when its time has passed.</summary>
internal sealed class TimerCheck(AllroundPlan plan) : KeyedFunction<long, Beat, Report>
{
    private static readonly ValueState<(long Set, long Fired)> Timers = new("timers");

    public override IReadOnlyList<StateDeclaration> States => [Timers];

    public override void Process(in Beat beat, ref KeyedContext<long, Report> context)
    {
        var (set, fired) = context.Get(Timers);
        ViolationException.RequireNext(Checks.Timers, beat, set);
        if (fired < set && AllroundPlan.TimerOf(beat.Key, fired + 1) is var due && due <= context.Watermark)
            throw ViolationException.Of(Checks.Timers, beat.Key, $"timer {fired + 1} to have fired at {due}", $"it missing at watermark {context.Watermark}");
        if (set == 0) context.RegisterEventTimer(AllroundPlan.EndOfTime);
        context.RegisterEventTimer(AllroundPlan.TimerOf(beat.Key, beat.Sequence));
        context.Set(Timers, (beat.Sequence, fired));
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<long, Report> context)
    {
        var (set, fired) = context.Get(Timers);
        if (timestamp == AllroundPlan.EndOfTime)
        {
            ViolationException.RequireAll(Checks.Timers, context.Key, "timers", plan.RecordsOf(context.Key), fired);
            context.Emit(new Report(Checks.Timers, context.Key, fired));
            return;
        }

        if (fired == set) throw ViolationException.Of(Checks.Timers, context.Key, $"no timer, as all {set} have fired", $"one of {timestamp}");
        var due = AllroundPlan.TimerOf(context.Key, fired + 1);
        if (timestamp != due) throw ViolationException.Of(Checks.Timers, context.Key, $"timer {fired + 1} of {due}", $"one of {timestamp}");
        if (context.Watermark < due) throw ViolationException.Of(Checks.Timers, context.Key, $"timer {fired + 1} of {due} to wait for it", $"it fire at watermark {context.Watermark}");
        context.Set(Timers, (set, fired + 1));
    }
}
