using OrleansStream.Functions;

namespace OrleansStream.Graph;

/// <content>Results that are waited for.</content>
public sealed partial class DataStream<T>
{
    /// <summary>
    /// Maps each record to the result of an asynchronous call. Waiting holds up neither the subtask nor its checkpoints: records that wait are part of them, and are asked for again after a restart. So a
    /// record has one result, but may be asked for more than once: the call should be safe to repeat.
    /// </summary>
    /// <param name="name">The operator's name, by which its records in flight are found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="call">Makes the call; until its first <c>await</c> it holds up the subtask. Its token is cancelled when the record has timed out or the subtask ends.</param>
    /// <param name="options">How much is asked for at a time, for how long, how often, in which order; the defaults of <see cref="AsyncOptions"/> when null.</param>
    /// <param name="fallback">Makes a result in place of one that could not be had: it gets the error, a <see cref="TimeoutException"/> after a time-out. When it throws, that is the error.</param>
    /// <param name="onError">What happens to a record whose last call has failed, or that timed out, without <paramref name="fallback"/>.</param>
    public DataStream<TOut> SelectAsync<TOut>(
        string name, Func<T, CancellationToken, Task<TOut>> call, AsyncOptions? options = null, Func<T, Exception, TOut>? fallback = null, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(call);
        return SelectAsync(name, _ => call, options, fallback, onError);
    }

    /// <inheritdoc cref="SelectAsync{TOut}(string, Func{T, CancellationToken, Task{TOut}}, AsyncOptions, Func{T, Exception, TOut}, OnError)"/>
    /// <param name="name">The operator's name, by which its records in flight are found again: <c>^[a-z0-9-]{1,64}$</c>, unique in the graph.</param>
    /// <param name="call">Makes what makes the calls from the services of the silo, once per subtask, and when state is read that no subtask begins with yet. Nobody closes what it opens: take connections from the services.</param>
    /// <param name="options">How much is asked for at a time, for how long, how often, in which order; the defaults of <see cref="AsyncOptions"/> when null.</param>
    /// <param name="fallback">Makes a result in place of one that could not be had: it gets the error, a <see cref="TimeoutException"/> after a time-out. When it throws, that is the error.</param>
    /// <param name="onError">What happens to a record whose last call has failed, or that timed out, without <paramref name="fallback"/>.</param>
    public DataStream<TOut> SelectAsync<TOut>(
        string name, Func<IServiceProvider, Func<T, CancellationToken, Task<TOut>>> call, AsyncOptions? options = null, Func<T, Exception, TOut>? fallback = null, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(call);
        var node = AsyncNode<T, TOut>.AddTo(_graph, name, call, options, fallback, null, onError);
        Connect(node);
        return new DataStream<TOut>(_graph, node.Port);
    }
}
