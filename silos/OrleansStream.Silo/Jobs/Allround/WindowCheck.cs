using OrleansStream.Functions;
using OrleansStream.State;
using OrleansStream.Windows;

namespace OrleansStream.Silo.Jobs.Allround;

/// <summary>Demands of each key the windows that it must have, in order, each once and with the right content.</summary>
/// <param name="check">Which kind of windows.</param>
/// <param name="count">How many a key has.</param>
/// <param name="window">Window number i of a key, from 0.</param>
internal sealed class WindowCheck(string check, Func<long, long> count, Func<long, long, WindowResult<long, BeatSpan>> window)
    : KeyedFunction<long, WindowResult<long, BeatSpan>, Report>
{
    private static readonly ValueState<long> Seen = new("seen");

    public override IReadOnlyList<StateDeclaration> States => [Seen];

    public override void Process(in WindowResult<long, BeatSpan> result, ref KeyedContext<long, Report> context)
    {
        var seen = context.Get(Seen);
        if (seen == count(result.Key)) throw ViolationException.Of(check, result.Key, $"no window after the {seen} there are", Show(result));
        var expected = window(result.Key, seen);
        if (result != expected) throw ViolationException.Of(check, result.Key, $"window {seen + 1} to be {Show(expected)}", Show(result));
        if (seen == 0) context.RegisterEventTimer(AllroundPlan.EndOfTime);
        context.Set(Seen, seen + 1);
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<long, Report> context)
    {
        var seen = context.Get(Seen);
        ViolationException.RequireAll(check, context.Key, "windows", count(context.Key), seen);
        context.Emit(new Report(check, context.Key, seen));
    }

    private static string Show(WindowResult<long, BeatSpan> result) => $"{result.Window} with {result.Value}{(result.Firing == WindowFiring.OnTime ? "" : $", fired {result.Firing}")}";
}
