using System.Buffers.Binary;
using System.IO.Hashing;

namespace OrleansStream.State;

/// <summary>The end of a segment while it is encoded: notes where each block lies, then writes footer and trailer.</summary>
internal sealed class SegmentIndex : IDisposable
{
    private const int CountAt = sizeof(long);

    private readonly SegmentBuffer _footer = new();
    private readonly int _headerBytes;
    private int _blocks;
    private long _end;

    public SegmentIndex(ReadOnlySpan<byte> header)
    {
        _headerBytes = header.Length;
        _end = header.Length;
        _footer.WriteInt64((long)XxHash3.HashToUInt64(header));
        _footer.WriteInt32(0);
    }

    /// <summary>Notes the next block.</summary>
    public void Add(int group, ReadOnlySpan<byte> block)
    {
        _blocks++;
        _footer.WriteInt32(group);
        _footer.WriteInt64(_end);
        _footer.WriteInt32(block.Length);
        _footer.WriteInt64((long)XxHash3.HashToUInt64(block));
        _end += block.Length;
    }

    /// <summary>Appends footer and trailer to the last piece.</summary>
    public void WriteTo(SegmentBuffer piece)
    {
        _footer.PatchInt32(CountAt, _blocks);
        piece.WriteBytes(_footer.Written);
        Span<byte> trailer = stackalloc byte[SegmentFormat.TrailerBytes];
        BinaryPrimitives.WriteInt64LittleEndian(trailer, _end);
        BinaryPrimitives.WriteInt32LittleEndian(trailer[8..], _footer.Length);
        BinaryPrimitives.WriteInt32LittleEndian(trailer[12..], _headerBytes);
        BinaryPrimitives.WriteInt64LittleEndian(trailer[16..], (long)XxHash3.HashToUInt64(_footer.Written));
        BinaryPrimitives.WriteInt64LittleEndian(trailer[24..], SegmentFormat.TrailerMagic);
        BinaryPrimitives.WriteInt64LittleEndian(trailer[32..], (long)XxHash3.HashToUInt64(trailer[..32]));
        piece.WriteBytes(trailer);
    }

    public void Dispose() => _footer.Dispose();
}
