using Orleans.Serialization.Session;

namespace OrleansStream.State;

/// <summary>
/// The blocks of a segment while it is encoded: one per key group, filled side by side as the encoder walks over pages, which lie in no order of groups.
/// A block is a row of sections, one per state: declaration, number of entries, length, entries.
/// </summary>
internal sealed class SegmentBlocks(KeyGroupRange groups, int maxParallelism, SerializerSession session, Func<bool> isReleased) : IDisposable
{
    private readonly Block[] _blocks = new Block[groups.End - groups.Start];
    private readonly List<int> _open = [];
    private int _declaration = -1;

    /// <summary>For writing values; used by one encoder only.</summary>
    public SerializerSession Session => session;

    /// <summary>Begins the section of a declaration in every block that gets an entry.</summary>
    public void Open(int declaration) => _declaration = declaration;

    /// <summary>Begins an entry in the block of the hash's key group.</summary>
    public SegmentBuffer Begin(ulong hash)
    {
        var group = KeyGroups.Of(hash, maxParallelism);
        if (!groups.Contains(group))
        {
            throw new InvalidOperationException($"State of key group {group} is kept by the subtask of groups {groups.Start} to {groups.End - 1}.");
        }

        ref var block = ref _blocks[group - groups.Start];
        if (block.Count++ == 0) OpenSection(ref block, group - groups.Start);
        return block.Buffer!;
    }

    /// <summary>Ends the open sections.</summary>
    public void Close()
    {
        foreach (var index in _open)
        {
            ref var block = ref _blocks[index];
            var body = block.SectionAt + SegmentFormat.SectionHeaderBytes;
            block.Buffer!.PatchInt32(block.SectionAt, _declaration);
            block.Buffer.PatchInt32(block.SectionAt + 4, block.Count);
            block.Buffer.PatchInt32(block.SectionAt + 8, block.Buffer.Length - body);
            block.Count = 0;
        }

        _open.Clear();
        _declaration = -1;
    }

    /// <summary>The bytes of a block; empty when the group has no entries.</summary>
    public ReadOnlySpan<byte> BlockOf(int group) => _blocks[group - groups.Start].Buffer is { } buffer ? buffer.Written : default;

    /// <summary>Ends an encoding that nobody waits for any more.</summary>
    public void ThrowIfReleased()
    {
        if (isReleased()) throw new OperationCanceledException("The snapshot was released while it was encoded.");
    }

    /// <summary>Gives a block's memory back once it is copied.</summary>
    public void Drop(int group) => _blocks[group - groups.Start].Buffer?.Dispose();

    public void Dispose()
    {
        foreach (var block in _blocks) block.Buffer?.Dispose();
    }

    private void OpenSection(ref Block block, int index)
    {
        if (_declaration < 0) throw new InvalidOperationException("An entry was written outside of a section.");
        block.Buffer ??= new SegmentBuffer();
        block.SectionAt = block.Buffer.Skip(SegmentFormat.SectionHeaderBytes);
        _open.Add(index);
    }

    private struct Block
    {
        public SegmentBuffer? Buffer;
        public int SectionAt;
        public int Count;
    }
}
