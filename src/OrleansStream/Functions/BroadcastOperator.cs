using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>Runs a <see cref="BroadcastFunction{TIn, TBroadcast, TOut}"/>.</summary>
internal sealed class BroadcastOperator<TIn, TBroadcast, TOut>(
    SubtaskContext context, BroadcastFunction<TIn, TBroadcast, TOut> function, FunctionScope<TOut> scope, BroadcastTable table, Failures<TIn> failures, Failures<TBroadcast> broadcastFailures)
    : TwoInputOperator<TIn, TBroadcast>
{
    public override ValueTask OpenAsync(CancellationToken cancellation)
    {
        scope.Watermark = context.RestoredWatermark;
        table.Restore(context.Restored);
        return ValueTask.CompletedTask;
    }

    public override void Snapshot(SnapshotParts parts)
    {
        if (context.Id.Index == 0) parts.Blobs.Add(table.Save());
    }

    public override void OnWatermark(long watermark)
    {
        scope.Watermark = watermark;
        scope.ForwardWatermark(watermark);
        failures.Watermark(watermark);
        if (!ReferenceEquals(failures, broadcastFailures)) broadcastFailures.Watermark(watermark);
    }

    protected override void OnFirst(Records<TIn> records) => scope.Process(records, new Step(function), failures);

    protected override void OnSecond(Records<TBroadcast> records)
    {
        for (var i = 0; i < records.Count; i++)
        {
            try
            {
                var one = new BroadcastContext<TOut>(scope, records.Timestamps[i]);
                function.ProcessBroadcast(in records.Values[i], ref one);
                scope.Keep();
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                scope.TakeBack();
                broadcastFailures.TakeOnce(context, error, records.Values[i], records.Timestamps[i]);
            }
        }

        scope.Flush();
        broadcastFailures.Flush();
    }

    private readonly struct Step(BroadcastFunction<TIn, TBroadcast, TOut> function) : IStep<TIn, TOut>
    {
        public void Process(in TIn record, ref FunctionContext<TOut> context) => function.Process(in record, ref context);
    }
}

internal static class BroadcastFailures
{
    /// <summary>Takes a record at which the function of every subtask threw: the first of them writes the dead letter.</summary>
    public static void TakeOnce<T>(this Failures<T> failures, SubtaskContext context, Exception error, T record, long timestamp)
    {
        if (!failures.MustUndo || context.Id.Index == 0) failures.Take(error, record, timestamp);
    }
}
