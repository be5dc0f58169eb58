using OrleansStream.Functions;
using OrleansStream.Joins;

namespace OrleansStream.Graph;

/// <summary>
/// A stream whose records get the version that another stream had of their key at their time; say what to make of them. A result comes when the watermark, the lower one of both
/// streams, reaches the left record's time, and carries that time. When the watermark passes a version all older ones of the key are forgotten; the newest is kept.
/// There is no right or full outer join: a version without a left record is nothing that came to pass. A version that says that there is none is a version like any other: keep a
/// mark in it, and ask for it in the selector.
/// </summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TLeft">The type of a record of the left stream: a struct or an immutable record.</typeparam>
/// <typeparam name="TVersion">The type of a version: a struct or an immutable record.</typeparam>
public sealed class TemporalJoin<TKey, TLeft, TVersion>
    where TKey : notnull
{
    private readonly KeyedPair<TKey, TLeft, TVersion> _pair;
    private readonly LateOutputs<TLeft, TVersion> _late;

    internal TemporalJoin(KeyedPair<TKey, TLeft, TVersion> pair, LateOutputs<TLeft, TVersion> late)
    {
        _pair = pair;
        _late = late;
    }

    /// <summary>Makes a result of each left record for which there was a version: an inner join.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="select">Makes the result.</param>
    /// <param name="onError">What happens when <paramref name="select"/> throws: with <see cref="OnError.DeadLetter"/> the left record becomes a dead letter.</param>
    public DataStream<TOut> Select<TOut>(string name, Func<TLeft, TVersion, TOut> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Add(name, JoinKind.Inner, (left, version) => select(left, version!), onError);
    }

    /// <summary>Makes a result of each left record: a left outer join.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="select">Makes the result. Where there was no version it is the type's default: null, but for structs that are not made nullable.</param>
    /// <param name="onError">What happens when <paramref name="select"/> throws: with <see cref="OnError.DeadLetter"/> the left record becomes a dead letter.</param>
    public DataStream<TOut> SelectLeft<TOut>(string name, Func<TLeft, TVersion?, TOut> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Add(name, JoinKind.Left, select, onError);
    }

    private DataStream<TOut> Add<TOut>(string name, JoinKind kind, Func<TLeft, TVersion?, TOut> select, OnError onError)
    {
        var graph = _pair.Graph;
        var late = _late;
        var node = _pair.Add(
            "TemporalJoin",
            name,
            onError,
            (_, left, _) => new TemporalJoinFunction<TKey, TLeft, TVersion, TOut>(kind, select, late.Left, late.Right, left),
            static () => TemporalJoinFunction<TKey, TLeft, TVersion, TOut>.Declared,
            node =>
            {
                late.Check(graph, node);
                node.Properties["join"] = kind.ToString().ToLowerInvariant();
            },
            needsEventTime: true,
            late.Problem);
        return new DataStream<TOut>(graph, node.Port);
    }
}
