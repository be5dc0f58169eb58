using OrleansStream.Stages;

namespace OrleansStream.Functions;

/// <summary>Runs a <see cref="KeyedCoFunction{TKey, TFirst, TSecond, TOut}"/> over the records and timers of the keys of one subtask.</summary>
internal sealed class KeyedCoOperator<TKey, TFirst, TSecond, TOut>(
    SubtaskContext context,
    Func<TFirst, TKey> firstKey,
    Func<TSecond, TKey> secondKey,
    KeyedCoFunction<TKey, TFirst, TSecond, TOut> function,
    KeyedScope<TKey, TOut> scope,
    Failures<TFirst> firstFailures,
    Failures<TSecond> secondFailures)
    : KeyedTwoInputOperator<TKey, TFirst, TSecond, TOut>(context, scope, firstFailures, secondFailures)
    where TKey : notnull
{
    protected override void OnFirst(Records<TFirst> records) => Run.Process(records, firstKey, new FirstStep(function), FirstFailures);

    protected override void OnSecond(Records<TSecond> records) => Run.Process(records, secondKey, new SecondStep(function), SecondFailures);

    public override void OnEventTimer(long at, ref KeyedContext<TKey, TOut> context) => function.OnEventTimer(at, ref context);

    public override void OnProcessingTimer(long at, ref KeyedContext<TKey, TOut> context) => function.OnProcessingTimer(at, ref context);

    public override void OnEndOfTime()
    {
        if (!function.EndsWithTime) return;
        var table = Scope.Table;
        for (var slot = 0; slot < table.SlotLimit; slot++)
        {
            if (!table.IsLive(slot)) continue;
            var keyed = new KeyedContext<TKey, TOut>(Scope, slot, table.KeyOf(slot), Time.EventTime.End);
            function.OnEndOfTime(ref keyed);
            Scope.Keep();
            table.ReleaseIfEmpty(slot);
        }
    }

    private readonly struct FirstStep(KeyedCoFunction<TKey, TFirst, TSecond, TOut> function) : IKeyedStep<TKey, TFirst, TOut>
    {
        public void Process(in TFirst record, ref KeyedContext<TKey, TOut> context) => function.ProcessFirst(in record, ref context);
    }

    private readonly struct SecondStep(KeyedCoFunction<TKey, TFirst, TSecond, TOut> function) : IKeyedStep<TKey, TSecond, TOut>
    {
        public void Process(in TSecond record, ref KeyedContext<TKey, TOut> context) => function.ProcessSecond(in record, ref context);
    }
}
