using OrleansStream.Functions;
using OrleansStream.Sources;
using OrleansStream.Stages;

namespace OrleansStream.Windows;

/// <summary>Where the results of windows go; held back until a record has succeeded where it might become a dead letter.</summary>
internal abstract class WindowOutputs
{
    /// <summary>The record has succeeded: its results leave.</summary>
    public abstract void Keep();

    /// <summary>The record has failed: nothing of it leaves.</summary>
    public abstract void TakeBack();

    public abstract void Flush();

    public abstract void ForwardWatermark(long watermark);
}

/// <inheritdoc/>
internal sealed class WindowOutputs<TOut>(string operatorName, Output<TOut> output, IReadOnlyDictionary<string, ISideOutput> sides, bool hold) : WindowOutputs
{
    private readonly List<(TOut Value, long Timestamp)> _held = [];
    private readonly List<ISideRecord> _heldSide = [];

    public void Emit(in TOut value, long timestamp)
    {
        if (hold) _held.Add((value, timestamp));
        else output.Emit(in value, timestamp);
    }

    public void EmitSide<TSide>(SideOutput<TSide> side, TSide record, long timestamp)
    {
        // An output that nobody reads is not written.
        if (!sides.TryGetValue(side.Name, out var target)) return;
        if (target is not SideOutputTarget<TSide> typed) throw new InvalidOperationException($"Operator '{operatorName}' has a side output '{side.Name}' of another type than {typeof(TSide).Name}.");
        if (hold) _heldSide.Add(new SideRecord<TSide>(side, record, timestamp));
        else typed.Output.Emit(record, timestamp);
    }

    public override void Keep()
    {
        foreach (var (value, timestamp) in _held) output.Emit(value, timestamp);
        foreach (var record in _heldSide) sides[record.Output].Emit(record);
        TakeBack();
    }

    public override void TakeBack()
    {
        _held.Clear();
        _heldSide.Clear();
    }

    public override void Flush()
    {
        output.Flush();
        foreach (var side in sides.Values) side.Flush();
    }

    public override void ForwardWatermark(long watermark)
    {
        output.Watermark(watermark);
        foreach (var side in sides.Values) side.Watermark(watermark);
    }
}
