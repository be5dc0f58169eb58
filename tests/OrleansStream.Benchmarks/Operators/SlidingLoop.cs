using System.Runtime.InteropServices;
using OrleansStream.Benchmarks.Average;
using OrleansStream.Benchmarks.Input;

namespace OrleansStream.Benchmarks.Operators;

/// <summary>Sliding averages by hand: a ring of panes for each sensor, added up for every window that ends.</summary>
internal sealed class SlidingLoop(SharedInput<Reading> input, long sizeMs, long slideMs)
{
    private readonly Dictionary<string, Total[]> _panes = [];
    private readonly int _ring = (int)((sizeMs / slideMs) + 2);
    private long _firstOpen = long.MaxValue;
    private Answer _answer;

    public Answer Run(RunSettings settings)
    {
        var highest = long.MinValue / 2;
        var last = long.MinValue;
        input.ForEach(settings, (records, shift) =>
        {
            foreach (ref readonly var record in records)
            {
                var time = record.Time + shift;
                ref var panes = ref CollectionsMarshal.GetValueRefOrAddDefault(_panes, record.Sensor, out var known);
                if (!known) panes = new Total[_ring];
                panes![time / slideMs % _ring].Add(record.Value);
                _firstOpen = Math.Min(_firstOpen, time / slideMs);
                if (time > highest) highest = time;
            }

            last = Math.Max(last, highest / slideMs);
            CloseUpTo(highest - Reading.MaxOutOfOrdernessMs - 1);
        });
        for (var pane = _firstOpen; pane < last + (sizeMs / slideMs); pane++) Close(pane, last);
        return _answer;
    }

    /// <summary>Closes the windows that end with the watermark or before: those whose last pane is full.</summary>
    private void CloseUpTo(long watermark)
    {
        while (((_firstOpen + 1) * slideMs) - 1 <= watermark) Close(_firstOpen++, long.MaxValue);
    }

    /// <summary>Tells of the windows that end with a pane, and frees the pane that no later window needs.</summary>
    private void Close(long pane, long last)
    {
        var count = sizeMs / slideMs;
        foreach (var (sensor, panes) in _panes)
        {
            var total = default(Total);
            for (var at = Math.Max(0, pane - count + 1); at <= Math.Min(pane, last); at++)
            {
                ref var one = ref panes[at % _ring];
                total.Count += one.Count;
                total.Sum += one.Sum;
            }

            if (total.Count > 0) _answer += Reading.AnswerOf(sensor, (pane - count + 1) * slideMs, total.Sum / total.Count);
            if (pane - count + 1 >= 0) panes[(pane - count + 1) % _ring] = default;
        }
    }
}
