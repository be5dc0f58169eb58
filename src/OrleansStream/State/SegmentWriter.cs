using System.IO.Hashing;
using Orleans.Serialization.Session;

namespace OrleansStream.State;

/// <summary>Writes a segment piece by piece: the header begins the first, footer and trailer end the last. Its memory serves one piece after another.</summary>
internal sealed class SegmentWriter : IDisposable
{
    private readonly SegmentHeader _header;
    private readonly SerializerSession _session;
    private readonly SegmentBlocks _blocks;
    private readonly IEnumerator<SegmentBlocks> _fillings;
    private readonly SegmentBuffer _piece = new();
    private readonly XxHash128 _whole = new();
    private SegmentIndex? _index;
    private long _length;
    private int _number;

    /// <param name="header">The segment's header.</param>
    /// <param name="pieceBytes">About how much one piece holds.</param>
    /// <param name="session">For writing values; disposed with the writer.</param>
    /// <param name="isReleased">Asked at each page: whether to stop.</param>
    /// <param name="encode">Writes the content, and gives way whenever the blocks are full.</param>
    public SegmentWriter(
        SegmentHeader header, int pieceBytes, SerializerSession session, Func<bool> isReleased, Func<SegmentBlocks, IEnumerable<SegmentBlocks>> encode)
    {
        _header = header;
        _session = session;
        _blocks = new SegmentBlocks(header.Groups, header.MaxParallelism, pieceBytes, session, isReleased);
        _fillings = encode(_blocks).GetEnumerator();
    }

    /// <summary>Writes the next piece; not to be called after the last.</summary>
    public SegmentPiece Next()
    {
        _piece.Clear();
        if (_index is null)
        {
            _header.Write(_piece);
            _index = new SegmentIndex(_piece.Written);
        }

        var isLast = !_fillings.MoveNext();
        _blocks.ThrowIfReleased();
        _blocks.MoveTo(_piece, _index);
        if (isLast) _index.WriteTo(_piece);
        _whole.Append(_piece.Written);
        _length += _piece.Length;
        var whole = isLast ? new EncodedSegment(_length, Convert.ToHexStringLower(_whole.GetCurrentHash()), _header.Base is null) : null;
        return new SegmentPiece(_number++, _piece.WrittenMemory, whole);
    }

    /// <summary>Gives the memory back, that of the pieces too.</summary>
    public void Dispose()
    {
        _fillings.Dispose();
        _blocks.Dispose();
        _index?.Dispose();
        _piece.Dispose();
        _session.Dispose();
    }
}

/// <summary>A piece of a segment: what comes behind the pieces before it.</summary>
/// <param name="Number">Its number; the first has 0.</param>
/// <param name="Content">Its bytes, until the next piece is encoded or the snapshot is disposed.</param>
/// <param name="Whole">The segment that is complete with this piece; null while there is more.</param>
internal readonly record struct SegmentPiece(int Number, ReadOnlyMemory<byte> Content, EncodedSegment? Whole);

/// <summary>A segment all of whose pieces were encoded.</summary>
/// <param name="LengthBytes">The bytes of all pieces.</param>
/// <param name="Checksum">XxHash128 of all bytes, in lower-case hex.</param>
/// <param name="Full">Whether it is complete by itself.</param>
internal sealed record EncodedSegment(long LengthBytes, string Checksum, bool Full);
