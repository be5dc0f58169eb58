using OrleansStream.Functions;
using OrleansStream.Time;

namespace OrleansStream.Graph;

/// <content>Event time by a strategy of one's choice.</content>
public sealed partial class DataStream<T>
{
    /// <summary>Gives each record its event time, and says how far event time has come. Needed before any event-time window or timer.</summary>
    /// <param name="timestamp">Reads the record's time.</param>
    /// <param name="watermarks">Where watermarks come from: see <see cref="WatermarkStrategy"/>.</param>
    /// <param name="onError">What happens to a record whose time cannot be read, or at which the strategy throws.</param>
    public DataStream<T> WithTimestamps(Func<T, DateTimeOffset> timestamp, WatermarkStrategy<T> watermarks, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(timestamp);
        ArgumentNullException.ThrowIfNull(watermarks);
        return Timestamps(record => EventTime.FromDateTime(timestamp(record)), watermarks, onError);
    }

    /// <summary>Gives each record its event time in milliseconds since 1970-01-01T00:00:00Z, and says how far event time has come.</summary>
    /// <inheritdoc cref="WithTimestamps(Func{T, DateTimeOffset}, WatermarkStrategy{T}, OnError)"/>
    public DataStream<T> WithTimestamps(Func<T, long> timestamp, WatermarkStrategy<T> watermarks, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(timestamp);
        ArgumentNullException.ThrowIfNull(watermarks);
        return Timestamps(timestamp, watermarks, onError);
    }

    /// <summary>Keeps the times that the source gave, and says how far event time has come.</summary>
    /// <inheritdoc cref="WithTimestamps(Func{T, DateTimeOffset}, WatermarkStrategy{T}, OnError)"/>
    public DataStream<T> WithTimestamps(WatermarkStrategy<T> watermarks, OnError onError = OnError.Fail)
    {
        ArgumentNullException.ThrowIfNull(watermarks);
        return Timestamps(null, watermarks, onError);
    }

    private static WatermarkStrategy<T> Bounded(TimeSpan maxOutOfOrderness, TimeSpan? idleAfter)
    {
        var bounded = WatermarkStrategy.BoundedOutOfOrderness<T>(maxOutOfOrderness);
        return idleAfter is { } after ? bounded.WithIdleness(after) : bounded;
    }

    private DataStream<T> Timestamps(Func<T, long>? timestamp, WatermarkStrategy<T> watermarks, OnError onError)
    {
        var node = _graph.Add(new TimestampNode<T>(_graph, _graph.NextName("timestamps"), timestamp, watermarks, onError));
        node.Describe();
        Connect(node);
        node.Check();
        return new DataStream<T>(_graph, node.Port);
    }
}
