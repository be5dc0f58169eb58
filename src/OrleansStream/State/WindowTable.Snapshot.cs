using System.Runtime.CompilerServices;

namespace OrleansStream.State;

internal sealed partial class WindowTable<TKey, TAcc>
{
    private long? _restoredLine;

    public IFrozenPart Freeze(uint since) =>
        new Frozen(_cells.Freeze(_starts.Limit, since), _tombstones.Freeze(since), _keys, _accumulators, since, _purgedBefore, Count, Operator);

    public void Forget(uint epoch) => _tombstones.Forget(epoch);

    [MethodImpl(Compilation.AtOnce)]
    public void Restore(int shape, RestoredSection section)
    {
        var source = section.Entries.Span;
        for (var i = 0; i < section.Count; i++)
        {
            var op = SegmentBuffer.ReadByte(ref source);
            var key = _keys.Read(ref source);
            var start = SegmentBuffer.ReadInt64(ref source);
            var hash = _keys.Hash(key);
            var group = KeyGroups.Of(hash, _maxParallelism);
            if (group != section.Group) throw StrayKey.Restored(key, section.Group, group);
            if (op == KeyedColumn.RemoveOp)
            {
                if (TryGet(key, hash, start, out var slot)) Remove(slot);
                continue;
            }

            var accumulator = _accumulators.Read(ref source, section.Session);
            if (start >= section.Line) GetRefForWrite(GetOrAdd(key, hash, start, out _)) = accumulator;
        }

        if (source.Length > 0) throw new InvalidOperationException($"{source.Length} bytes are left over behind {section.Count} entries");
    }

    public void RestoreLine(int shape, long line, KeyGroupRange groups)
    {
        _restoredLine = Math.Min(_restoredLine ?? line, line);
        foreach (var start in _starts.Before(line))
        {
            foreach (var run in RunsOf(start).ToArray())
            {
                for (var slot = run; slot < run + SlotRuns.Length; slot++)
                {
                    if (IsLive(slot) && groups.Contains(KeyGroups.Of(HashOf(slot), _maxParallelism))) Remove(slot);
                }
            }
        }
    }

    /// <summary>Starts differ in size, so their indexes grow by themselves.</summary>
    public void MakeRoom(int shape, int more) => _cells.Reserve(_starts.Limit + more);

    /// <summary>A table of windows has nothing of its operator's.</summary>
    public void StandFor(ISnapshotPart fresh)
    {
    }

    public void EndRestore()
    {
        // Former subtasks may have purged up to different lines; the windows of each were held against its own.
        if (_restoredLine is { } line) _purgedBefore = line;
        _cells.NextEpoch();
    }

    private sealed class Frozen(
        FrozenColumn<Cell> cells,
        ReadOnlyMemory<Tombstone<Removed>> tombstones,
        KeyCodec<TKey> keys,
        StateCodec<TAcc> accumulators,
        uint since,
        long purgedBefore,
        int count,
        string name) : IFrozenPart
    {
        public long LineOf(int shape) => purgedBefore;

        public long RoomOf(int shape) => count;

        public IEnumerable<SegmentBlocks> Encode(SegmentBlocks blocks, int firstDeclaration)
        {
            blocks.Open(firstDeclaration);
            for (var i = 0; i < tombstones.Length; i++)
            {
                var (hash, key, start) = tombstones.Span[i].Removed;
                if (start >= purgedBefore) Begin(blocks, hash, key, start, KeyedColumn.RemoveOp);
                if (blocks.IsFull) yield return blocks;
            }

            foreach (var full in cells.EncodePages(blocks, (page, _, next) => EncodePage(page, next, blocks))) yield return full;
            blocks.Close();
            Release();
        }

        private int EncodePage(ReadOnlySpan<Cell> page, int next, SegmentBlocks blocks)
        {
            while (next < page.Length)
            {
                ref readonly var cell = ref page[next++];
                if (cell.Changed <= since) continue;
                if (cell.Start < purgedBefore)
                {
                    throw new InvalidOperationException(
                        $"Operator '{name}' keeps a window of key '{cell.Key}' that starts at {cell.Start}, before its purge line {purgedBefore}: "
                        + "a restore would lose it.");
                }

                accumulators.Write(Begin(blocks, cell.Hash, cell.Key, cell.Start, KeyedColumn.SetOp), in cell.Accumulator, blocks.Session);
                if (blocks.IsFull) break;
            }

            return next;
        }

        public void Release() => cells.Release();

        private SegmentBuffer Begin(SegmentBlocks blocks, ulong hash, TKey key, long start, byte op)
        {
            var target = blocks.Begin(hash);
            target.WriteByte(op);
            keys.Write(target, key);
            target.WriteInt64(start);
            return target;
        }
    }
}
