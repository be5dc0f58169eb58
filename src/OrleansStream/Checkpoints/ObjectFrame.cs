using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;

namespace OrleansStream.Checkpoints;

/// <summary>What a framed object holds.</summary>
internal enum ObjectKind : byte
{
    /// <summary>An entry of an attempt's log.</summary>
    LogEntry = 1,

    /// <summary>A checkpoint's manifest.</summary>
    Manifest = 2,
}

/// <summary>
/// The frame around every small object. Invariant: a payload that comes out is, bit for bit, the one that went in, and nothing was cut off or
/// added; whatever else is found is damage and is named.
/// </summary>
/// <remarks>
/// <code>
/// offset  0  4 bytes  magic "OStr"
///         4  1        format version
///         5  1        kind
///         6  2        zero
///         8  8        payload length, little-endian
///        16 16        XxHash128 over bytes 0..15 and the payload
///        32           payload
/// </code>
/// </remarks>
internal static class ObjectFrame
{
    public const int HeaderBytes = 32;
    public const byte Version = 1;

    private const int ChecksumOffset = 16;

    private static ReadOnlySpan<byte> Magic => "OStr"u8;

    /// <summary>Puts a frame around a payload.</summary>
    public static byte[] Wrap(ObjectKind kind, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[HeaderBytes + payload.Length];
        Magic.CopyTo(frame);
        frame[4] = Version;
        frame[5] = (byte)kind;
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(8), payload.Length);
        payload.CopyTo(frame.AsSpan(HeaderBytes));
        WriteChecksum(frame, frame.AsSpan(ChecksumOffset, HeaderBytes - ChecksumOffset));
        return frame;
    }

    /// <summary>Takes the payload out of its frame.</summary>
    /// <exception cref="DamagedObjectException">The frame is not the one that was written.</exception>
    public static ReadOnlyMemory<byte> Unwrap(string name, ObjectKind kind, ReadOnlyMemory<byte> frame)
    {
        var bytes = frame.Span;
        if (bytes.Length < HeaderBytes) throw Damaged(name, $"it ends after {bytes.Length} bytes, within its header of {HeaderBytes}");
        if (!bytes[..4].SequenceEqual(Magic)) throw Damaged(name, "it does not begin with the mark of a checkpoint object");

        var expected = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]);
        var actual = bytes.Length - HeaderBytes;
        if (actual < expected) throw Damaged(name, $"it was cut short, or its header changed: {actual} of {expected} payload bytes are there");
        if (actual > expected) throw Damaged(name, $"bytes were added, or its header changed: {actual} payload bytes where {expected} were written");

        Span<byte> checksum = stackalloc byte[HeaderBytes - ChecksumOffset];
        WriteChecksum(bytes, checksum);
        if (!bytes[ChecksumOffset..HeaderBytes].SequenceEqual(checksum)) throw Damaged(name, "its checksum does not match: bytes changed since it was written");
        if (bytes[4] != Version)
            throw Damaged(name, $"it has format version {bytes[4]}, and this build reads version {Version}: run the build that wrote it, or a newer one");
        if (bytes[5] != (byte)kind) throw Damaged(name, $"it holds kind {bytes[5]} where a {kind} ({(byte)kind}) belongs");
        return frame[HeaderBytes..];
    }

    /// <summary>The checksum by which one object names another: hexadecimal XxHash128 of all its bytes.</summary>
    public static string Checksum(ReadOnlySpan<byte> bytes) => XxHash128.HashToUInt128(bytes).ToString("x32", CultureInfo.InvariantCulture);

    private static void WriteChecksum(ReadOnlySpan<byte> frame, Span<byte> checksum)
    {
        var hash = new XxHash128();
        hash.Append(frame[..ChecksumOffset]);
        hash.Append(frame[HeaderBytes..]);
        hash.GetCurrentHash(checksum);
    }

    private static DamagedObjectException Damaged(string name, string problem) => new(name, problem + ".");
}
