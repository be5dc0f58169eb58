using OrleansStream.Functions;
using OrleansStream.State;
using OrleansStream.Time;
using OrleansStream.Windows;

namespace OrleansStream.Joins;

/// <summary>Makes the results of one window of one key from the rows of both sides, in the order in which they came.</summary>
internal interface IWindowPairing<TKey, TLeft, TRight, TOut>
    where TKey : notnull
{
    void Fire(TimeWindow window, List<TimedRow<TLeft>> left, List<TimedRow<TRight>> right, ref KeyedContext<TKey, TOut> context);
}

/// <summary>
/// Brings the rows of two sides together that have a key and a window in common. Each row is kept once, however many windows it is in, until the last of them is over and its
/// lateness with it. A window fires when the watermark reaches its last millisecond, and again with each row that comes while it is still kept.
/// Source: Flink's CoGroupedStreams and JoinedStreams.
/// </summary>
internal sealed class WindowJoinFunction<TKey, TLeft, TRight, TOut>(
    JoinWindows windows,
    long lateness,
    IWindowPairing<TKey, TLeft, TRight, TOut> pairing,
    SideOutput<TLeft>? lateLeft,
    SideOutput<TRight>? lateRight)
    : KeyedCoFunction<TKey, TLeft, TRight, TOut>
    where TKey : notnull
{
    private static readonly JoinBuffer<TLeft> Left = new("left");
    private static readonly JoinBuffer<TRight> Right = new("right");
    private readonly List<TimedRow<TLeft>> _leftRows = [];
    private readonly List<TimedRow<TRight>> _rightRows = [];
    private readonly List<TimeWindow> _windows = [];
    private readonly List<TimeWindow> _alone = [];
    private readonly List<long> _times = [];

    /// <summary>What every such function declares: static, so that it is known before there is one.</summary>
    public static readonly IReadOnlyList<StateDeclaration> Declared = [Left.State, Right.State];

    public override IReadOnlyList<StateDeclaration> States => Declared;

    public override void ProcessFirst(in TLeft record, ref KeyedContext<TKey, TOut> context)
    {
        if (!FindWindows(ref context)) return;
        if (IsLate(context.Watermark))
        {
            context.Late(lateLeft, record);
            return;
        }

        Left.Add(ref context, record, context.Timestamp, isMatched: false);
        Await(ref context);
    }

    public override void ProcessSecond(in TRight record, ref KeyedContext<TKey, TOut> context)
    {
        if (!FindWindows(ref context)) return;
        if (IsLate(context.Watermark))
        {
            context.Late(lateRight, record);
            return;
        }

        Right.Add(ref context, record, context.Timestamp, isMatched: false);
        Await(ref context);
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<TKey, TOut> context)
    {
        ReadTimes(ref context, added: null);
        _windows.Clear();
        windows.EndingAt(timestamp, _times, _windows);
        foreach (var window in _windows) Fire(window, ref context);

        // At the end of time all windows are over, also those whose lateness it cut short.
        Purge(timestamp == EventTime.End ? EventTime.End : EventTime.Minus(timestamp, lateness), ref context);
    }

    /// <summary>Finds the windows of the record at hand; false when it is in none.</summary>
    private bool FindWindows(ref KeyedContext<TKey, TOut> context)
    {
        _alone.Clear();
        _windows.Clear();
        windows.Assign(context.Timestamp, _alone);
        if (_alone.Count == 0) return false;

        // The other rows can only make windows last longer; where the record's own have not ended yet, that changes nothing now.
        if (!windows.DependsOnRows || _alone[0].Last > context.Watermark)
        {
            _windows.AddRange(_alone);
            return true;
        }

        ReadTimes(ref context, context.Timestamp);
        windows.Of(context.Timestamp, _times, _windows);
        return true;
    }

    private bool IsLate(long watermark)
    {
        foreach (var window in _windows)
        {
            if (EventTime.Plus(window.Last, lateness) > watermark) return false;
        }

        return true;
    }

    /// <summary>Sets the timers of the record that was added, and fires those of its windows that have fired before.</summary>
    private void Await(ref KeyedContext<TKey, TOut> context)
    {
        foreach (var window in _windows)
        {
            if (window.Last <= context.Watermark && EventTime.Plus(window.Last, lateness) > context.Watermark) Fire(window, ref context);
        }

        foreach (var window in _alone)
        {
            if (window.Last > context.Watermark) context.RegisterEventTimer(window.Last);
            var gone = EventTime.Plus(window.Last, lateness);
            if (lateness > 0 && gone > context.Watermark) context.RegisterEventTimer(gone);
        }
    }

    private void Fire(TimeWindow window, ref KeyedContext<TKey, TOut> context)
    {
        _leftRows.Clear();
        _rightRows.Clear();
        foreach (var (at, row) in context.EntriesOf(Left.State))
        {
            if (IsIn(window, at.Time)) _leftRows.Add(new TimedRow<TLeft>(row.Value, at.Time, false));
        }

        foreach (var (at, row) in context.EntriesOf(Right.State))
        {
            if (IsIn(window, at.Time)) _rightRows.Add(new TimedRow<TRight>(row.Value, at.Time, false));
        }

        if (_leftRows.Count + _rightRows.Count > 0) pairing.Fire(window, _leftRows, _rightRows, ref context);
    }

    private static bool IsIn(TimeWindow window, long time) => window.Start <= time && (time < window.End || window.End == EventTime.End);

    /// <summary>Removes the rows all of whose windows end by a time.</summary>
    private void Purge(long last, ref KeyedContext<TKey, TOut> context)
    {
        var from = windows.KeptFrom(last, _times);
        _leftRows.Clear();
        _rightRows.Clear();
        Left.TakeWhere(ref context, time => time < from || from is null, _leftRows);
        Right.TakeWhere(ref context, time => time < from || from is null, _rightRows);
    }

    private void ReadTimes(ref KeyedContext<TKey, TOut> context, long? added)
    {
        if (!windows.DependsOnRows) return;
        _times.Clear();
        if (added is { } time) _times.Add(time);
        foreach (var (at, _) in context.EntriesOf(Left.State)) _times.Add(at.Time);
        foreach (var (at, _) in context.EntriesOf(Right.State)) _times.Add(at.Time);
        _times.Sort();
    }
}
