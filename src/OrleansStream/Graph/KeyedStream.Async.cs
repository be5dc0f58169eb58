using OrleansStream.Functions;

namespace OrleansStream.Graph;

/// <content>Results that are waited for.</content>
public sealed partial class KeyedStream<TKey, T>
{
    /// <summary>Maps each record to the result of an asynchronous call, in the subtask that owns the record's key. Ordered, the results of a key are in the order of its records at any parallelism.</summary>
    /// <inheritdoc cref="DataStream{T}.SelectAsync{TOut}(string, Func{T, CancellationToken, Task{TOut}}, AsyncOptions, Func{T, Exception, TOut}, OnError)"/>
    public DataStream<TOut> SelectAsync<TOut>(
        string name, Func<T, CancellationToken, Task<TOut>> call, AsyncOptions? options = null, Func<T, Exception, TOut>? fallback = null, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(call);
        return SelectAsync(name, _ => call, options, fallback, onError);
    }

    /// <summary>Maps each record to the result of an asynchronous call, in the subtask that owns the record's key. Ordered, the results of a key are in the order of its records at any parallelism.</summary>
    /// <inheritdoc cref="DataStream{T}.SelectAsync{TOut}(string, Func{IServiceProvider, Func{T, CancellationToken, Task{TOut}}}, AsyncOptions, Func{T, Exception, TOut}, OnError)"/>
    public DataStream<TOut> SelectAsync<TOut>(
        string name, Func<IServiceProvider, Func<T, CancellationToken, Task<TOut>>> call, AsyncOptions? options = null, Func<T, Exception, TOut>? fallback = null, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(call);
        var graph = _stream.Graph;
        var key = _key;
        var node = AsyncNode<T, TOut>.AddTo(graph, name, call, options, fallback, record => key(record).ToString(), onError);
        Connect(node);
        return new DataStream<TOut>(graph, node.Port);
    }
}
