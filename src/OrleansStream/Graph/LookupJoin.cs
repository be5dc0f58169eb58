using OrleansStream.Functions;
using OrleansStream.Joins;
using OrleansStream.Stages;

namespace OrleansStream.Graph;

public sealed partial class DataStream<T>
{
    /// <summary>
    /// Joins each record with the rows that a service outside has for it at that moment; say next what to make of them. As with <see cref="SelectAsync{TOut}(string, Func{T, CancellationToken, Task{TOut}}, AsyncOptions, Func{T, Exception, TOut}, OnError)"/> waiting holds up neither the subtask nor its
    /// checkpoints, and after a restart the records in flight are looked up again: what the service says may have changed meanwhile.
    /// </summary>
    /// <param name="name">The operator's name, by which its records in flight are found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="lookup">Asks for the rows of a record: none, one or several. Until its first <c>await</c> it holds up the subtask.</param>
    /// <param name="options">How much is asked for at a time, for how long, how often, in which order; the defaults of <see cref="AsyncOptions"/> when null.</param>
    public LookupJoin<T, TRow> Lookup<TRow>(string name, Func<T, CancellationToken, Task<IReadOnlyList<TRow>>> lookup, AsyncOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(lookup);
        return Lookup(name, _ => lookup, options);
    }

    /// <inheritdoc cref="Lookup{TRow}(string, Func{T, CancellationToken, Task{IReadOnlyList{TRow}}}, AsyncOptions)"/>
    /// <param name="name">The operator's name, by which its records in flight are found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="lookup">Makes what asks for the rows from the services of the silo, once per subtask, and when state is read that no subtask begins with yet.</param>
    /// <param name="options">How much is asked for at a time, for how long, how often, in which order; the defaults of <see cref="AsyncOptions"/> when null.</param>
    public LookupJoin<T, TRow> Lookup<TRow>(string name, Func<IServiceProvider, Func<T, CancellationToken, Task<IReadOnlyList<TRow>>>> lookup, AsyncOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(lookup);
        return new LookupJoin<T, TRow>(_graph, name, lookup, options, null, Connect);
    }
}

public sealed partial class KeyedStream<TKey, T>
{
    /// <summary>Joins each record with the rows that a service outside has for it, in the subtask that owns the record's key. Ordered, the results of a key are in the order of its records at any parallelism.</summary>
    /// <inheritdoc cref="DataStream{T}.Lookup{TRow}(string, Func{T, CancellationToken, Task{IReadOnlyList{TRow}}}, AsyncOptions)"/>
    public LookupJoin<T, TRow> Lookup<TRow>(string name, Func<T, CancellationToken, Task<IReadOnlyList<TRow>>> lookup, AsyncOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(lookup);
        return Lookup(name, _ => lookup, options);
    }

    /// <summary>Joins each record with the rows that a service outside has for it, in the subtask that owns the record's key. Ordered, the results of a key are in the order of its records at any parallelism.</summary>
    /// <inheritdoc cref="DataStream{T}.Lookup{TRow}(string, Func{IServiceProvider, Func{T, CancellationToken, Task{IReadOnlyList{TRow}}}}, AsyncOptions)"/>
    public LookupJoin<T, TRow> Lookup<TRow>(string name, Func<IServiceProvider, Func<T, CancellationToken, Task<IReadOnlyList<TRow>>>> lookup, AsyncOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(lookup);
        var key = _key;
        return new LookupJoin<T, TRow>(Graph, name, lookup, options, record => key(record).ToString(), Connect);
    }
}

/// <summary>
/// A stream whose records are looked up in a service outside; say what to make of the rows found. Results carry the record's time. There is no right or full outer join: nobody knows all
/// rows of the service.
/// </summary>
/// <typeparam name="T">The type of a record.</typeparam>
/// <typeparam name="TRow">The type of a row; it never rests in a snapshot.</typeparam>
public sealed class LookupJoin<T, TRow>
{
    private readonly JobGraph _graph;
    private readonly string _name;
    private readonly Func<IServiceProvider, Func<T, CancellationToken, Task<IReadOnlyList<TRow>>>> _lookup;
    private readonly AsyncOptions? _options;
    private readonly Func<T, string?>? _keyText;
    private readonly Action<IEntry<T>> _connect;

    internal LookupJoin(
        JobGraph graph,
        string name,
        Func<IServiceProvider, Func<T, CancellationToken, Task<IReadOnlyList<TRow>>>> lookup,
        AsyncOptions? options,
        Func<T, string?>? keyText,
        Action<IEntry<T>> connect)
    {
        _graph = graph;
        _name = name;
        _lookup = lookup;
        _options = options;
        _keyText = keyText;
        _connect = connect;
    }

    /// <summary>Makes a result of each record with each of its rows: an inner join.</summary>
    /// <param name="select">Makes the result.</param>
    /// <param name="onError">What happens to a record whose last lookup has failed, that timed out, or at one of whose rows <paramref name="select"/> throws.</param>
    public DataStream<TOut> Select<TOut>(Func<T, TRow, TOut> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Add(JoinKind.Inner, (record, row) => select(record, row!), onError);
    }

    /// <summary>Makes a result of each record with each of its rows, and of each record that has none: a left outer join.</summary>
    /// <param name="select">Makes the result. Where there was no row it is the type's default: null, but for structs that are not made nullable.</param>
    /// <param name="onError">What happens to a record whose last lookup has failed, that timed out, or at one of whose rows <paramref name="select"/> throws.</param>
    public DataStream<TOut> SelectLeft<TOut>(Func<T, TRow?, TOut> select, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Add(JoinKind.Left, select, onError);
    }

    private DataStream<TOut> Add<TOut>(JoinKind kind, Func<T, TRow?, TOut> select, OnError onError)
    {
        var lookup = _lookup;
        var asked = AsyncNode<T, TOut[]>.AddTo(_graph, _name, Call, _options, null, _keyText, onError);
        asked.Properties["join"] = kind.ToString().ToLowerInvariant();
        asked.Properties["row"] = TypeName.Of(typeof(TRow));
        _connect(asked);
        var found = _graph.Add(new FoundNode<T, TOut>(_graph, _graph.NextName("lookup"), asked));
        new DataStream<TOut[]>(_graph, asked.Port).Connect(found);
        return new DataStream<TOut>(_graph, found.Port);

        Func<T, CancellationToken, Task<TOut[]>> Call(IServiceProvider services)
        {
            var ask = lookup(services);
            return async (record, cancellation) =>
            {
                var rows = await ask(record, cancellation);
                return rows.Count == 0 && kind == JoinKind.Left ? [select(record, default)] : [.. rows.Select(row => select(record, row))];
            };
        }
    }
}

/// <summary>Lets the results of a lookup out one by one. What fails has failed before, so its dead letters are those of the lookup.</summary>
internal sealed class FoundNode<TIn, TOut>(JobGraph graph, string name, AsyncNode<TIn, TOut[]> asked) : ConsumerNode<TOut[]>(graph, "Lookup", name, isNamed: false), IDeadLetterOwner<TIn>
{
    public OnError OnError => asked.OnError;

    public Port<TOut> Port => field ??= new Port<TOut>(this);

    public Port<DeadLetter<TIn>> DeadLetters => asked.DeadLetters;

    public override Operator<TOut[]> Build(ChainBuilder chain) =>
        chain.Add(new SelectManyOperator<TOut[], TOut>(static results => results, chain.OutputOf(Port), chain.FailuresOf<TOut[]>(this, OnError.Fail, null)) { Name = Name });
}
