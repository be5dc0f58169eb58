using System.IO.Hashing;
using OrleansStream.Jobs;

namespace OrleansStream.State;

// Contract: the bytes of a segment, one file per subtask and checkpoint. All numbers are little-endian.
//
//   header   magic, format version, checkpoint, base (attempt 0: a full segment), key groups, number of all key groups,
//            declarations (operator, kind, name, form, line), blobs (operator, name, bytes)
//   blocks   one per key group that has entries, in the order of groups; each a row of sections (declaration, entries, length, bytes)
//   footer   checksum of the header; per block: key group, offset, length, checksum
//   trailer  offset and length of the footer, length of the header, checksum of the footer, magic, checksum of the trailer
//
// - Header, blocks, footer and trailer lie without gaps, and each is under a checksum: so any changed byte is noticed by whoever reads
//   the part, and any changed length by whoever reads the trailer, also when only some blocks are read.
// - States are named; a declaration's place in the list stands for it within this segment only.

/// <summary>The numbers of the segment format.</summary>
internal static class SegmentFormat
{
    public const long Magic = 0x544E_4753_534F_0A01;
    public const long TrailerMagic = 0x444E_4553_534F_0A01;
    public const int Version = 1;
    public const int SectionHeaderBytes = 12;
    public const int TrailerBytes = 40;

    /// <summary>Puts header, blocks, footer and trailer together.</summary>
    public static byte[] Assemble(SegmentHeader header, SegmentBlocks blocks)
    {
        using var head = new SegmentBuffer();
        header.Write(head);
        using var foot = new SegmentBuffer();
        foot.WriteInt64((long)XxHash3.HashToUInt64(head.Written));
        var countAt = foot.Skip(sizeof(int));
        var count = 0;
        long end = head.Length;
        for (var group = header.Groups.Start; group < header.Groups.End; group++)
        {
            var block = blocks.BlockOf(group);
            if (block.Length == 0) continue;
            foot.WriteInt32(group);
            foot.WriteInt64(end);
            foot.WriteInt32(block.Length);
            foot.WriteInt64((long)XxHash3.HashToUInt64(block));
            end += block.Length;
            count++;
        }

        foot.PatchInt32(countAt, count);
        var footerLength = foot.Length;
        var footerHash = XxHash3.HashToUInt64(foot.Written);
        var trailerAt = foot.Length;
        foot.WriteInt64(end);
        foot.WriteInt32(footerLength);
        foot.WriteInt32(head.Length);
        foot.WriteInt64((long)footerHash);
        foot.WriteInt64(TrailerMagic);
        foot.WriteInt64((long)XxHash3.HashToUInt64(foot.Written[trailerAt..]));
        return Join(header, head, blocks, foot, end);
    }

    private static byte[] Join(SegmentHeader header, SegmentBuffer head, SegmentBlocks blocks, SegmentBuffer foot, long end)
    {
        var total = end + foot.Length;
        if (total > Array.MaxLength)
        {
            throw new StreamException(
                $"The snapshot {header.Checkpoint} of key groups {header.Groups.Start} to {header.Groups.End - 1} has {total} bytes, more than one object "
                + $"may have ({Array.MaxLength}); run the stage at a larger parallelism so that each subtask keeps less state.");
        }

        var content = GC.AllocateUninitializedArray<byte>((int)total);
        head.Written.CopyTo(content);
        var at = head.Length;
        for (var group = header.Groups.Start; group < header.Groups.End; group++)
        {
            var block = blocks.BlockOf(group);
            block.CopyTo(content.AsSpan(at));
            at += block.Length;
            blocks.Drop(group);
        }

        foot.Written.CopyTo(content.AsSpan(at));
        return content;
    }
}

/// <summary>The header of a segment.</summary>
internal sealed record SegmentHeader(
    CheckpointId Checkpoint,
    CheckpointId? Base,
    KeyGroupRange Groups,
    int MaxParallelism,
    IReadOnlyList<SegmentDeclaration> Declarations,
    IReadOnlyList<OperatorBlob> Blobs)
{
    public void Write(SegmentBuffer target)
    {
        target.WriteInt64(SegmentFormat.Magic);
        target.WriteInt32(SegmentFormat.Version);
        target.WriteInt32(Checkpoint.Attempt.Number);
        target.WriteInt64(Checkpoint.Number);
        target.WriteInt32(Base?.Attempt.Number ?? 0);
        target.WriteInt64(Base?.Number ?? 0);
        target.WriteInt32(Groups.Start);
        target.WriteInt32(Groups.End);
        target.WriteInt32(MaxParallelism);
        target.WriteInt32(Declarations.Count);
        foreach (var (shape, line) in Declarations)
        {
            target.WriteString(shape.Operator);
            target.WriteByte((byte)shape.Kind);
            target.WriteString(shape.Name);
            target.WriteString(shape.Form);
            target.WriteInt64(line);
        }

        target.WriteInt32(Blobs.Count);
        foreach (var blob in Blobs)
        {
            target.WriteString(blob.Operator);
            target.WriteString(blob.Name);
            target.WriteInt32(blob.Bytes.Length);
            target.WriteBytes(blob.Bytes);
        }
    }

    public static SegmentHeader Read(ReadOnlySpan<byte> source, string segment)
    {
        if (SegmentBuffer.ReadInt64(ref source) != SegmentFormat.Magic) throw new JobRefusedException($"'{segment}' is not a state segment.");
        var version = SegmentBuffer.ReadInt32(ref source);
        if (version != SegmentFormat.Version)
        {
            throw new JobRefusedException(
                $"State segment '{segment}' has format version {version}; this build reads version {SegmentFormat.Version}. "
                + "Use the build that wrote it, or a newer one.");
        }

        var checkpoint = new CheckpointId(new Attempt(SegmentBuffer.ReadInt32(ref source)), SegmentBuffer.ReadInt64(ref source));
        var baseAttempt = SegmentBuffer.ReadInt32(ref source);
        var baseNumber = SegmentBuffer.ReadInt64(ref source);
        var groups = new KeyGroupRange(SegmentBuffer.ReadInt32(ref source), SegmentBuffer.ReadInt32(ref source));
        var maxParallelism = SegmentBuffer.ReadInt32(ref source);
        var declarations = new SegmentDeclaration[SegmentBuffer.ReadInt32(ref source)];
        for (var i = 0; i < declarations.Length; i++)
        {
            var name = SegmentBuffer.ReadString(ref source);
            var kind = (StateKind)SegmentBuffer.ReadByte(ref source);
            var shape = new StateShape(name, kind, SegmentBuffer.ReadString(ref source), SegmentBuffer.ReadString(ref source));
            declarations[i] = new SegmentDeclaration(shape, SegmentBuffer.ReadInt64(ref source));
        }

        var blobs = new OperatorBlob[SegmentBuffer.ReadInt32(ref source)];
        for (var i = 0; i < blobs.Length; i++)
        {
            var name = SegmentBuffer.ReadString(ref source);
            blobs[i] = new OperatorBlob(name, SegmentBuffer.ReadString(ref source), SegmentBuffer.ReadBytes(ref source).ToArray());
        }

        CheckpointId? basis = baseAttempt == 0 ? null : new CheckpointId(new Attempt(baseAttempt), baseNumber);
        return new SegmentHeader(checkpoint, basis, groups, maxParallelism, declarations, blobs);
    }
}

/// <summary>A state in a segment, and the line kept beside it.</summary>
internal readonly record struct SegmentDeclaration(StateShape Shape, long Line);

/// <summary>State of an operator that has no keys: watermarks, offsets of splits.</summary>
/// <param name="Operator">The operator's written name.</param>
/// <param name="Name">What it is, within the operator.</param>
/// <param name="Bytes">Its bytes; not to be changed afterwards.</param>
internal sealed record OperatorBlob(string Operator, string Name, byte[] Bytes);
