using OrleansStream.Functions;
using OrleansStream.Windows;

namespace OrleansStream.Graph;

public sealed partial class KeyedStream<TKey, T>
{
    /// <summary>Joins the records of each key with those that another stream has of it; say next what else they must have in common.</summary>
    /// <param name="right">The right side, with keys of the same type.</param>
    public KeyedJoin<TKey, T, TRight> Join<TRight>(KeyedStream<TKey, TRight> right)
    {
        ArgumentNullException.ThrowIfNull(right);
        return new KeyedJoin<TKey, T, TRight>(this, right);
    }
}

/// <summary>Two streams to be joined by key; say what else partners must have in common: a window, times near each other, or that the right side was valid at the time.</summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TLeft">The type of a record of the left stream.</typeparam>
/// <typeparam name="TRight">The type of a record of the right stream.</typeparam>
public sealed class KeyedJoin<TKey, TLeft, TRight>
    where TKey : notnull
{
    private readonly KeyedPair<TKey, TLeft, TRight> _pair;

    internal KeyedJoin(KeyedStream<TKey, TLeft> left, KeyedStream<TKey, TRight> right) => _pair = new KeyedPair<TKey, TLeft, TRight>(left, right);

    /// <summary>Partners are in the same event-time window.</summary>
    /// <param name="windows">
    /// Which windows: <see cref="TumblingWindows"/>, <see cref="SlidingWindows"/>, or <see cref="SessionWindows"/> with one gap, which both sides together keep open; of event time. A record
    /// that is in none is left out.
    /// </param>
    /// <param name="allowedLateness">How long after its end a window is kept: each record that still comes fires it again, with all its results anew.</param>
    /// <param name="lateLeft">Where records of the left stream go whose windows are all gone; read it with <see cref="DataStream{T}.SideOutput"/>. They are counted either way.</param>
    /// <param name="lateRight">The same for the right stream. Two outputs of different types need different names.</param>
    public WindowJoin<TKey, TLeft, TRight> Window(
        WindowAssigner windows, TimeSpan allowedLateness = default, SideOutput<TLeft>? lateLeft = null, SideOutput<TRight>? lateRight = null)
    {
        ArgumentNullException.ThrowIfNull(windows);
        return new WindowJoin<TKey, TLeft, TRight>(_pair, JoinDivision.Of(windows), allowedLateness, new LateOutputs<TLeft, TRight>(lateLeft, lateRight));
    }

    /// <summary>
    /// Partners are near each other in event time: the right record's time is from the left one's plus <paramref name="lower"/> to the left one's plus <paramref name="upper"/>,
    /// both included unless told otherwise; bounds below 0 lie before the left record.
    /// </summary>
    /// <param name="lower">The lower bound, whole milliseconds; not above the upper one.</param>
    /// <param name="upper">The upper bound, whole milliseconds.</param>
    /// <param name="excludeLower">Whether a right record at exactly the lower bound is no partner.</param>
    /// <param name="excludeUpper">Whether a right record at exactly the upper bound is no partner.</param>
    /// <param name="lateLeft">Where records of the left stream go that come at or behind the watermark; they have no partners. They are counted either way.</param>
    /// <param name="lateRight">The same for the right stream. Two outputs of different types need different names.</param>
    public IntervalJoin<TKey, TLeft, TRight> Between(
        TimeSpan lower, TimeSpan upper, bool excludeLower = false, bool excludeUpper = false, SideOutput<TLeft>? lateLeft = null, SideOutput<TRight>? lateRight = null) =>
        new(_pair, new Interval(lower, upper, excludeLower, excludeUpper), new LateOutputs<TLeft, TRight>(lateLeft, lateRight));

    /// <summary>
    /// The right stream says how each key has changed: each of its records is valid from its event time up to that of the next. The partner of a left record is the one version that
    /// was valid at the left record's time; of two versions of one time the one that came last. SQL's <c>FOR SYSTEM_TIME AS OF</c>.
    /// </summary>
    /// <param name="lateLeft">Where records of the left stream go that come at or behind the watermark. They are counted either way.</param>
    /// <param name="lateRight">
    /// Where versions go that come behind the watermark when a newer one has taken their place; others behind the watermark count for the records to come. Two outputs of different
    /// types need different names.
    /// </param>
    public TemporalJoin<TKey, TLeft, TRight> AsOf(SideOutput<TLeft>? lateLeft = null, SideOutput<TRight>? lateRight = null) =>
        new(_pair, new LateOutputs<TLeft, TRight>(lateLeft, lateRight));
}

/// <summary>Where late records of the two sides of a join go.</summary>
internal readonly record struct LateOutputs<TLeft, TRight>(SideOutput<TLeft>? Left, SideOutput<TRight>? Right)
{
    /// <summary>Refuses outputs that cannot be told apart.</summary>
    public void Check(JobGraph graph, Node node)
    {
        if (Left is null || Right is null || Left.Name != Right.Name || typeof(TLeft) == typeof(TRight)) return;
        graph.Refuse(node, $"late records of both sides go to '{Left.Name}', but they are {TypeName.Of(typeof(TLeft))} and {TypeName.Of(typeof(TRight))}; give each side an output of its own");
    }

    /// <summary>Why the join never emits to a side output.</summary>
    public string? Problem(string name, Type record)
    {
        if (Is(Left, name, record) || Is(Right, name, record)) return null;
        var known = string.Join(" and ", ((string?[])[Text(Left), Text(Right)]).Where(static text => text is not null));
        return known == "" ? "it has none; give the join an output for late records" : $"it emits late records only, to {known}";
    }

    private static bool Is<T>(SideOutput<T>? output, string name, Type record) => output?.Name == name && record == typeof(T);

    private static string? Text<T>(SideOutput<T>? output) => output is null ? null : $"'{output.Name}' of {TypeName.Of(typeof(T))}";
}
