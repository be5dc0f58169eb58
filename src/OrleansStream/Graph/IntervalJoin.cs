using OrleansStream.Functions;
using OrleansStream.Joins;

namespace OrleansStream.Graph;

/// <summary>
/// Two streams whose records are partners when they have a key in common and are near each other in event time; say what to make of them. A pair comes out when the later of the
/// two comes, and carries the later of their times. A record without partner comes out, in an outer join, when the watermark says that none can come any more, and carries the time of
/// its last possible partner, or its own where that is later; at the end of input all of them come out. A record that comes at or behind the watermark is late, and has no partners.
/// </summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TLeft">The type of a record of the left stream: a struct or an immutable record.</typeparam>
/// <typeparam name="TRight">The type of a record of the right stream: a struct or an immutable record.</typeparam>
public sealed class IntervalJoin<TKey, TLeft, TRight>
    where TKey : notnull
{
    private readonly KeyedPair<TKey, TLeft, TRight> _pair;
    private readonly Interval _interval;
    private readonly LateOutputs<TLeft, TRight> _late;

    internal IntervalJoin(KeyedPair<TKey, TLeft, TRight> pair, Interval interval, LateOutputs<TLeft, TRight> late)
    {
        _pair = pair;
        _interval = interval;
        _late = late;
    }

    /// <summary>Makes a result of each pair of partners: an inner join.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="select">Makes the result.</param>
    /// <param name="onError">What happens when <paramref name="select"/> throws: with <see cref="OnError.DeadLetter"/> the record that came last becomes a dead letter without other effect.</param>
    public DataStream<TOut> Select<TOut>(string name, Func<TLeft, TRight, TOut> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Add(name, JoinKind.Inner, (left, right) => select(left!, right!), onError);
    }

    /// <summary>Makes a result of each pair, and of each left record that has no partner: a left outer join.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="select">Makes the result. What is missing is the type's default: null, but for structs that are not made nullable.</param>
    /// <param name="onError">
    /// What happens when <paramref name="select"/> throws: with <see cref="OnError.DeadLetter"/> the record that came last, or the one without partner, becomes a dead letter without other
    /// effect.
    /// </param>
    public DataStream<TOut> SelectLeft<TOut>(string name, Func<TLeft, TRight?, TOut> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Add(name, JoinKind.Left, (left, right) => select(left!, right), onError);
    }

    /// <summary>Makes a result of each pair, and of each right record that has no partner: a right outer join.</summary>
    /// <inheritdoc cref="SelectLeft"/>
    public DataStream<TOut> SelectRight<TOut>(string name, Func<TLeft?, TRight, TOut> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Add(name, JoinKind.Right, (left, right) => select(left, right!), onError);
    }

    /// <summary>Makes a result of each pair, and of each record of either side that has no partner: a full outer join.</summary>
    /// <inheritdoc cref="SelectLeft"/>
    public DataStream<TOut> SelectFull<TOut>(string name, Func<TLeft?, TRight?, TOut> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Add(name, JoinKind.Full, select, onError);
    }

    private DataStream<TOut> Add<TOut>(string name, JoinKind kind, Func<TLeft?, TRight?, TOut> select, OnError onError)
    {
        var graph = _pair.Graph;
        var bounds = _interval.Bounds;
        var late = _late;
        var node = _pair.Add(
            "IntervalJoin",
            name,
            onError,
            (_, left, right) => new IntervalJoinFunction<TKey, TLeft, TRight, TOut>(bounds, kind, select, late.Left, late.Right, left, right),
            static () => IntervalJoinFunction<TKey, TLeft, TRight, TOut>.Declared,
            Check,
            needsEventTime: true,
            late.Problem);
        return new DataStream<TOut>(graph, node.Port);

        void Check(Node node)
        {
            foreach (var problem in _interval.Problems) graph.Refuse(node, problem);
            late.Check(graph, node);
            node.Properties["lowerMs"] = bounds.Lower.ToString(System.Globalization.CultureInfo.InvariantCulture);
            node.Properties["upperMs"] = bounds.Upper.ToString(System.Globalization.CultureInfo.InvariantCulture);
            node.Properties["join"] = kind.ToString().ToLowerInvariant();
        }
    }
}

/// <summary>The interval of a join, as it was written.</summary>
internal readonly record struct Interval(TimeSpan Lower, TimeSpan Upper, bool ExcludesLower, bool ExcludesUpper)
{
    /// <summary>The bounds with both ends included.</summary>
    public IntervalBounds Bounds => new((Lower.Ticks / TimeSpan.TicksPerMillisecond) + (ExcludesLower ? 1 : 0), (Upper.Ticks / TimeSpan.TicksPerMillisecond) - (ExcludesUpper ? 1 : 0));

    /// <summary>Why there can be no such interval.</summary>
    public IEnumerable<string> Problems
    {
        get
        {
            if (Lower.Ticks % TimeSpan.TicksPerMillisecond != 0) yield return $"its lower bound, {Lower}, is not a whole number of milliseconds";
            if (Upper.Ticks % TimeSpan.TicksPerMillisecond != 0) yield return $"its upper bound, {Upper}, is not a whole number of milliseconds";
            if (Lower > Upper) yield return $"impossible interval: its lower bound, {Lower}, is above its upper bound, {Upper}";
            else if (Bounds.Lower > Bounds.Upper) yield return $"impossible interval: no time is between {Lower} and {Upper} when bounds are excluded";
        }
    }
}
