using OrleansStream.Functions;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Joins;

/// <summary>
/// Joins the rows of two sides whose times are within bounds of each other. A row meets the partners that are there when it comes, and stays until the watermark says that none can
/// come any more; the later of two partners makes the pair, so each comes out once.
/// Source: Flink's IntervalJoinOperator; outer joins as in its RowTimeIntervalJoin.
/// </summary>
internal sealed class IntervalJoinFunction<TKey, TLeft, TRight, TOut>(
    IntervalBounds bounds,
    JoinKind kind,
    Func<TLeft?, TRight?, TOut> select,
    SideOutput<TLeft>? lateLeft,
    SideOutput<TRight>? lateRight,
    Failures<TLeft> leftFailures,
    Failures<TRight> rightFailures)
    : KeyedCoFunction<TKey, TLeft, TRight, TOut>
    where TKey : notnull
{
    private static readonly JoinBuffer<TLeft> Left = new("left");
    private static readonly JoinBuffer<TRight> Right = new("right");
    private readonly List<TimedRow<TLeft>> _leftLeaving = [];
    private readonly List<TimedRow<TRight>> _rightLeaving = [];

    /// <summary>What every such function declares: static, so that it is known before there is one.</summary>
    public static readonly IReadOnlyList<StateDeclaration> Declared = [Left.State, Right.State];

    public override IReadOnlyList<StateDeclaration> States => Declared;

    public override void ProcessFirst(in TLeft record, ref KeyedContext<TKey, TOut> context)
    {
        var time = context.Timestamp;
        if (IsLate(time, context.Watermark))
        {
            context.Late(lateLeft, record);
            return;
        }

        var isMatched = false;
        foreach (var (at, row) in context.EntriesOf(Right.State))
        {
            if (!bounds.Contains(time, at.Time)) continue;
            isMatched = true;
            context.Emit(select(record, row.Value), Math.Max(time, at.Time));
            if ((kind & JoinKind.Right) != 0 && !row.IsMatched) context.Set(Right.State, at, row with { IsMatched = true });
        }

        var last = bounds.LastOfLeft(time);
        if (last > context.Watermark)
        {
            Left.Add(ref context, record, time, isMatched);
            context.RegisterEventTimer(last);
        }
        else if (!isMatched && (kind & JoinKind.Left) != 0)
        {
            context.Emit(select(record, default), time);
        }
    }

    public override void ProcessSecond(in TRight record, ref KeyedContext<TKey, TOut> context)
    {
        var time = context.Timestamp;
        if (IsLate(time, context.Watermark))
        {
            context.Late(lateRight, record);
            return;
        }

        var isMatched = false;
        foreach (var (at, row) in context.EntriesOf(Left.State))
        {
            if (!bounds.Contains(at.Time, time)) continue;
            isMatched = true;
            context.Emit(select(row.Value, record), Math.Max(time, at.Time));
            if ((kind & JoinKind.Left) != 0 && !row.IsMatched) context.Set(Left.State, at, row with { IsMatched = true });
        }

        var last = bounds.LastOfRight(time);
        if (last > context.Watermark)
        {
            Right.Add(ref context, record, time, isMatched);
            context.RegisterEventTimer(last);
        }
        else if (!isMatched && (kind & JoinKind.Right) != 0)
        {
            context.Emit(select(default, record), time);
        }
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<TKey, TOut> context)
    {
        TakeLeaving(timestamp, ref context);

        // A row without partner carries the time at which that became certain: its own may be behind the watermark, where it would be late for what follows.
        var certain = Math.Min(timestamp, EventTime.End - 1);
        foreach (var row in _leftLeaving)
        {
            if ((kind & JoinKind.Left) != 0 && !row.IsMatched) EmitLeft(row, Math.Max(row.Time, certain), ref context);
        }

        foreach (var row in _rightLeaving)
        {
            if ((kind & JoinKind.Right) != 0 && !row.IsMatched) EmitRight(row, Math.Max(row.Time, certain), ref context);
        }
    }

    private static bool IsLate(long time, long watermark) => time <= watermark && watermark != EventTime.Beginning;

    /// <summary>Takes the rows whose last possible partner was of a time. From that time follows theirs, but where the end of time was in the way.</summary>
    private void TakeLeaving(long last, ref KeyedContext<TKey, TOut> context)
    {
        _leftLeaving.Clear();
        _rightLeaving.Clear();
        if (last == EventTime.End)
        {
            Left.TakeWhere(ref context, time => bounds.LastOfLeft(time) == EventTime.End, _leftLeaving);
            Right.TakeWhere(ref context, time => bounds.LastOfRight(time) == EventTime.End, _rightLeaving);
            return;
        }

        var left = EventTime.Shift(last, -bounds.Upper);
        if (bounds.LastOfLeft(left) == last) Left.Take(ref context, left, _leftLeaving);
        var right = EventTime.Shift(last, bounds.Lower);
        if (bounds.LastOfRight(right) == last) Right.Take(ref context, right, _rightLeaving);
    }

    private void EmitLeft(in TimedRow<TLeft> row, long timestamp, ref KeyedContext<TKey, TOut> context)
    {
        try
        {
            context.Emit(select(row.Value, default), timestamp);
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            leftFailures.Take(error, row.Value, row.Time, context.Key.ToString());
        }
    }

    private void EmitRight(in TimedRow<TRight> row, long timestamp, ref KeyedContext<TKey, TOut> context)
    {
        try
        {
            context.Emit(select(default, row.Value), timestamp);
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            rightFailures.Take(error, row.Value, row.Time, context.Key.ToString());
        }
    }
}
