using System.Buffers.Binary;
using System.IO.Hashing;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrleansStream.State;

/// <summary>Integers and characters: their little-endian bytes.</summary>
internal sealed class PrimitiveKeyCodec<T>(string signature) : KeyCodec<T>
    where T : unmanaged
{
    public override string Signature => signature;

    public override int MaxLength(T key) => Unsafe.SizeOf<T>();

    public override int Encode(T key, Span<byte> target)
    {
        MemoryMarshal.Write(target, in key);
        if (!BitConverter.IsLittleEndian) target[..Unsafe.SizeOf<T>()].Reverse();
        return Unsafe.SizeOf<T>();
    }

    [MethodImpl(Compilation.AtOnce)]
    public override T Read(ref ReadOnlySpan<byte> source)
    {
        T key = default;
        var bytes = MemoryMarshal.AsBytes(new Span<T>(ref key));
        source[..Unsafe.SizeOf<T>()].CopyTo(bytes);
        if (!BitConverter.IsLittleEndian) bytes.Reverse();
        source = source[Unsafe.SizeOf<T>()..];
        return key;
    }

    public override ulong Hash(T key)
    {
        // The two common widths are computed in registers; the result is that of the library over the same bytes.
        if (Unsafe.SizeOf<T>() == 4) return XxHash3Of4(Unsafe.BitCast<T, uint>(key));
        if (Unsafe.SizeOf<T>() == 8) return XxHash3Of8(Unsafe.BitCast<T, ulong>(key));
        return base.Hash(key);
    }

    public override void Hash(ReadOnlySpan<T> keys, Span<ulong> hashes)
    {
        hashes = hashes[..keys.Length];
        for (var i = 0; i < keys.Length; i++) hashes[i] = Hash(keys[i]);
    }

    private static ulong XxHash3Of4(uint key) => Finish(((ulong)key << 32) + key, 4);

    private static ulong XxHash3Of8(ulong key) => Finish(BitOperations.RotateLeft(key, 32), 8);

    // XXH3_len_4to8_64b of the reference implementation with seed 0: first half of the input above, second half below.
    private static ulong Finish(ulong halvesSwapped, ulong length)
    {
        var h = halvesSwapped ^ 0xC73AB174C5ECD5A2UL;
        h ^= BitOperations.RotateLeft(h, 49) ^ BitOperations.RotateLeft(h, 24);
        h *= 0x9FB21C651E98DF25UL;
        h ^= (h >> 35) + length;
        h *= 0x9FB21C651E98DF25UL;
        return h ^ (h >> 28);
    }
}

/// <summary>One byte, 0 or 1: a bool in memory may have other bits set.</summary>
internal sealed class BooleanKeyCodec : KeyCodec<bool>
{
    public override string Signature => "bool";

    public override int MaxLength(bool key) => 1;

    public override int Encode(bool key, Span<byte> target)
    {
        target[0] = key ? (byte)1 : (byte)0;
        return 1;
    }

    [MethodImpl(Compilation.AtOnce)]
    public override bool Read(ref ReadOnlySpan<byte> source)
    {
        var key = source[0] != 0;
        source = source[1..];
        return key;
    }
}

/// <summary>The 16 bytes of <see cref="Guid.ToByteArray()"/>.</summary>
internal sealed class GuidKeyCodec : KeyCodec<Guid>
{
    public override string Signature => "guid";

    public override int MaxLength(Guid key) => 16;

    public override int Encode(Guid key, Span<byte> target)
    {
        key.TryWriteBytes(target);
        return 16;
    }

    [MethodImpl(Compilation.AtOnce)]
    public override Guid Read(ref ReadOnlySpan<byte> source)
    {
        var key = new Guid(source[..16]);
        source = source[16..];
        return key;
    }
}

/// <summary>The number of UTF-16 code units as four bytes, then the code units: no transcoding, and lone surrogates stay distinct.</summary>
internal sealed class StringKeyCodec : KeyCodec<string>
{
    public override string Signature => "string";

    public override int MaxLength(string key) => key is null ? throw NullKey() : checked(4 + (key.Length * 2));

    public override int Encode(string key, Span<byte> target)
    {
        if (key is null) throw NullKey();
        BinaryPrimitives.WriteInt32LittleEndian(target, key.Length);
        WriteUnits(key, target[4..]);
        return 4 + (key.Length * 2);
    }

    [MethodImpl(Compilation.AtOnce)]
    public override string Read(ref ReadOnlySpan<byte> source)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(source);
        var bytes = source.Slice(4, checked(length * 2));
        source = source[(4 + bytes.Length)..];
        if (BitConverter.IsLittleEndian) return new string(MemoryMarshal.Cast<byte, char>(bytes));
        var units = new char[length];
        for (var i = 0; i < length; i++) units[i] = (char)BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]);
        return new string(units);
    }

    public override ulong Hash(string key)
    {
        if (key is null) throw NullKey();
        if (BitConverter.IsLittleEndian) return XxHash3.HashToUInt64(MemoryMarshal.AsBytes(key.AsSpan()));
        var bytes = new byte[key.Length * 2];
        WriteUnits(key, bytes);
        return XxHash3.HashToUInt64(bytes);
    }

    public override void Hash(ReadOnlySpan<string> keys, Span<ulong> hashes)
    {
        hashes = hashes[..keys.Length];
        for (var i = 0; i < keys.Length; i++) hashes[i] = Hash(keys[i]);
    }

    private static void WriteUnits(string key, Span<byte> target)
    {
        if (BitConverter.IsLittleEndian)
        {
            MemoryMarshal.AsBytes(key.AsSpan()).CopyTo(target);
            return;
        }

        for (var i = 0; i < key.Length; i++) BinaryPrimitives.WriteUInt16LittleEndian(target[(2 * i)..], key[i]);
    }
}
