using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Functions;

/// <summary>What operators of two inputs with keyed state share: a record of either input against its key's state, and the timers.</summary>
internal abstract class KeyedTwoInputOperator<TKey, TFirst, TSecond, TOut>(
    SubtaskContext context, KeyedScope<TKey, TOut> scope, Failures<TFirst> firstFailures, Failures<TSecond> secondFailures)
    : TwoInputOperator<TFirst, TSecond>, IResumable
    where TKey : notnull
{
    private long? _firing;

    public bool HasPending => _firing is not null;

    public override long? NextTime => scope.NextTime;

    protected SubtaskContext Context => context;

    protected KeyedScope<TKey, TOut> Scope => scope;

    protected Failures<TFirst> FirstFailures => firstFailures;

    protected Failures<TSecond> SecondFailures => secondFailures;

    public override ValueTask OpenAsync(CancellationToken cancellation)
    {
        scope.Open();
        if (context.IsBehind) _firing = context.RestoredWatermark;
        return ValueTask.CompletedTask;
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
            FaultPoints.Pass(FaultPoint.Firing);
            if (!context.HasRoom) return;
        }

        if (_firing == Time.EventTime.End) OnEndOfTime();
        scope.Flush();
        scope.ForwardWatermark(_firing.Value);
        firstFailures.Watermark(_firing.Value);
        if (!ReferenceEquals(firstFailures, secondFailures)) secondFailures.Watermark(_firing.Value);
        _firing = null;
    }

    public override void OnTime()
    {
        var timers = scope.Table.ProcessingTimers;
        while (context.HasRoom && timers.TryPopDue(context.Now.Wall, out var slot, out var at)) Fire(slot, at, eventTime: false);
        scope.OnTime();
    }

    protected abstract void OnEventTimer(long at, ref KeyedContext<TKey, TOut> keyed);

    protected abstract void OnProcessingTimer(long at, ref KeyedContext<TKey, TOut> keyed);

    /// <summary>All timers have fired and no record will come.</summary>
    protected virtual void OnEndOfTime()
    {
    }

    /// <summary>Gives records of one input to the function.</summary>
    protected void ProcessAll<T, TStep>(Records<T> records, Func<T, TKey> key, TStep step, Failures<T> failures)
        where TStep : struct, IKeyedStep<TKey, T, TOut>
    {
        var next = 0;
        while (next < records.Count) next = Process(records, next, key, step, failures);
        scope.AfterRecords(records.Count);
        scope.Flush();
        failures.Flush();
    }

    /// <summary>Processes records up to the end or to one at which the function throws; returns where to go on.</summary>
    private int Process<T, TStep>(Records<T> records, int next, Func<T, TKey> key, TStep step, Failures<T> failures)
        where TStep : struct, IKeyedStep<TKey, T, TOut>
    {
        var table = scope.Table;
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
            if (eventTime) OnEventTimer(at, ref keyed);
            else OnProcessingTimer(at, ref keyed);
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            // A timer has no record that could go to the dead letters.
            throw new FunctionException(
                $"Job '{context.Job}', stage '{context.Stage}', operator '{Name}', subtask {context.Id.Index}, key '{timerKey}': "
                + $"the {(eventTime ? "event" : "processing")}-time timer of {Time.EventTime.Show(at)} threw {error.GetType().Name}: {error.Message}",
                error);
        }

        scope.Fired();
        if (scope.Undo is not null) scope.Keep();
        scope.Table.ReleaseIfEmpty(slot);
        scope.Flush();
        firstFailures.Flush();
        secondFailures.Flush();
    }
}

/// <summary>What is done to a record with its key's state; a struct, so that the loop over records calls it without looking it up.</summary>
internal interface IKeyedStep<TKey, T, TOut>
    where TKey : notnull
{
    void Process(in T record, ref KeyedContext<TKey, TOut> context);
}
