using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>Runs a <see cref="KeyedBroadcastFunction{TKey, TIn, TBroadcast, TOut}"/> over the keys of one subtask and the records that go to all.</summary>
internal sealed class KeyedBroadcastOperator<TKey, TIn, TBroadcast, TOut>(
    SubtaskContext context,
    Func<TIn, TKey> key,
    KeyedBroadcastFunction<TKey, TIn, TBroadcast, TOut> function,
    KeyedScope<TKey, TOut> scope,
    BroadcastTable table,
    Failures<TIn> failures,
    Failures<TBroadcast> broadcastFailures)
    : KeyedTwoInputOperator<TKey, TIn, TBroadcast, TOut>(context, scope, failures, broadcastFailures)
    where TKey : notnull
{
    private KeyedBroadcast<TKey, TOut>? _keys;

    public override ValueTask OpenAsync(CancellationToken cancellation)
    {
        table.Restore(Context.Restored);
        return base.OpenAsync(cancellation);
    }

    public override void Snapshot(SnapshotParts parts)
    {
        if (Context.Id.Index == 0) parts.Blobs.Add(table.Save());
    }

    protected override void OnFirst(Records<TIn> records) => Run.Process(records, key, new Step(function), FirstFailures);

    protected override void OnSecond(Records<TBroadcast> records)
    {
        _keys ??= new KeyedBroadcast<TKey, TOut>(Scope, $"Job '{Context.Job}', stage '{Context.Stage}', operator '{Name}', subtask {Context.Id.Index}");
        for (var i = 0; i < records.Count; i++)
        {
            try
            {
                var one = new BroadcastContext<TOut>(Scope, records.Timestamps[i]);
                function.ProcessBroadcast(in records.Values[i], ref one, new SubtaskKeys<TKey, TOut>(_keys, records.Timestamps[i]));
                Scope.Keep();
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                Scope.TakeBack();
                SecondFailures.TakeOnce(Context, error, records.Values[i], records.Timestamps[i]);
            }

            _keys.ReleaseEmptied();
        }

        Scope.Flush();
        SecondFailures.Flush();
    }

    public override void OnEventTimer(long at, ref KeyedContext<TKey, TOut> context) => function.OnEventTimer(at, ref context);

    public override void OnProcessingTimer(long at, ref KeyedContext<TKey, TOut> context) => function.OnProcessingTimer(at, ref context);

    private readonly struct Step(KeyedBroadcastFunction<TKey, TIn, TBroadcast, TOut> function) : IKeyedStep<TKey, TIn, TOut>
    {
        public void Process(in TIn record, ref KeyedContext<TKey, TOut> context) => function.Process(in record, ref context);
    }
}

/// <summary>The keys of one subtask, as a broadcast record sees them.</summary>
/// <param name="scope">The operator's keyed state.</param>
/// <param name="place">The coordinates of the operator, for messages.</param>
internal sealed class KeyedBroadcast<TKey, TOut>(KeyedScope<TKey, TOut> scope, string place)
    where TKey : notnull
{
    private bool _isVisited;

    public void ForEach(KeyAction<TKey, TOut> action, long timestamp)
    {
        _isVisited = true;
        var table = scope.Table;
        for (var slot = 0; slot < table.SlotLimit; slot++)
        {
            if (!table.IsLive(slot) || table.IsUnused(slot)) continue;
            var keyed = new KeyedContext<TKey, TOut>(scope, slot, table.KeyOf(slot), timestamp);
            try
            {
                action(ref keyed);
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                throw new FunctionException(
                    $"{place}, key '{table.KeyOf(slot)}': what a broadcast record of {Time.EventTime.Show(timestamp)} does to each key threw {error.GetType().Name}: {error.Message}", error);
            }
        }
    }

    /// <summary>Lets keys go whose last state was taken. Behind the record, because until then it may be taken back.</summary>
    public void ReleaseEmptied()
    {
        if (!_isVisited) return;
        _isVisited = false;
        for (var slot = 0; slot < scope.Table.SlotLimit; slot++) scope.Table.ReleaseIfEmpty(slot);
    }
}
