using OrleansStream.Functions;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Changes;

/// <summary>Which of the records of a key a <c>Deduplicate</c> keeps.</summary>
public enum Keep
{
    /// <summary>The first. Without changes, the first that comes; as changes, the one that is earliest in event time.</summary>
    First,

    /// <summary>The last in event time; of equal times, the one that comes last.</summary>
    Last,
}

/// <summary>Passes on the first record of each key, and no other.</summary>
internal sealed class FirstFunction<TKey, T> : KeyedFunction<TKey, T, T>
    where TKey : notnull
{
    private static readonly ValueState<bool> Seen = new("seen");

    public override IReadOnlyList<StateDeclaration> States => [Seen];

    public override void Process(in T record, ref KeyedContext<TKey, T> context)
    {
        if (context.Has(Seen)) return;
        context.Set(Seen, true);
        context.Emit(record);
    }
}

/// <summary>
/// Passes on a record unless one that was passed on is less than a span away from it in event time. It remembers the times of those until the watermark is past the
/// span behind them, when no record on time can be so near; they are a span apart at least, so they are few.
/// </summary>
internal sealed class FirstWithinFunction<TKey, T>(long withinMs) : KeyedFunction<TKey, T, T>
    where TKey : notnull
{
    private static readonly ListState<long> Times = new("times");

    public override IReadOnlyList<StateDeclaration> States => [Times];

    public override void Process(in T record, ref KeyedContext<TKey, T> context)
    {
        var at = context.Timestamp;
        foreach (var time in context.Items(Times))
        {
            if (at < EventTime.Plus(time, withinMs) && time < EventTime.Plus(at, withinMs)) return;
        }

        context.Emit(record);
        var forgottenAt = EventTime.Plus(at, withinMs);
        if (forgottenAt <= context.Watermark) return;
        context.Add(Times, at);
        context.RegisterEventTimer(forgottenAt);
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<TKey, T> context)
    {
        var left = new List<long>();
        foreach (var time in context.Items(Times))
        {
            if (EventTime.Plus(time, withinMs) > timestamp) left.Add(time);
        }

        context.Replace(Times, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(left));
    }
}

/// <summary>Passes on the first record of each value within a key, and no other.</summary>
internal sealed class DistinctFunction<TKey, T, TValue>(Func<T, TValue> by) : KeyedFunction<TKey, T, T>
    where TKey : notnull
    where TValue : notnull
{
    private static readonly MapState<TValue, bool> Seen = new("seen");

    public override IReadOnlyList<StateDeclaration> States => [Seen];

    public override void Process(in T record, ref KeyedContext<TKey, T> context)
    {
        var value = by(record);
        if (context.TryGet(Seen, value, out _)) return;
        context.Set(Seen, value, true);
        context.Emit(record);
    }
}
