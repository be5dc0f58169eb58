using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.GeneratedCodeHelpers;
using Orleans.Serialization.Serializers;
using Orleans.Serialization.WireProtocol;

namespace OrleansStream.Exchange;

/// <summary>
/// A batch between two silos: its columns as bytes, without a copy in between, and only what it holds of them. Values without references go as they are in
/// memory, others by their own serializers. It is read into a batch of the pool, which the receiver gives back when it has processed it.
/// Invariants: bytes that say they hold more records than they can are refused before anything is made for them; a batch that could not be read to its end is left
/// to the garbage collector; the sender's batch is only read.
/// </summary>
/// <remarks>
/// Field 0 is the count. Field 1 has the shape: bit 0 for key hashes, bits 4 to 7 for the bytes of a timestamp, from bit 8 the bytes of a
/// raw value, 0 when values go by their serializer. Field 2 has the columns: the least timestamp, timestamps, key hashes, raw values. Each field behind it is
/// another value; one with a number of its own begins anew with what it may refer back to.
/// </remarks>
[RegisterSerializer]
internal sealed class BatchCodec<T>(ICodecProvider codecs) : IFieldCodec<Batch<T>>
{
    private const int CountField = 0, ShapeField = 1, ColumnsField = 2;
    private const uint KeyedBit = 1;

    /// <summary>After how many values the objects in them are forgotten. The serializer remembers a few dozen in an array, and more in a dictionary that it makes for each message.</summary>
    private const int Remembered = 16;

    private static readonly uint RawSize = RawLayout<T>.IsUsable ? (uint)Unsafe.SizeOf<T>() : 0;

    private IFieldCodec<T>? _values;

    private IFieldCodec<T> ValueCodec => _values ??= OrleansGeneratedCodeHelper.GetService<IFieldCodec<T>>(this, codecs);

    /// <inheritdoc/>
    public void WriteField<TBuffer>(ref Writer<TBuffer> writer, uint fieldIdDelta, Type? expectedType, Batch<T>? value)
        where TBuffer : IBufferWriter<byte>
    {
        if (value is null)
        {
            ReferenceCodec.WriteNullReference(ref writer, fieldIdDelta);
            return;
        }

        // A batch has one owner, so it is in a message once and takes no part in its references. Its count is read once: see GrainSubtaskNetwork.
        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(Batch<T>), WireType.TagDelimited);
        var count = value.Count;
        var timestamps = value.Timestamps.AsSpan(0, count);
        var (least, width) = TimestampColumn.Measure(timestamps);
        UInt32Codec.WriteField(ref writer, CountField, (uint)count);
        UInt32Codec.WriteField(ref writer, ShapeField - CountField, (value.KeyHashes is null ? 0 : KeyedBit) | ((uint)width << 4) | (RawSize << 8));

        writer.WriteFieldHeaderExpected(ColumnsField - ShapeField, WireType.LengthPrefixed);
        writer.WriteVarUInt32(checked((uint)(8 + (count * RowSize(width, value.KeyHashes is not null)))));
        writer.WriteInt64(least);
        TimestampColumn.Write(ref writer, timestamps, least, width);
        if (value.KeyHashes is { } hashes) writer.Write(MemoryMarshal.AsBytes(hashes.AsSpan(0, count)));
        if (RawSize > 0)
        {
            writer.Write(RawLayout<T>.Bytes(value.Values, count));
        }
        else
        {
            WriteValues(ref writer, value.Values.AsSpan(0, count));
        }

        writer.WriteEndObject();
    }

    /// <summary>
    /// Writes values by their serializer. Within a few values an object that comes again is written as a reference to the first time; it pays to forget objects
    /// then, unless the values share something large: when the second half of the first few took less than half of the first, nothing is forgotten.
    /// </summary>
    private void WriteValues<TBuffer>(ref Writer<TBuffer> writer, ReadOnlySpan<T> values)
        where TBuffer : IBufferWriter<byte>
    {
        var codec = ValueCodec;
        var begin = writer.Position;
        var half = begin;
        var forgets = false;
        for (var i = 0; i < values.Length; i++)
        {
            if (i == Remembered / 2) half = writer.Position;
            if (i == Remembered) forgets = (writer.Position - half) * 2L >= half - begin;
            var isNew = i == 0 || (forgets && i % Remembered == 0);
            if (isNew) writer.Session.ReferencedObjects.Reset();
            codec.WriteField(ref writer, isNew ? 1u : 0, typeof(T), values[i]);
        }
    }

    /// <inheritdoc/>
    public Batch<T> ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.WireType == WireType.Reference) return ReferenceCodec.ReadReference<Batch<T>, TInput>(ref reader, field)!;
        try
        {
            field.EnsureWireTypeTagDelimited();
            ReferenceCodec.MarkValueField(reader.Session);
            return Read(ref reader);
        }
        catch (Exception error)
        {
            throw new SerializerException($"A batch of {typeof(T)} from another silo could not be read: {error.Message}", error);
        }
    }

    private Batch<T> Read<TInput>(ref Reader<TInput> reader)
    {
        var count = UInt32Codec.ReadValue(ref reader, Expect(ref reader, CountField));
        var shape = UInt32Codec.ReadValue(ref reader, Expect(ref reader, ShapeField - CountField));
        var isKeyed = (shape & KeyedBit) != 0;
        var width = (int)(shape >> 4) & 0xF;
        if (width is not (0 or 2 or 4 or 8) || (shape & 0xE) != 0) throw new SerializerException($"Its shape {shape:x} is none.");
        if (shape >> 8 != RawSize)
        {
            throw new SerializerException($"A record takes {shape >> 8} bytes in the sender's memory and {RawSize} here: all silos that run an attempt must have the same build.");
        }

        Expect(ref reader, ColumnsField - ShapeField).EnsureWireType(WireType.LengthPrefixed);
        var length = reader.ReadVarUInt32();
        if (length != 8 + (count * RowSize(width, isKeyed))) throw new SerializerException($"Its columns of {length} bytes are not those of {count} records.");

        // Values that go by their serializer take a byte each at least, so that the message's own length bounds what is made for it.
        if (length + (RawSize > 0 ? 0L : count) > reader.Remaining) throw new SerializerException($"{reader.Remaining} bytes cannot hold its {count} records.");
        return ReadColumns(ref reader, (int)count, isKeyed, width);
    }

    private Batch<T> ReadColumns<TInput>(ref Reader<TInput> reader, int count, bool isKeyed, int width)
    {
        var batch = BatchPool<T>.Rent(count > BatchSize.Small ? Math.Max(count, BatchSize.Full) : count, isKeyed);
        var least = reader.ReadInt64();
        TimestampColumn.Read(ref reader, batch.Timestamps.AsSpan(0, count), least, width);
        if (isKeyed) reader.ReadBytes(MemoryMarshal.AsBytes(batch.KeyHashes.AsSpan(0, count)));
        if (RawSize > 0)
        {
            reader.ReadBytes(RawLayout<T>.Bytes(batch.Values, count));
        }
        else
        {
            ReadValues(ref reader, batch.Values.AsSpan(0, count));
        }

        if (!reader.ReadFieldHeader().IsEndObject) throw new SerializerException($"It goes on behind its {count} records.");
        batch.Count = count;
        return batch;
    }

    private void ReadValues<TInput>(ref Reader<TInput> reader, Span<T> values)
    {
        var codec = ValueCodec;
        foreach (ref var value in values)
        {
            var header = reader.ReadFieldHeader();
            if (header.IsEndBaseOrEndObject) throw new SerializerException($"It ends before its {values.Length} records.");
            if (header.FieldIdDelta != 0) reader.Session.ReferencedObjects.Reset();
            value = codec.ReadValue(ref reader, header)!;
        }
    }

    /// <summary>The bytes of one record in the columns.</summary>
    private static long RowSize(int width, bool isKeyed) => width + (isKeyed ? 8 : 0) + RawSize;

    private static Field Expect<TInput>(ref Reader<TInput> reader, uint delta)
    {
        var header = reader.ReadFieldHeader();
        if (header.IsEndBaseOrEndObject || header.FieldIdDelta != delta) throw new SerializerException("One of its fields is missing.");
        return header;
    }
}
