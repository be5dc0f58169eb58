using OrleansStream.Functions;
using OrleansStream.Joins;
using OrleansStream.Windows;

namespace OrleansStream.Graph;

/// <summary>
/// Two streams whose records are partners when they have a key and an event-time window in common; say what to make of them. Results come when the watermark, the lower one of both
/// streams, reaches the window's last millisecond, and carry its time; what has not fired does at the end of input. Each record is kept once until its windows are over.
/// </summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TLeft">The type of a record of the left stream: a struct or an immutable record.</typeparam>
/// <typeparam name="TRight">The type of a record of the right stream: a struct or an immutable record.</typeparam>
public sealed class WindowJoin<TKey, TLeft, TRight>
    where TKey : notnull
{
    private readonly KeyedPair<TKey, TLeft, TRight> _pair;
    private readonly JoinDivision _windows;
    private readonly TimeSpan _allowedLateness;
    private readonly LateOutputs<TLeft, TRight> _late;

    internal WindowJoin(KeyedPair<TKey, TLeft, TRight> pair, JoinDivision windows, TimeSpan allowedLateness, LateOutputs<TLeft, TRight> late)
    {
        _pair = pair;
        _windows = windows;
        _allowedLateness = allowedLateness;
        _late = late;
    }

    /// <summary>Makes a result of each pair of partners: an inner join.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="select">Makes the result.</param>
    /// <param name="onError">What happens when <paramref name="select"/> throws: with <see cref="OnError.DeadLetter"/> the records of that result become dead letters, and the others go on.</param>
    public DataStream<TOut> Select<TOut>(string name, Func<TLeft, TRight, TOut> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Pairs(name, JoinKind.Inner, (left, right) => select(left!, right!), onError);
    }

    /// <summary>Makes a result of each pair, and of each left record that has no partner: a left outer join.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="select">Makes the result. What is missing is the type's default: null, but for structs that are not made nullable.</param>
    /// <param name="onError">What happens when <paramref name="select"/> throws: with <see cref="OnError.DeadLetter"/> the records of that result become dead letters, and the others go on.</param>
    public DataStream<TOut> SelectLeft<TOut>(string name, Func<TLeft, TRight?, TOut> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Pairs(name, JoinKind.Left, (left, right) => select(left!, right), onError);
    }

    /// <summary>Makes a result of each pair, and of each right record that has no partner: a right outer join.</summary>
    /// <inheritdoc cref="SelectLeft"/>
    public DataStream<TOut> SelectRight<TOut>(string name, Func<TLeft?, TRight, TOut> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Pairs(name, JoinKind.Right, (left, right) => select(left, right!), onError);
    }

    /// <summary>Makes a result of each pair, and of each record of either side that has no partner: a full outer join.</summary>
    /// <inheritdoc cref="SelectLeft"/>
    public DataStream<TOut> SelectFull<TOut>(string name, Func<TLeft?, TRight?, TOut> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Pairs(name, JoinKind.Full, select, onError);
    }

    /// <summary>Makes any number of results of all records that both sides have of a key in a window; a side may have none.</summary>
    /// <param name="name">The operator's name, by which its state is found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="results">Makes the results.</param>
    /// <param name="onError">What happens when <paramref name="results"/> throws: with <see cref="OnError.DeadLetter"/> all records of that key and window become dead letters.</param>
    public DataStream<TOut> CoGroup<TOut>(string name, Func<CoGroup<TKey, TLeft, TRight>, IEnumerable<TOut>> results, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(results);
        return Add<TOut>("CoGroup", name, onError, (left, right) => new WindowGroups<TKey, TLeft, TRight, TOut>(results, left, right), null);
    }

    private DataStream<TOut> Pairs<TOut>(string name, JoinKind kind, Func<TLeft?, TRight?, TOut> select, OnError onError) =>
        Add<TOut>("WindowJoin", name, onError, (left, right) => new WindowPairs<TKey, TLeft, TRight, TOut>(kind, select, left, right), kind);

    private DataStream<TOut> Add<TOut>(
        string word, string name, OnError onError, Func<Stages.Failures<TLeft>, Stages.Failures<TRight>, IWindowPairing<TKey, TLeft, TRight, TOut>> pairing, JoinKind? kind)
    {
        var graph = _pair.Graph;
        var lateness = (long)_allowedLateness.TotalMilliseconds;
        var late = _late;
        var node = _pair.Add(
            word,
            name,
            onError,
            (_, left, right) => new WindowJoinFunction<TKey, TLeft, TRight, TOut>(_windows.Make(), lateness, pairing(left, right), late.Left, late.Right),
            static () => WindowJoinFunction<TKey, TLeft, TRight, TOut>.Declared,
            Check,
            needsEventTime: true,
            late.Problem);
        return new DataStream<TOut>(graph, node.Port);

        void Check(Node node)
        {
            if (_windows.Problem is { } problem) graph.Refuse(node, $"impossible windows: {problem}");
            if (_allowedLateness < TimeSpan.Zero) graph.Refuse(node, $"an allowed lateness of {_allowedLateness} is below 0");
            late.Check(graph, node);
            foreach (var (property, value) in _windows.Properties) node.Properties[property] = value;
            node.Properties["allowedLateness"] = _allowedLateness.ToString("c");
            if (kind is { } outer) node.Properties["join"] = outer.ToString().ToLowerInvariant();
        }
    }
}

/// <summary>The windows of a join, as they were written.</summary>
/// <param name="Make">Makes what divides the rows, once per subtask.</param>
/// <param name="Problem">Why there can be no such windows; null when there can.</param>
/// <param name="Properties">What distinguishes them.</param>
internal sealed record JoinDivision(Func<JoinWindows> Make, string? Problem, IReadOnlyList<(string Name, string Value)> Properties)
{
    public static JoinDivision Of(WindowAssigner windows) => new(
        () => windows.Merges ? new MergingJoinWindows(windows.Assign) : new AlignedJoinWindows(windows.Assign), ProblemOf(windows), [("windows", windows.Kind), .. windows.Properties]);

    private static string? ProblemOf(WindowAssigner windows)
    {
        if (windows.IsEndless) return "a join needs windows that end by time";
        if (windows.IsProcessingTime) return "a join needs windows of event time, which are the same on both sides";
        var type = windows.GetType();
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(SessionWindows<>) ? "sessions of a join have one gap for both sides" : windows.Problem;
    }
}
