using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Functions;

/// <summary>
/// What all operators of functions with keyed state do: each record of an input with its key's state, and the timers that come due. Dead letters are the operator's to flush and to hand the
/// watermark to.
/// </summary>
internal sealed class KeyedRun<TKey, TOut>(SubtaskContext context, KeyedScope<TKey, TOut> scope, IKeyedTimers<TKey, TOut> timers)
    where TKey : notnull
{
    private long? _firing;

    /// <summary>Whether a watermark is not handed on yet, because timers are still to fire.</summary>
    public bool HasPending => _firing is not null;

    /// <summary>Takes the restored watermark, before the first record.</summary>
    public void Open()
    {
        scope.Open();
        if (context.IsBehind) _firing = context.RestoredWatermark;
    }

    /// <summary>Gives records of one input to the function.</summary>
    public void Process<T, TStep>(Records<T> records, Func<T, TKey> key, TStep step, Failures<T> failures)
        where TStep : struct, IKeyedStep<TKey, T, TOut>
    {
        var next = 0;
        while (next < records.Count) next = Process(records, next, key, step, failures);
        scope.AfterRecords(records.Count);
        scope.Flush();
        failures.Flush();
    }

    /// <summary>Takes a watermark; <see cref="TryPass"/> hands it on.</summary>
    public void Take(long watermark)
    {
        scope.Watermark = watermark;
        _firing = watermark;
    }

    /// <summary>Fires the timers that the watermark has reached, and hands it on behind their results; false when the channels have no room before all have fired.</summary>
    public bool TryPass(out long watermark)
    {
        watermark = _firing!.Value;
        while (scope.Table.EventTimers.TryPopDue(watermark, out var slot, out var at))
        {
            Fire(slot, at, eventTime: true);
            FaultPoints.Pass(FaultPoint.Firing);
            if (!context.HasRoom) return false;
        }

        if (watermark == Time.EventTime.End) timers.OnEndOfTime();
        scope.Flush();
        scope.ForwardWatermark(watermark);
        _firing = null;
        return true;
    }

    /// <summary>Fires the timers that the clock has reached, as long as there is room.</summary>
    public void OnTime()
    {
        while (context.HasRoom && scope.Table.ProcessingTimers.TryPopDue(context.Now.Wall, out var slot, out var at)) Fire(slot, at, eventTime: false);
        scope.OnTime();
    }

    /// <summary>Processes records up to the end or to one at which the function throws; returns where to go on.</summary>
    private int Process<T, TStep>(Records<T> records, int next, Func<T, TKey> key, TStep step, Failures<T> failures)
        where TStep : struct, IKeyedStep<TKey, T, TOut>
    {
        var table = scope.Table;
        // As one, so that the loop checks one bound per record.
        var timestamps = records.Timestamps[..records.Values.Length];
        var hashes = records.KeyHashes[..records.Values.Length];
        var failing = -1;
        try
        {
            for (; next < records.Values.Length; next++)
            {
                ref readonly var record = ref records.Values[next];
                var recordKey = key(record);
                var slot = table.GetOrAddSlot(recordKey, hashes[next]);
                var keyed = new KeyedContext<TKey, TOut>(scope, slot, recordKey, timestamps[next]);
                failing = slot;
                step.Process(in record, ref keyed);
                failing = -1;
                if (scope.Undo is not null) scope.Keep();
                table.ReleaseIfEmpty(slot);
            }
        }
        catch (Exception error) when (failing >= 0 && Failures.IsOfFunction(error))
        {
            scope.TakeBack();
            failures.Take(error, records.Values[next], timestamps[next], table.KeyOf(failing).ToString());
            table.ReleaseIfEmpty(failing);
            next++;
        }

        return next;
    }

    private void Fire(int slot, long at, bool eventTime)
    {
        var timerKey = scope.Table.KeyOf(slot);
        var keyed = new KeyedContext<TKey, TOut>(scope, slot, timerKey, at);
        scope.Firing(slot, eventTime);
        try
        {
            if (eventTime) timers.OnEventTimer(at, ref keyed);
            else timers.OnProcessingTimer(at, ref keyed);
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            // A timer has no record that could go to the dead letters.
            throw new FunctionException(
                $"Job '{context.Job}', stage '{context.Stage}', operator '{scope.Operator}', subtask {context.Id.Index}, key '{timerKey}': "
                + $"the {(eventTime ? "event" : "processing")}-time timer of {Time.EventTime.Show(at)} threw {error.GetType().Name}: {error.Message}",
                error);
        }

        scope.Fired();
        if (scope.Undo is not null) scope.Keep();
        scope.Table.ReleaseIfEmpty(slot);
        scope.Flush();
    }
}

/// <summary>What is done to a record with its key's state; a struct, so that the loop over records calls it without looking it up.</summary>
internal interface IKeyedStep<TKey, T, TOut>
    where TKey : notnull
{
    void Process(in T record, ref KeyedContext<TKey, TOut> context);
}

/// <summary>What is done when a key's timer comes due.</summary>
internal interface IKeyedTimers<TKey, TOut>
    where TKey : notnull
{
    void OnEventTimer(long at, ref KeyedContext<TKey, TOut> context);

    void OnProcessingTimer(long at, ref KeyedContext<TKey, TOut> context);

    /// <summary>All timers have fired and no record will come.</summary>
    void OnEndOfTime();
}
