using System.IO.Hashing;
using OrleansStream.Checkpoints;

namespace OrleansStream.State;

/// <summary>
/// Reads a segment by parts: the end first, then the header, then the blocks of the key groups that are wanted. Every part is held against its checksum
/// before it is looked at; when all blocks are read, the whole is held against the manifest's checksum too.
/// </summary>
internal sealed class SegmentReader
{
    private const int TailBytes = 64 * 1024;

    private readonly ICheckpointStore _store;
    private readonly SegmentRef _segment;
    private readonly XxHash128 _whole = new();
    private ReadOnlyMemory<byte> _tail;
    private ReadOnlyMemory<byte> _footAndTrailer;
    private IndexEntry[] _index = [];

    private SegmentReader(ICheckpointStore store, SegmentRef segment)
    {
        _store = store;
        _segment = segment;
    }

    /// <summary>The most bytes that one read asks for, unless a single block is larger.</summary>
    public int LargestReadBytes { get; init; } = 8 * 1024 * 1024;

    public string Name => _segment.Name;

    public SegmentHeader Header { get; private set; } = null!;

    /// <summary>Reads the end and the header of a segment.</summary>
    /// <exception cref="DamagedObjectException">The segment is missing, cut short or changed.</exception>
    public static async ValueTask<SegmentReader> OpenAsync(ICheckpointStore store, SegmentRef segment, CancellationToken cancellation)
    {
        var reader = new SegmentReader(store, segment);
        await reader.ReadEndAsync(cancellation);
        return reader;
    }

    /// <summary>Reads the blocks of the wanted key groups and hands them over in the order in which they lie; a group may have several.</summary>
    public async ValueTask ReadBlocksAsync(KeyGroupRange wanted, Action<int, ReadOnlyMemory<byte>> take, CancellationToken cancellation)
    {
        for (var first = 0; first < _index.Length;)
        {
            if (!wanted.Contains(_index[first].Group))
            {
                first++;
                continue;
            }

            var end = first + 1;
            while (end < _index.Length && wanted.Contains(_index[end].Group) && _index[end].End - _index[first].Offset <= LargestReadBytes) end++;
            var start = _index[first].Offset;
            var run = await ReadAsync(start, checked((int)(_index[end - 1].End - start)), cancellation);
            _whole.Append(run.Span);
            for (; first < end; first++)
            {
                var entry = _index[first];
                var block = run.Slice((int)(entry.Offset - start), entry.Length);
                Check(block.Span, entry.Hash, $"the block of key group {entry.Group}");
                take(entry.Group, block);
            }
        }

        if (_index.All(entry => wanted.Contains(entry.Group))) CheckWhole();
    }

    private async ValueTask ReadEndAsync(CancellationToken cancellation)
    {
        if (_segment.LengthBytes < SegmentFormat.TrailerBytes) throw Damaged($"the manifest gives it {_segment.LengthBytes} bytes, fewer than any segment has");
        var tailBytes = (int)Math.Min(_segment.LengthBytes, TailBytes);

        // One byte more than there should be, to notice when there is more.
        var tail = await _store.ReadRangeAsync(Name, _segment.LengthBytes - tailBytes, tailBytes + 1, cancellation) ?? throw Damaged("it is missing");
        if (tail.Length < tailBytes) throw Damaged($"it has fewer bytes than the {_segment.LengthBytes} that the manifest gives it");
        if (tail.Length > tailBytes) throw Damaged($"it has more bytes than the {_segment.LengthBytes} that the manifest gives it");
        _tail = tail;

        var trailer = tail[^SegmentFormat.TrailerBytes..];
        var (footerOffset, footerLength, headerLength, footerHash) = ReadTrailer(trailer.Span);
        var end = footerOffset + footerLength + SegmentFormat.TrailerBytes;
        if (footerLength < 12 || headerLength < 0 || headerLength > footerOffset || end != _segment.LengthBytes)
        {
            throw Damaged("the lengths of its parts do not add up to its length");
        }

        // Of very many blocks the index is longer than the tail that was read.
        _footAndTrailer = await ReadAsync(footerOffset, footerLength + SegmentFormat.TrailerBytes, cancellation);
        var footer = _footAndTrailer[..footerLength];
        Check(footer.Span, footerHash, "the footer");
        var headerHash = ReadIndex(footer.Span, headerLength, footerOffset);
        var header = await ReadAsync(0, headerLength, cancellation);
        Check(header.Span, headerHash, "the header");
        Header = SegmentHeader.Read(header.Span, Name);
        _whole.Append(header.Span);
    }

    private (long FooterOffset, int FooterLength, int HeaderLength, ulong FooterHash) ReadTrailer(ReadOnlySpan<byte> trailer)
    {
        var hashed = trailer[..^sizeof(long)];
        var footerOffset = SegmentBuffer.ReadInt64(ref trailer);
        var footerLength = SegmentBuffer.ReadInt32(ref trailer);
        var headerLength = SegmentBuffer.ReadInt32(ref trailer);
        var footerHash = (ulong)SegmentBuffer.ReadInt64(ref trailer);
        var magic = SegmentBuffer.ReadInt64(ref trailer);
        Check(hashed, (ulong)SegmentBuffer.ReadInt64(ref trailer), "the trailer");
        if (magic != SegmentFormat.TrailerMagic) throw Damaged("it does not end like a state segment");
        return (footerOffset, footerLength, headerLength, footerHash);
    }

    private ulong ReadIndex(ReadOnlySpan<byte> footer, int headerLength, long footerOffset)
    {
        var headerHash = (ulong)SegmentBuffer.ReadInt64(ref footer);
        var count = SegmentBuffer.ReadInt32(ref footer);
        if (footer.Length != (long)count * SegmentFormat.IndexEntryBytes) throw Damaged("its index is longer or shorter than its number of blocks");
        _index = new IndexEntry[count];
        long end = headerLength;
        for (var i = 0; i < _index.Length; i++)
        {
            var group = SegmentBuffer.ReadInt32(ref footer);
            var offset = SegmentBuffer.ReadInt64(ref footer);
            var length = SegmentBuffer.ReadInt32(ref footer);
            _index[i] = new IndexEntry(group, offset, length, (ulong)SegmentBuffer.ReadInt64(ref footer));
            if (offset != end) throw Damaged($"the block of key group {group} does not begin where the one before it ends");
            end += length;
        }

        return end == footerOffset ? headerHash : throw Damaged("its blocks do not end where the footer begins");
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadAsync(long offset, int length, CancellationToken cancellation)
    {
        var tailOffset = _segment.LengthBytes - _tail.Length;
        if (offset >= tailOffset) return _tail.Slice((int)(offset - tailOffset), length);
        var bytes = await _store.ReadRangeAsync(Name, offset, length, cancellation) ?? throw Damaged("it is missing");
        return bytes.Length == length ? bytes : throw Damaged($"{length} bytes at {offset} were asked for, {bytes.Length} are there");
    }

    private void CheckWhole()
    {
        _whole.Append(_footAndTrailer.Span);
        var checksum = Convert.ToHexStringLower(_whole.GetCurrentHash());
        if (checksum == _segment.Checksum) return;
        throw Damaged($"it is whole, but has the checksum {checksum} and the manifest names {_segment.Checksum}: it is another segment of the same length");
    }

    private void Check(ReadOnlySpan<byte> bytes, ulong hash, string part)
    {
        if (XxHash3.HashToUInt64(bytes) != hash) throw Damaged($"{part} does not have the checksum that it was written with");
    }

    private DamagedObjectException Damaged(string problem) => new(Name, problem + ".");

    private readonly record struct IndexEntry(int Group, long Offset, int Length, ulong Hash)
    {
        public long End => Offset + Length;
    }
}
