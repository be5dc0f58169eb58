using System.Buffers;
using System.Runtime.InteropServices;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;

namespace OrleansStream.Exchange;

/// <summary>
/// The timestamps of a batch between two silos: the least of them, and what each is above it in as few bytes as the largest of these needs. Records of
/// a batch are close in time, so that two bytes, or none, carry what takes eight in memory.
/// </summary>
internal static class TimestampColumn
{
    /// <summary>The least timestamp, and the bytes that each needs above it: 0, 2, 4 or 8.</summary>
    public static (long Least, int Width) Measure(ReadOnlySpan<long> timestamps)
    {
        if (timestamps.IsEmpty) return (0, 0);
        var least = timestamps[0];
        var most = least;
        foreach (var timestamp in timestamps)
        {
            least = Math.Min(least, timestamp);
            most = Math.Max(most, timestamp);
        }

        return (least, unchecked((ulong)most - (ulong)least) switch { 0 => 0, <= ushort.MaxValue => 2, <= uint.MaxValue => 4, _ => 8 });
    }

    public static void Write<TBuffer>(ref Writer<TBuffer> writer, ReadOnlySpan<long> timestamps, long least, int width)
        where TBuffer : IBufferWriter<byte>
    {
        switch (width)
        {
            case 0:
                return;
            case 2:
                while (!timestamps.IsEmpty)
                {
                    writer.EnsureContiguous(2);
                    var room = MemoryMarshal.Cast<byte, ushort>(writer.WritableSpan);
                    var count = Math.Min(room.Length, timestamps.Length);
                    for (var i = 0; i < count; i++) room[i] = unchecked((ushort)(timestamps[i] - least));
                    writer.AdvanceSpan(count * 2);
                    timestamps = timestamps[count..];
                }

                return;
            case 4:
                while (!timestamps.IsEmpty)
                {
                    writer.EnsureContiguous(4);
                    var room = MemoryMarshal.Cast<byte, uint>(writer.WritableSpan);
                    var count = Math.Min(room.Length, timestamps.Length);
                    for (var i = 0; i < count; i++) room[i] = unchecked((uint)(timestamps[i] - least));
                    writer.AdvanceSpan(count * 4);
                    timestamps = timestamps[count..];
                }

                return;
            default:
                writer.Write(MemoryMarshal.AsBytes(timestamps));
                return;
        }
    }

    /// <summary>Reads as many timestamps as there is room for.</summary>
    public static void Read<TInput>(ref Reader<TInput> reader, Span<long> timestamps, long least, int width)
    {
        // The short forms are read into the end of their own column and widened from its start: each value is written at or before where the next is read.
        var end = MemoryMarshal.AsBytes(timestamps)[(timestamps.Length * (8 - width))..];
        reader.ReadBytes(end);
        switch (width)
        {
            case 0:
                timestamps.Fill(least);
                return;
            case 2:
                var shorts = MemoryMarshal.Cast<byte, ushort>(end);
                for (var i = 0; i < timestamps.Length; i++) timestamps[i] = unchecked(least + shorts[i]);
                return;
            case 4:
                var ints = MemoryMarshal.Cast<byte, uint>(end);
                for (var i = 0; i < timestamps.Length; i++) timestamps[i] = unchecked(least + ints[i]);
                return;
            case 8:
                return;
            default:
                throw new SerializerException($"Timestamps of {width} bytes.");
        }
    }
}
