using OrleansStream.Functions;
using OrleansStream.Stages;
using OrleansStream.Windows;

namespace OrleansStream.Joins;

/// <summary>Every row of the left side with every row of the right, and in outer joins the rows of a side that is alone in the window. Results carry the window's last millisecond.</summary>
internal sealed class WindowPairs<TKey, TLeft, TRight, TOut>(JoinKind kind, Func<TLeft?, TRight?, TOut> select, Failures<TLeft> leftFailures, Failures<TRight> rightFailures)
    : IWindowPairing<TKey, TLeft, TRight, TOut>
    where TKey : notnull
{
    public void Fire(TimeWindow window, List<TimedRow<TLeft>> left, List<TimedRow<TRight>> right, ref KeyedContext<TKey, TOut> context)
    {
        foreach (var leftRow in left)
        {
            foreach (var rightRow in right) Pair(leftRow, rightRow, window.Last, ref context);
        }

        if (right.Count == 0 && (kind & JoinKind.Left) != 0)
        {
            foreach (var row in left) Pair(row, null, window.Last, ref context);
        }

        if (left.Count == 0 && (kind & JoinKind.Right) != 0)
        {
            foreach (var row in right) Pair(null, row, window.Last, ref context);
        }
    }

    /// <summary>Emits one result. When it cannot be made its rows become dead letters, and the others go on.</summary>
    private void Pair(TimedRow<TLeft>? left, TimedRow<TRight>? right, long timestamp, ref KeyedContext<TKey, TOut> context)
    {
        try
        {
            context.Emit(select(left is { } l ? l.Value : default, right is { } r ? r.Value : default), timestamp);
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            if (left is { } leftRow) leftFailures.Take(error, leftRow.Value, leftRow.Time, context.Key.ToString());
            if (right is { } rightRow) rightFailures.Take(error, rightRow.Value, rightRow.Time, context.Key.ToString());
        }
    }
}

/// <summary>All rows of both sides at once. Results carry the window's last millisecond.</summary>
internal sealed class WindowGroups<TKey, TLeft, TRight, TOut>(
    Func<CoGroup<TKey, TLeft, TRight>, IEnumerable<TOut>> results, Failures<TLeft> leftFailures, Failures<TRight> rightFailures)
    : IWindowPairing<TKey, TLeft, TRight, TOut>
    where TKey : notnull
{
    public void Fire(TimeWindow window, List<TimedRow<TLeft>> left, List<TimedRow<TRight>> right, ref KeyedContext<TKey, TOut> context)
    {
        try
        {
            var group = new CoGroup<TKey, TLeft, TRight>(context.Key, window, [.. left.Select(static row => row.Value)], [.. right.Select(static row => row.Value)]);

            // All of them before the first leaves: a sequence that throws half way leaves nothing behind.
            foreach (var result in results(group).ToList()) context.Emit(result, window.Last);
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            foreach (var row in left) leftFailures.Take(error, row.Value, row.Time, context.Key.ToString());
            foreach (var row in right) rightFailures.Take(error, row.Value, row.Time, context.Key.ToString());
        }
    }
}
