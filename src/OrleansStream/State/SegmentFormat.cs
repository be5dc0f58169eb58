namespace OrleansStream.State;

// Contract: the bytes of a segment, one object per subtask and checkpoint. All numbers are little-endian.
//
//   header   magic, format version, checkpoint, base (attempt 0: a full segment), key groups, number of all key groups,
//            declarations (operator, kind, name, form, line, room), blobs (operator, name, bytes)
//   blocks   each of one key group: a row of sections (declaration, entries, length, bytes)
//   footer   checksum of the header; number of blocks; per block: key group, offset, length, checksum
//   trailer  offset and length of the footer, length of the header, checksum of the footer, magic, checksum of the trailer
//
// - A key group has any number of blocks; they are applied in the order in which they lie. As a rule they lie in runs, each in the order of groups: an encoder
//   sorts what it has gathered, a few megabytes at a time. Readers rely on neither the length of runs nor the order of groups.
// - Entries of a state in a group take effect in the order in which they lie: what is taken back before what is set.
// - Header, blocks, footer and trailer lie without gaps, and each is under a checksum: so any changed byte is noticed by whoever reads
//   the part, and any changed length by whoever reads the trailer, also when only some blocks are read.
// - Offsets have 8 bytes; lengths of header, blocks, sections and footer have 4 and are below 2 GiB.
// - States are named; a declaration's place in the list stands for it within this segment only. Its room is a number of keys, entries, timers or windows
//   that a restore may make room for at once: what the state had at the checkpoint, or 0. Nothing depends on it.
// - Block, footer and trailer checksums are XxHash3 (64 bits); the manifest keeps XxHash128 of the whole.

/// <summary>The numbers of the segment format.</summary>
internal static class SegmentFormat
{
    public const long Magic = 0x544E_4753_534F_0A01;
    public const long TrailerMagic = 0x444E_4553_534F_0A01;
    public const int Version = 1;
    public const int SectionHeaderBytes = 12;
    public const int IndexEntryBytes = 24;
    public const int TrailerBytes = 40;

    /// <summary>
    /// About how much of a segment is encoded before it is written. No part of the format: more for very many groups, so that blocks are not much smaller than
    /// their places in the index.
    /// </summary>
    public static int PieceBytes(KeyGroupRange groups) => Math.Max(8 * 1024 * 1024, 1024 * (groups.End - groups.Start));
}
