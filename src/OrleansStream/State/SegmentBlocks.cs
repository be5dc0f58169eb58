using System.Buffers.Binary;
using Orleans.Serialization.Session;

namespace OrleansStream.State;

// Contract: the blocks of a segment while it is encoded.
// - The encoder walks over pages, which lie in no order of groups. Entries are gathered one behind the other, each marked with its group, until there are
//   enough for a piece of the segment; then they are sorted into blocks. So an encoding needs room for two pieces, whatever the number of groups.
// - Sorting is stable: entries of one group stay in the order in which they were begun.

/// <summary>Gathers the entries of a segment and sorts them into blocks, one per key group. A block is a row of sections, one per state.</summary>
internal sealed class SegmentBlocks : IDisposable
{
    private const int MarkBytes = 8; // Group and length, in front of each gathered entry.

    private readonly KeyGroupRange _groups;
    private readonly int _maxParallelism;
    private readonly int _enough;
    private readonly Func<bool> _isReleased;
    private readonly SegmentBuffer _entries = new();
    private readonly List<Run> _runs = [];
    private readonly Block[] _blocks;
    private int _declaration = -1;
    private int _markAt = -1;
    private bool _hasRun;

    public SegmentBlocks(KeyGroupRange groups, int maxParallelism, int pieceBytes, SerializerSession session, Func<bool> isReleased)
    {
        _groups = groups;
        _maxParallelism = maxParallelism;
        _isReleased = isReleased;
        _blocks = new Block[groups.End - groups.Start];
        Session = session;

        // A little less than a piece, so that the entry that fills it does not make the buffer grow.
        _enough = pieceBytes - (pieceBytes / 8);
    }

    /// <summary>For writing values; used by one encoder only.</summary>
    public SerializerSession Session { get; }

    /// <summary>Whether enough is gathered for a piece.</summary>
    public bool IsFull => _entries.Length >= _enough;

    /// <summary>Begins the sections of a declaration.</summary>
    public void Open(int declaration)
    {
        EndEntry();
        _declaration = declaration;
        _hasRun = false;
    }

    /// <summary>Begins an entry in the block of the hash's key group; the entry before it has ended.</summary>
    public SegmentBuffer Begin(ulong hash)
    {
        var group = KeyGroups.Of(hash, _maxParallelism);
        if (!_groups.Contains(group))
        {
            throw new InvalidOperationException($"State of key group {group} is kept by the subtask of groups {_groups.Start} to {_groups.End - 1}.");
        }

        EndEntry();
        if (!_hasRun) BeginRun();
        _markAt = _entries.Length;
        BinaryPrimitives.WriteInt32LittleEndian(_entries.Claim(MarkBytes), group - _groups.Start);
        return _entries;
    }

    /// <summary>Ends the sections of the declaration.</summary>
    public void Close() => Open(-1);

    /// <summary>Ends an encoding that nobody waits for any more.</summary>
    public void ThrowIfReleased()
    {
        if (_isReleased()) throw new OperationCanceledException("The snapshot was released while it was encoded.");
    }

    /// <summary>Appends what was gathered to a piece, as one block per group in the order of groups, and begins anew.</summary>
    public void MoveTo(SegmentBuffer piece, SegmentIndex index)
    {
        EndEntry();
        var blocksAt = piece.Length;
        var target = piece.Claim(Measure());
        Sort(target);
        for (var group = 0; group < _blocks.Length; group++)
        {
            ref var block = ref _blocks[group];
            if (block.Length > 0) index.Add(_groups.Start + group, piece.Written.Slice(blocksAt + block.At, block.Length));
        }

        Array.Clear(_blocks);
        _entries.Clear();
        _runs.Clear();
        _hasRun = false;
    }

    public void Dispose() => _entries.Dispose();

    private void BeginRun()
    {
        if (_declaration < 0) throw new InvalidOperationException("An entry was written outside of a section.");
        _runs.Add(new Run(_declaration, _entries.Length));
        _hasRun = true;
    }

    private void EndEntry()
    {
        if (_markAt < 0) return;
        _entries.PatchInt32(_markAt + sizeof(int), _entries.Length - _markAt - MarkBytes);
        _markAt = -1;
    }

    /// <summary>Finds the length and place of each block.</summary>
    private int Measure()
    {
        for (var run = 0; run < _runs.Count; run++)
        {
            for (var rest = EntriesOf(run); rest.Length > 0;)
            {
                ref var block = ref _blocks[SegmentBuffer.ReadInt32(ref rest)];
                var length = SegmentBuffer.ReadInt32(ref rest);
                if (block.RunPlusOne != run + 1) block.Length = checked(block.Length + SegmentFormat.SectionHeaderBytes);
                block.RunPlusOne = run + 1;
                block.Length = checked(block.Length + length);
                rest = rest[length..];
            }
        }

        var end = 0;
        foreach (ref var block in _blocks.AsSpan())
        {
            block.At = block.End = end;
            block.RunPlusOne = 0;
            end = checked(end + block.Length);
        }

        return end;
    }

    private void Sort(Span<byte> target)
    {
        for (var run = 0; run < _runs.Count; run++)
        {
            for (var rest = EntriesOf(run); rest.Length > 0;)
            {
                ref var block = ref _blocks[SegmentBuffer.ReadInt32(ref rest)];
                var length = SegmentBuffer.ReadInt32(ref rest);
                if (block.RunPlusOne != run + 1)
                {
                    EndSection(target, ref block);
                    block.RunPlusOne = run + 1;
                    block.SectionAt = block.End;
                    block.End += SegmentFormat.SectionHeaderBytes;
                }

                rest[..length].CopyTo(target[block.End..]);
                rest = rest[length..];
                block.End += length;
                block.Count++;
            }
        }

        foreach (ref var block in _blocks.AsSpan()) EndSection(target, ref block);
    }

    private void EndSection(Span<byte> target, ref Block block)
    {
        if (block.RunPlusOne == 0) return;
        var header = target[block.SectionAt..];
        BinaryPrimitives.WriteInt32LittleEndian(header, _runs[block.RunPlusOne - 1].Declaration);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], block.Count);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], block.End - block.SectionAt - SegmentFormat.SectionHeaderBytes);
        block.Count = 0;
    }

    private ReadOnlySpan<byte> EntriesOf(int run)
    {
        var end = run + 1 < _runs.Count ? _runs[run + 1].At : _entries.Length;
        return _entries.Written[_runs[run].At..end];
    }

    /// <summary>The gathered entries of one declaration.</summary>
    private readonly record struct Run(int Declaration, int At);

    private struct Block
    {
        public int Length;

        /// <summary>Where it begins behind the piece's first block.</summary>
        public int At;

        /// <summary>How far it is filled.</summary>
        public int End;

        public int SectionAt;
        public int Count;

        /// <summary>The run of its open section; 0 when none is open.</summary>
        public int RunPlusOne;
    }
}
