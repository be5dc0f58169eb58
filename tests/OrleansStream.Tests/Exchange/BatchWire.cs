using System.Buffers;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using OrleansStream.Exchange;

namespace OrleansStream.Tests.Exchange;

/// <summary>Writes batches as a silo does for another, and reads them as that one does.</summary>
internal static class BatchWire
{
    private static readonly Serializer Serializer = new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();

    public delegate void Writing(ref Writer<ArrayBufferWriter<byte>> writer);

    public static byte[] Write(Batch? batch) => Serializer.SerializeToArray(batch);

    public static Batch<T> Read<T>(byte[] bytes) => (Batch<T>)Read(bytes);

    public static Batch Read(byte[] bytes) => Serializer.Deserialize<Batch>(bytes)!;

    public static Envelope RoundTrip(Envelope envelope) => Serializer.Deserialize<Envelope>(Serializer.SerializeToArray(envelope))!;

    public static Batch? RoundTrip(Batch? batch) => Serializer.Deserialize<Batch?>(Write(batch));

    /// <summary>Reads what comes in pieces of a few bytes.</summary>
    public static Batch<T> ReadInPieces<T>(byte[] bytes, int pieceBytes)
    {
        Piece? first = null, last = null;
        foreach (var piece in bytes.Chunk(pieceBytes))
        {
            last = new Piece(piece, last);
            first ??= last;
        }

        return (Batch<T>)Serializer.Deserialize<Batch>(new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length))!;
    }

    /// <summary>Bytes that no codec would write.</summary>
    public static byte[] Forge(Writing write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var session = Serializer.SessionPool.GetSession();
        var writer = Writer.Create(buffer, session);
        write(ref writer);
        writer.Commit();
        return buffer.WrittenSpan.ToArray();
    }

    public static Batch<T> Batch<T>(IReadOnlyList<T> values, Func<int, long> timestamp, bool keyed, int? capacity = null)
    {
        var batch = new Batch<T>(capacity ?? values.Count, keyed);
        for (var i = 0; i < values.Count; i++)
        {
            batch.Values[i] = values[i];
            batch.Timestamps[i] = timestamp(i);
            if (keyed) batch.KeyHashes![i] = (ulong)i * 0x9E3779B97F4A7C15;
        }

        batch.Count = values.Count;
        return batch;
    }

    public static void AssertSame<T>(Batch<T> sent, Batch<T> received)
    {
        Assert.Equal(sent.Count, received.Count);
        Assert.Equal(sent.Values[..sent.Count], received.Values[..received.Count]);
        Assert.Equal(sent.Timestamps[..sent.Count], received.Timestamps[..received.Count]);
        Assert.Equal(sent.KeyHashes?[..sent.Count], received.KeyHashes?[..received.Count]);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(byte[] bytes, Piece? before)
        {
            Memory = bytes;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
