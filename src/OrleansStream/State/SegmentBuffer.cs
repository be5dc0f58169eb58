using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace OrleansStream.State;

/// <summary>Bytes being written, in one growing array from the pool, so that lengths can be filled in afterwards. All numbers are little-endian.</summary>
internal sealed class SegmentBuffer : IBufferWriter<byte>, IDisposable
{
    private const int FirstBytes = 1024;

    private byte[] _bytes = [];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>The same as <see cref="Written"/>; the memory is the buffer's, until it is cleared, written to or disposed.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, Length);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_bytes.Length - Length));
        Length += count;
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(1, sizeHint));
        return _bytes.AsSpan(Length);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(1, sizeHint));
        return _bytes.AsMemory(Length);
    }

    /// <summary>Leaves room to be patched and returns where it is.</summary>
    public int Skip(int count)
    {
        var at = Length;
        Claim(count).Clear();
        return at;
    }

    /// <summary>Leaves room that the caller fills at once; it holds anything before.</summary>
    public Span<byte> Claim(int count)
    {
        Reserve(count);
        Length += count;
        return _bytes.AsSpan(Length - count, count);
    }

    /// <summary>Empties the buffer and keeps its memory.</summary>
    public void Clear() => Length = 0;

    public void PatchInt32(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(at), value);

    public void WriteByte(byte value)
    {
        if (Length == _bytes.Length) Reserve(1);
        _bytes[Length++] = value;
    }

    public void WriteInt32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(GetSpan(sizeof(int)), value);
        Length += sizeof(int);
    }

    public void WriteInt64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(GetSpan(sizeof(long)), value);
        Length += sizeof(long);
    }

    public void WriteBytes(ReadOnlySpan<byte> value)
    {
        value.CopyTo(GetSpan(value.Length));
        Length += value.Length;
    }

    public void WriteString(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        WriteInt32(bytes.Length);
        WriteBytes(bytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte ReadByte(ref ReadOnlySpan<byte> source)
    {
        var value = source[0];
        source = source[1..];
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ReadInt32(ref ReadOnlySpan<byte> source)
    {
        var value = BinaryPrimitives.ReadInt32LittleEndian(source);
        source = source[sizeof(int)..];
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long ReadInt64(ref ReadOnlySpan<byte> source)
    {
        var value = BinaryPrimitives.ReadInt64LittleEndian(source);
        source = source[sizeof(long)..];
        return value;
    }

    public static ReadOnlySpan<byte> ReadBytes(ref ReadOnlySpan<byte> source)
    {
        var length = ReadInt32(ref source);
        var value = source[..length];
        source = source[length..];
        return value;
    }

    public static string ReadString(ref ReadOnlySpan<byte> source) => Encoding.UTF8.GetString(ReadBytes(ref source));

    /// <summary>Gives the array back; the buffer is empty afterwards.</summary>
    public void Dispose()
    {
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        Length = 0;
    }

    private void Reserve(int count)
    {
        if (_bytes.Length - Length >= count) return;
        var needed = (long)Length + count;
        if (needed > Array.MaxLength)
        {
            throw new Jobs.StreamException(
                $"One value of a snapshot, or its index, has more than {Array.MaxLength} bytes: keep less in one value, list or blob of state.");
        }

        var grown = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, Math.Max(needed, Math.Max(FirstBytes, 2L * _bytes.Length))));
        Written.CopyTo(grown);
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = grown;
    }
}
