using OrleansStream.Functions;
using OrleansStream.Stages;

namespace OrleansStream.Graph;

/// <summary>A SelectAsync, behind a keyed exchange or not.</summary>
internal sealed class AsyncNode<TIn, TOut>(
    JobGraph graph, string name, Func<IServiceProvider, Func<TIn, CancellationToken, Task<TOut>>> call, AsyncOptions options, Func<TIn, Exception, TOut>? fallback, Func<TIn, string?>? keyText, OnError onError)
    : ConsumerNode<TIn>(graph, "SelectAsync", name, isNamed: true), IDeadLetterOwner<TIn>
{
    public OnError OnError => onError;

    public Port<TOut> Port => field ??= new Port<TOut>(this);

    public Port<DeadLetter<TIn>> DeadLetters => field ??= new Port<DeadLetter<TIn>>(this, "dead-letters");

    public override Operator<TIn> Build(ChainBuilder chain)
    {
        var output = chain.OutputOf(Port);
        var failures = chain.FailuresOf(this, onError, DeadLetters);
        return chain.Add(new AsyncOperator<TIn, TOut>(chain.Context, call(chain.Services), fallback, keyText, options, output, failures) { Name = Name });
    }

    /// <summary>Adds the node to a graph, with what is wrong with it.</summary>
    public static AsyncNode<TIn, TOut> AddTo(
        JobGraph graph, string name, Func<IServiceProvider, Func<TIn, CancellationToken, Task<TOut>>> call, AsyncOptions? options, Func<TIn, Exception, TOut>? fallback, Func<TIn, string?>? keyText, OnError onError)
    {
        options ??= new AsyncOptions();
        var node = graph.Add(new AsyncNode<TIn, TOut>(graph, name, call, options, fallback, keyText, onError));
        foreach (var problem in options.Problems) graph.Refuse(node, problem);
        StateCheck.CheckTravels(graph, node, "a record in flight", typeof(TIn));
        node.Properties["record"] = TypeName.Of(typeof(TIn));
        node.Properties["result"] = TypeName.Of(typeof(TOut));
        return node;
    }
}
