using System.Runtime.CompilerServices;

namespace OrleansStream.Stages;

/// <summary>Where an operator's results go: to every operator and channel that consumes them. Emitted records are gathered in columns and handed on together.</summary>
internal sealed class Output<T>(Operator<T>[] targets)
{
    /// <summary>The most records gathered before they are handed on.</summary>
    private const int Capacity = 1024;

    private T[] _values = [];
    private long[] _timestamps = [];
    private int _count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Emit(in T value, long timestamp)
    {
        if (_count == _values.Length) MakeRoom();
        _values[_count] = value;
        _timestamps[_count] = timestamp;
        _count++;
    }

    /// <summary>Hands on what was emitted. Called by the operator before it returns.</summary>
    public void Flush()
    {
        if (_count == 0) return;
        var count = _count;
        _count = 0;
        Forward(new Records<T>(_values.AsSpan(0, count), _timestamps.AsSpan(0, count)));
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>()) _values.AsSpan(0, count).Clear();
    }

    /// <summary>Hands records on as they are.</summary>
    public void Forward(Records<T> records)
    {
        foreach (var target in targets) target.OnRecords(records);
    }

    /// <summary>Hands a watermark on behind what was emitted.</summary>
    public void Watermark(long watermark)
    {
        Flush();
        foreach (var target in targets) target.OnWatermark(watermark);
    }

    private void MakeRoom()
    {
        if (_values.Length == Capacity)
        {
            Flush();
            return;
        }

        var length = _values.Length == 0 ? 64 : Math.Min(Capacity, _values.Length * 4);
        Array.Resize(ref _values, length);
        Array.Resize(ref _timestamps, length);
    }
}
