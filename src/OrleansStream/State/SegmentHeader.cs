using OrleansStream.Jobs;

namespace OrleansStream.State;

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
        foreach (var (shape, line, room) in Declarations)
        {
            target.WriteString(shape.Operator);
            target.WriteByte((byte)shape.Kind);
            target.WriteString(shape.Name);
            target.WriteString(shape.Form);
            target.WriteInt64(line);
            target.WriteInt64(room);
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
            declarations[i] = new SegmentDeclaration(shape, SegmentBuffer.ReadInt64(ref source), SegmentBuffer.ReadInt64(ref source));
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

/// <summary>A state in a segment.</summary>
/// <param name="Shape">Names it.</param>
/// <param name="Line">The line kept beside it.</param>
/// <param name="Room">How many keys, entries, timers or windows it had at the checkpoint, for making room at once; 0 when that is of no use.</param>
internal readonly record struct SegmentDeclaration(StateShape Shape, long Line, long Room);

/// <summary>State of an operator that has no keys: watermarks, offsets of splits.</summary>
/// <param name="Operator">The operator's written name.</param>
/// <param name="Name">What it is, within the operator.</param>
/// <param name="Bytes">Its bytes; not to be changed afterwards.</param>
internal sealed record OperatorBlob(string Operator, string Name, byte[] Bytes);
