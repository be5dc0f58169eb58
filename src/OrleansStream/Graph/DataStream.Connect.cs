using OrleansStream.State;

namespace OrleansStream.Graph;

public sealed partial class DataStream<T>
{
    /// <summary>Puts another stream, of records of its own type, beside this one, for an operator that takes both.</summary>
    public ConnectedStreams<T, TSecond> Connect<TSecond>(DataStream<TSecond> second)
    {
        ArgumentNullException.ThrowIfNull(second);
        return new ConnectedStreams<T, TSecond>(this, second);
    }

    /// <summary>Puts a stream that writes broadcast state beside this one.</summary>
    public BroadcastConnected<T, TBroadcast> Connect<TBroadcast>(BroadcastStream<TBroadcast> broadcast)
    {
        ArgumentNullException.ThrowIfNull(broadcast);
        return new BroadcastConnected<T, TBroadcast>(this, broadcast);
    }

    /// <summary>Sends every record to every subtask of an operator, to write state there that is the same in all of them: rules, settings.</summary>
    /// <param name="states">The states that it writes.</param>
    public BroadcastStream<T> Broadcast(params IReadOnlyList<BroadcastDeclaration> states)
    {
        ArgumentNullException.ThrowIfNull(states);
        return new BroadcastStream<T>(Broadcast(), states);
    }
}

public sealed partial class KeyedStream<TKey, T>
{
    /// <summary>Puts another stream with keys of the same type beside this one: the records of a key on both sides go to one subtask, and share its state.</summary>
    public KeyedConnectedStreams<TKey, T, TSecond> Connect<TSecond>(KeyedStream<TKey, TSecond> second)
    {
        ArgumentNullException.ThrowIfNull(second);
        return new KeyedConnectedStreams<TKey, T, TSecond>(this, second);
    }

    /// <summary>Puts a stream that writes broadcast state beside this one.</summary>
    public KeyedBroadcastConnected<TKey, T, TBroadcast> Connect<TBroadcast>(BroadcastStream<TBroadcast> broadcast)
    {
        ArgumentNullException.ThrowIfNull(broadcast);
        return new KeyedBroadcastConnected<TKey, T, TBroadcast>(this, broadcast);
    }

    internal JobGraph Graph => _stream.Graph;
}

/// <summary>A stream whose records go to every subtask of an operator, to write broadcast state there.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed class BroadcastStream<T>
{
    internal BroadcastStream(DataStream<T> stream, IReadOnlyList<BroadcastDeclaration> states)
    {
        Stream = stream;
        States = states;
    }

    internal DataStream<T> Stream { get; }

    internal IReadOnlyList<BroadcastDeclaration> States { get; }
}
