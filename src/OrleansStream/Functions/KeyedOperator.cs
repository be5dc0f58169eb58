using OrleansStream.Jobs;
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

    public override long? NextTime => scope.NextTime;

    public override ValueTask OpenAsync(CancellationToken cancellation)
    {
        scope.Open();
        if (context.IsBehind) _firing = context.RestoredWatermark;
        return ValueTask.CompletedTask;
    }

    public override void OnRecords(Records<TIn> records)
    {
        var next = 0;
        while (next < records.Count) next = Process(records, next);
        scope.AfterRecords(records.Count);
        scope.Flush();
        failures.Flush();
    }

    /// <summary>Processes records up to the end or to one at which the function throws; returns where to go on.</summary>
    private int Process(Records<TIn> records, int next)
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
                function.Process(in record, ref keyed);
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

        scope.Flush();
        scope.ForwardWatermark(_firing.Value);
        failures.Watermark(_firing.Value);
        _firing = null;
    }

    public override void OnTime()
    {
        var timers = scope.Table.ProcessingTimers;
        while (context.HasRoom && timers.TryPopDue(context.Now.Wall, out var slot, out var at)) Fire(slot, at, eventTime: false);
        scope.OnTime();
    }

    private void Fire(int slot, long at, bool eventTime)
    {
        var timerKey = scope.Table.KeyOf(slot);
        var keyed = new KeyedContext<TKey, TOut>(scope, slot, timerKey, at);
        scope.Firing(slot, eventTime);
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

        scope.Fired();
        if (scope.Undo is not null) scope.Keep();
        scope.Table.ReleaseIfEmpty(slot);
        scope.Flush();
    }
}
