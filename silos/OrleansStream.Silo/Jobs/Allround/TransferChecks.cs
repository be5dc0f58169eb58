using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Silo.Jobs.Allround;

/// <summary>Takes an amount from the account of each record's key and sends it to another.</summary>
internal sealed class DebitCheck(AllroundPlan plan) : KeyedFunction<long, Beat, Transfer>
{
    /// <summary>What was seen of each key, at the end.</summary>
    public static readonly SideOutput<Report> Reports = new("reports");

    private static readonly ValueState<(long Sent, long Paid)> Account = new("account");

    public override IReadOnlyList<StateDeclaration> States => [Account];

    public override void Process(in Beat beat, ref KeyedContext<long, Transfer> context)
    {
        var (sent, paid) = context.Get(Account);
        ViolationException.RequireNext(Checks.Debits, beat, sent);
        if (sent == 0) context.RegisterEventTimer(AllroundPlan.EndOfTime);
        var transfer = plan.TransferOf(beat);
        context.Set(Account, (beat.Sequence, paid + transfer.Amount));
        context.Emit(transfer);
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<long, Transfer> context)
    {
        var (sent, paid) = context.Get(Account);
        ViolationException.RequireAll(Checks.Debits, context.Key, "transfers sent", plan.RecordsOf(context.Key), sent);
        ViolationException.RequireAll(Checks.Debits, context.Key, "paid", AllroundPlan.PaidBy(sent), paid);
        context.Emit(Reports, new Report(Checks.Debits, context.Key, sent, AllroundPlan.Opening - paid));
    }
}

/// <summary>Adds what others send to the account of each key; of each route every transfer must come, once and in order.</summary>
internal sealed class CreditCheck(AllroundPlan plan) : KeyedFunction<long, Transfer, Report>
{
    private static readonly MapState<int, long> Received = new("received");
    private static readonly ValueState<long> Balance = new("balance");

    public override IReadOnlyList<StateDeclaration> States => [Received, Balance];

    public override void Process(in Transfer transfer, ref KeyedContext<long, Report> context)
    {
        context.TryGet(Received, transfer.Route, out var received);
        var expected = plan.TransferOf(new Beat(plan.PayerOf(context.Key, transfer.Route), AllroundPlan.SenderOf(received + 1, transfer.Route)));
        if (transfer != expected) throw ViolationException.Of(Checks.Credits, context.Key, Show(expected), Show(transfer));
        if (!context.Has(Balance)) context.RegisterEventTimer(AllroundPlan.EndOfTime);
        context.Set(Received, transfer.Route, received + 1);
        context.Set(Balance, context.Get(Balance) + transfer.Amount);
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<long, Report> context)
    {
        var count = 0L;
        foreach (var route in context.Entries(Received)) count += route.Value;
        ViolationException.RequireAll(Checks.Credits, context.Key, "transfers received", plan.ReceivedCount(context.Key), count);
        ViolationException.RequireAll(Checks.Credits, context.Key, "received", plan.Received(context.Key), context.Get(Balance));
        context.Emit(new Report(Checks.Credits, context.Key, count, context.Get(Balance)));
    }

    private static string Show(Transfer transfer) => $"{transfer.Amount} from key {transfer.From} for its record {transfer.Sequence}, on route {transfer.Route} to key {transfer.To}";
}
