using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Joins;

/// <summary>A row of one side of a join that waits for partners.</summary>
/// <param name="Value">The record.</param>
/// <param name="Count">How many rows of its key and time there are, in the first of them.</param>
/// <param name="IsMatched">Whether it had a partner; noted only where rows without one come out.</param>
[GenerateSerializer, Immutable, Alias("os.JoinRow`1")]
internal readonly record struct JoinRow<T>([property: Id(0)] T Value, [property: Id(1)] int Count, [property: Id(2)] bool IsMatched);

/// <summary>
/// The rows of one side of a join, per key, in map state: each found by its time and its number among those of that time, so that rows whose time has come are taken without a
/// search. Rows of one time leave together, the last of them first; so numbers have no gaps.
/// </summary>
internal sealed class JoinBuffer<T>(string name)
{
    public MapState<(long Time, int Number), JoinRow<T>> State { get; } = new(name);

    public void Add<TKey, TOut>(ref KeyedContext<TKey, TOut> context, T value, long time, bool isMatched)
        where TKey : notnull
    {
        if (!context.TryGet(State, (time, 0), out var first))
        {
            context.Set(State, (time, 0), new JoinRow<T>(value, 1, isMatched));
            return;
        }

        context.Set(State, (time, first.Count), new JoinRow<T>(value, 0, isMatched));
        context.Set(State, (time, 0), first with { Count = first.Count + 1 });
    }

    /// <summary>Takes all rows of a time out of the buffer, in the order in which they came.</summary>
    public void Take<TKey, TOut>(ref KeyedContext<TKey, TOut> context, long time, List<TimedRow<T>> rows)
        where TKey : notnull
    {
        if (!context.TryGet(State, (time, 0), out var row)) return;
        var count = row.Count;
        for (var number = 0; number < count; number++)
        {
            if (number > 0) context.TryGet(State, (time, number), out row);
            rows.Add(new TimedRow<T>(row.Value, time, row.IsMatched));
        }

        while (--count >= 0) context.Remove(State, (time, count));
    }

    /// <summary>Takes all rows of times that fulfil a condition out of the buffer, those of one time in the order in which they came.</summary>
    public void TakeWhere<TKey, TOut>(ref KeyedContext<TKey, TOut> context, Func<long, bool> condition, List<TimedRow<T>> rows)
        where TKey : notnull
    {
        var times = new List<long>();
        foreach (var (at, _) in context.EntriesOf(State))
        {
            if (at.Number == 0 && condition(at.Time)) times.Add(at.Time);
        }

        times.Sort();
        foreach (var time in times) Take(ref context, time, rows);
    }
}

/// <summary>A row with its time.</summary>
internal readonly record struct TimedRow<T>(T Value, long Time, bool IsMatched);
