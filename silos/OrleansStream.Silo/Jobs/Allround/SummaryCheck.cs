using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Silo.Jobs.Allround;

/// <summary>Adds up what the checks have seen of all keys; at the end each must have seen every key and all of it, and the accounts must hold together what they held at the beginning.</summary>
internal sealed class SummaryCheck(AllroundPlan plan) : KeyedFunction<int, Report, Summary>
{
    private static readonly MapState<string, (long Keys, long Count, long Balance)> Totals = new("totals");

    public override IReadOnlyList<StateDeclaration> States => [Totals];

    public override void Process(in Report report, ref KeyedContext<int, Summary> context)
    {
        if (!context.TryGet(Totals, report.Check, out var total)) context.RegisterEventTimer(AllroundPlan.EndOfTime);
        context.Set(Totals, report.Check, (total.Keys + 1, total.Count + report.Count, total.Balance + report.Balance));
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<int, Summary> context)
    {
        var totals = context.Entries(Totals).ToDictionary();
        foreach (var check in Checks.All)
        {
            if (totals.GetValueOrDefault(check).Keys is var keys && keys != plan.Keys)
                throw new ViolationException($"Violation: check '{check}': expected {plan.Keys} keys by the end of input, saw {keys}.");
        }

        var balance = totals[Checks.Debits].Balance + totals[Checks.Credits].Balance;
        var seen = new Summary(
            plan.Events, plan.Keys, 0, totals[Checks.Sequence].Count, totals[Checks.Tumbling].Count, totals[Checks.Sliding].Count, totals[Checks.Sessions].Count,
            totals[Checks.TwoInputs].Count, totals[Checks.Timers].Count, totals[Checks.Debits].Count, totals[Checks.Credits].Count, balance);
        if (seen != plan.Summary) throw new ViolationException($"Violation: all keys together: expected {plan.Summary}, saw {seen}.");
        context.Emit(seen);
    }
}
