using System.Runtime.InteropServices;
using OrleansStream.Benchmarks.Input;
using OrleansStream.Benchmarks.Peers;

namespace OrleansStream.Benchmarks.Average;

/// <summary>Averages with a dictionary for each open window. Few windows are open at once; a closed one's dictionary serves the next. A struct, as <c>TotalTable</c> is.</summary>
internal readonly struct WindowTable() : ITable<Reading>
{
    private readonly OpenWindows _open = new();

    public void Add(in Reading record, long time)
    {
        var open = _open;
        if ((ulong)(time - open.LatestStart) >= Reading.WindowMs) open.Choose(time - time % Reading.WindowMs);
        CollectionsMarshal.GetValueRefOrAddDefault(open.Latest, record.Sensor, out _).Add(record.Value);
    }

    public void Advance(long watermark)
    {
        if (watermark >= _open.FirstEnd - 1) _open.Close(watermark);
    }

    public Answer Finish()
    {
        _open.Close(long.MaxValue);
        return _open.Answer;
    }

    /// <summary>The windows that are open, earliest first, and the one that took the latest record.</summary>
    private sealed class OpenWindows
    {
        private readonly SortedList<long, Dictionary<string, Total>> _windows = [];
        private readonly Stack<Dictionary<string, Total>> _closed = new();

        public Dictionary<string, Total> Latest { get; private set; } = [];

        public long LatestStart { get; private set; } = long.MinValue;

        public long FirstEnd { get; private set; } = long.MaxValue;

        public Answer Answer { get; private set; }

        public void Choose(long start)
        {
            if (!_windows.TryGetValue(start, out var window))
            {
                _windows[start] = window = _closed.TryPop(out var used) ? used : [];
                FirstEnd = _windows.Keys[0] + Reading.WindowMs;
            }

            (Latest, LatestStart) = (window, start);
        }

        public void Close(long watermark)
        {
            var answer = Answer;
            while (_windows.Count > 0 && watermark >= _windows.Keys[0] + Reading.WindowMs - 1)
            {
                var (start, window) = (_windows.Keys[0], _windows.Values[0]);
                foreach (var (sensor, total) in window) answer += Reading.AnswerOf(sensor, start, total.Sum / total.Count);
                window.Clear();
                _closed.Push(window);
                _windows.RemoveAt(0);
                if (start == LatestStart) LatestStart = long.MinValue;
            }

            Answer = answer;
            FirstEnd = _windows.Count > 0 ? _windows.Keys[0] + Reading.WindowMs : long.MaxValue;
        }
    }
}

/// <summary>The averages of one key. It closes a window when its own records are a window ahead, for calls may overtake each other by less than that.</summary>
internal sealed class WindowState : IKeyState<Reading>
{
    private readonly List<(long Start, Total Total)> _open = [];
    private string _sensor = "";
    private Answer _answer;

    public void Add(in Reading record)
    {
        _sensor = record.Sensor;
        var start = record.Time - record.Time % Reading.WindowMs;
        foreach (ref var window in CollectionsMarshal.AsSpan(_open))
        {
            if (window.Start != start) continue;
            window.Total.Add(record.Value);
            return;
        }

        Close(start - Reading.WindowMs);
        var total = default(Total);
        total.Add(record.Value);
        _open.Add((start, total));
    }

    public Answer Finish()
    {
        Close(long.MaxValue);
        return _answer;
    }

    private void Close(long before)
    {
        for (var i = _open.Count - 1; i >= 0; i--)
        {
            var (start, total) = _open[i];
            if (start >= before) continue;
            _answer += Reading.AnswerOf(_sensor, start, total.Sum / total.Count);
            _open.RemoveAt(i);
        }
    }
}
