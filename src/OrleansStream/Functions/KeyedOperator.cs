using OrleansStream.Stages;

namespace OrleansStream.Functions;

/// <summary>Runs a <see cref="KeyedFunction{TKey, TIn, TOut}"/> over the records and timers of the keys of one subtask.</summary>
internal sealed class KeyedOperator<TKey, TIn, TOut>(
    SubtaskContext context, Func<TIn, TKey> key, KeyedFunction<TKey, TIn, TOut> function, KeyedScope<TKey, TOut> scope, Failures<TIn> failures)
    : Operator<TIn>, IResumable
    where TKey : notnull
{
    private long? _firing;

    public bool HasPending => _firing is not null;

    public override long? NextTime => scope.Table.ProcessingTimers.Next;

    public override ValueTask OpenAsync(CancellationToken cancellation)
    {
        scope.Watermark = context.RestoredWatermark;
        if (context.IsBehind) _firing = context.RestoredWatermark;
        return ValueTask.CompletedTask;
    }

    public override void OnRecords(Records<TIn> records)
    {
        var table = scope.Table;
        for (var i = 0; i < records.Count; i++)
        {
            ref readonly var record = ref records.Values[i];
            var recordKey = key(record);
            var slot = table.GetOrAddSlot(recordKey, records.KeyHashes[i]);
            var keyed = new KeyedContext<TKey, TOut>(scope, slot, recordKey, records.Timestamps[i]);
            try
            {
                function.Process(in record, ref keyed);
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                scope.TakeBack();
                failures.Take(error, record, records.Timestamps[i], recordKey.ToString());
            }

            scope.Keep();
            table.ReleaseIfEmpty(slot);
        }

        scope.Flush();
        failures.Flush();
    }

    public override void OnWatermark(long watermark)
    {
        scope.Watermark = watermark;
        _firing = watermark;
        Resume();
    }

    public void Resume()
    {
        var timers = scope.Table.EventTimers;
        while (timers.TryPopDue(_firing!.Value, out var slot, out var at))
        {
            Fire(slot, at, eventTime: true);
            if (!context.HasRoom) return;
        }

        scope.Flush();
        scope.ForwardWatermark(_firing.Value);
        failures.Watermark(_firing.Value);
        _firing = null;
    }

    public override void OnTime()
    {
        var timers = scope.Table.ProcessingTimers;
        while (context.HasRoom && timers.TryPopDue(context.Now.Wall, out var slot, out var at)) Fire(slot, at, eventTime: false);
    }

    private void Fire(int slot, long at, bool eventTime)
    {
        var timerKey = scope.Table.KeyOf(slot);
        var keyed = new KeyedContext<TKey, TOut>(scope, slot, timerKey, at);
        try
        {
            if (eventTime) function.OnEventTimer(at, ref keyed);
            else function.OnProcessingTimer(at, ref keyed);
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            // A timer has no record that could go to the dead letters.
            throw new FunctionException(
                $"Job '{context.Job}', stage '{context.Stage}', operator '{Name}', subtask {context.Id.Index}, key '{timerKey}': "
                + $"the {(eventTime ? "event" : "processing")}-time timer of {Time.EventTime.Show(at)} threw {error.GetType().Name}: {error.Message}",
                error);
        }

        scope.Keep();
        scope.Table.ReleaseIfEmpty(slot);
        scope.Flush();
    }
}
