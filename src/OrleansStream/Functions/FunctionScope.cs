using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>What a function's context stands on: the operator's outputs, time, and the undoing of a record that fails.</summary>
internal class FunctionScope<TOut>(
    string name, SubtaskContext context, Output<TOut> output, IReadOnlyDictionary<string, ISideOutput> sides, bool undo)
{
    /// <summary>The side outputs in a row: they are flushed behind every timer, and a dictionary's enumerator would be an object each time.</summary>
    private readonly ISideOutput[] _everySide = [.. sides.Values];
    private readonly List<(TOut Value, long Timestamp)> _held = [];
    private readonly List<ISideRecord> _heldSide = [];

    public string Operator => name;

    /// <summary>Remembers what a record changed; null where a failing record ends the attempt anyway.</summary>
    public StateUndo? Undo { get; } = undo ? new StateUndo() : null;

    public long Watermark { get; set; } = long.MinValue;

    public long ProcessingTime => context.Now.Wall;

    /// <summary>The operator's broadcast state; null where it has none.</summary>
    public BroadcastTable? BroadcastTable { get; init; }

    /// <summary>The broadcast state of the operator that a function means.</summary>
    public BroadcastMap<TMapKey, TValue> Broadcast<TMapKey, TValue>(BroadcastState<TMapKey, TValue> state)
        where TMapKey : notnull => BroadcastTable?.Find(state) ?? throw new InvalidOperationException(
            $"Operator '{Operator}' uses broadcast state '{state.Name}' that it does not have: give it to the {nameof(Broadcast)} of the stream that writes it, as the same static field.");

    /// <summary>Gives the records of one input to a function without keyed state.</summary>
    public void Process<T, TStep>(Records<T> records, TStep step, Failures<T> failures)
        where TStep : struct, IStep<T, TOut>
    {
        for (var i = 0; i < records.Count; i++)
        {
            try
            {
                var one = new FunctionContext<TOut>(this, records.Timestamps[i]);
                step.Process(in records.Values[i], ref one);
                Keep();
            }
            catch (Exception error) when (Failures.IsOfFunction(error))
            {
                TakeBack();
                failures.Take(error, records.Values[i], records.Timestamps[i]);
            }
        }

        Flush();
        failures.Flush();
    }

    /// <summary>Counts a record that came too late.</summary>
    public void CountLate() => context.Counters.LateRecords++;

    public void Emit(in TOut value, long timestamp)
    {
        if (Undo is null) output.Emit(value, timestamp);
        else _held.Add((value, timestamp));
    }

    public void EmitSide<TSide>(SideOutput<TSide> to, TSide record, long timestamp)
    {
        // An output that nobody reads is not written.
        if (!sides.TryGetValue(to.Name, out var side)) return;
        if (side is not SideOutputTarget<TSide> typed) throw new InvalidOperationException($"Operator '{Operator}' has a side output '{to.Name}' of another type than {typeof(TSide).Name}.");
        if (Undo is null) typed.Output.Emit(record, timestamp);
        else _heldSide.Add(new SideRecord<TSide>(to, record, timestamp));
    }

    /// <summary>The record has succeeded: its results leave.</summary>
    public void Keep()
    {
        if (Undo is null) return;
        Undo.Forget();
        foreach (var (value, timestamp) in _held) output.Emit(value, timestamp);
        foreach (var record in _heldSide) sides[record.Output].Emit(record);
        _held.Clear();
        _heldSide.Clear();
    }

    /// <summary>The record has failed: nothing of it stays.</summary>
    public void TakeBack()
    {
        Undo?.Undo();
        _held.Clear();
        _heldSide.Clear();
    }

    public void Flush()
    {
        output.Flush();
        foreach (var side in _everySide) side.Flush();
    }

    public virtual void ForwardWatermark(long watermark)
    {
        output.Watermark(watermark);
        foreach (var side in _everySide) side.Watermark(watermark);
    }
}

/// <summary>What is done to a record; a struct, so that the loop over records calls it without looking it up.</summary>
internal interface IStep<T, TOut>
{
    void Process(in T record, ref FunctionContext<TOut> context);
}
