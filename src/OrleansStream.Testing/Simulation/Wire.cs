using OrleansStream.Exchange;
using Barrier = OrleansStream.Exchange.Barrier;

namespace OrleansStream.Testing.Simulation;

/// <summary>What arrives when an envelope goes from one silo to another: the same message in columns of its own.</summary>
internal static class Wire
{
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<Type, Func<Batch, Batch>> Copies = new();

    public static Envelope Copy(Envelope envelope) => With(envelope, envelope.Batch is { } batch ? Copy(batch) : null);

    public static Envelope With(Envelope envelope, Batch? batch, Barrier? barrier, long? sequence = null) => new()
    {
        Attempt = envelope.Attempt,
        From = envelope.From,
        FromIncarnation = envelope.FromIncarnation,
        ToIncarnation = envelope.ToIncarnation,
        Channel = envelope.Channel,
        Sequence = sequence ?? envelope.Sequence,
        Batch = batch,
        Watermark = envelope.Watermark,
        Idle = envelope.Idle,
        Barrier = barrier,
        End = envelope.End,
    };

    public static Batch? Copy(Batch? batch) => batch is null ? null : Copies.GetOrAdd(batch.GetType(), static type =>
        typeof(Wire).GetMethod(nameof(CopyOf), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
            .MakeGenericMethod(type.GetGenericArguments()).CreateDelegate<Func<Batch, Batch>>())(batch);

    private static Envelope With(Envelope envelope, Batch? batch) => With(envelope, batch, envelope.Barrier);

    private static Batch<T> CopyOf<T>(Batch batch)
    {
        var from = (Batch<T>)batch;
        return new(from.Values[..from.Count], from.Timestamps[..from.Count], from.KeyHashes?[..from.Count]);
    }
}
