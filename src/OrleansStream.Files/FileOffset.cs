using System.Buffers.Binary;
using OrleansStream.Jobs;

namespace OrleansStream;

/// <summary>Where the next record of a file begins: a byte position and, for messages, the line that holds it.</summary>
internal readonly record struct FileOffset(long Position, long Line)
{
    private const byte Version = 1;
    private const int EncodedBytes = 17;

    public static FileOffset Start => new(0, 1);

    public byte[] Encode()
    {
        var bytes = new byte[EncodedBytes];
        bytes[0] = Version;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(1), Position);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(9), Line);
        return bytes;
    }

    /// <summary>Reads an offset of a file of the given length; an empty one is the beginning.</summary>
    public static FileOffset Decode(ReadOnlySpan<byte> bytes, string file, long length)
    {
        if (bytes.IsEmpty) return Start;
        if (bytes.Length != EncodedBytes || bytes[0] != Version)
            throw new StreamException($"The saved offset of '{file}' is not one of a file ({bytes.Length} bytes). The checkpoint was taken of another kind of source.");
        var offset = new FileOffset(BinaryPrimitives.ReadInt64LittleEndian(bytes[1..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[9..]));
        if (offset.Position < 0 || offset.Position > length || offset.Line < 1)
            throw new StreamException($"The saved offset of '{file}' is byte {offset.Position}, but the file has {length} bytes.");
        return offset;
    }
}
