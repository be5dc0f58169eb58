using System.IO.Hashing;
using OrleansStream.Jobs;

namespace OrleansStream.State;

// Contract: the state of a subtask as of one barrier, until it is encoded or given up.
// - Encode runs once, on any thread, beside the processing. Pages are handed back to the owner as the encoder passes them.
// - Release may be called at any time from any thread, more than once. During an encoding it only asks for the end: the encoder stops at the next page with an
//   OperationCanceledException and hands back what it holds itself, so no page is handed back while it is being read.

/// <summary>A frozen snapshot of a subtask.</summary>
internal sealed class FrozenSubtask
{
    private const int Waiting = 0;
    private const int Encoding = 1;
    private const int Released = 2;

    private readonly SegmentHeader _header;
    private readonly IFrozenPart[] _parts;
    private readonly int[] _firstDeclarations;
    private readonly StateSerializers _serializers;
    private int _phase = Waiting;
    private volatile bool _releaseAsked;

    public FrozenSubtask(SegmentHeader header, IFrozenPart[] parts, int[] firstDeclarations, StateSerializers serializers)
    {
        _header = header;
        _parts = parts;
        _firstDeclarations = firstDeclarations;
        _serializers = serializers;
    }

    /// <summary>The checkpoint that the state was frozen for.</summary>
    public CheckpointId Checkpoint => _header.Checkpoint;

    /// <summary>The checkpoint that a delta builds on: its segments come before this one in the chain. Null for a full snapshot.</summary>
    public CheckpointId? Base => _header.Base;

    /// <summary>Whether the snapshot is complete by itself.</summary>
    public bool Full => _header.Base is null;

    /// <summary>Writes the state as a segment, and releases it.</summary>
    /// <exception cref="OperationCanceledException">It was released meanwhile, or before.</exception>
    public EncodedSegment Encode()
    {
        switch (Interlocked.CompareExchange(ref _phase, Encoding, Waiting))
        {
            case Encoding: throw new InvalidOperationException($"Snapshot {Checkpoint} is being encoded already.");
            case Released: throw new OperationCanceledException($"Snapshot {Checkpoint} was released before it was encoded, or is encoded already.");
        }

        try
        {
            using var session = _serializers.OpenSession();
            using var blocks = new SegmentBlocks(_header.Groups, _header.MaxParallelism, session, () => _releaseAsked);
            for (var i = 0; i < _parts.Length; i++) _parts[i].Encode(blocks, _firstDeclarations[i]);
            blocks.ThrowIfReleased();
            var content = SegmentFormat.Assemble(_header, blocks);
            return new EncodedSegment(content, Convert.ToHexStringLower(XxHash128.Hash(content)), Full);
        }
        finally
        {
            ReleaseParts();
        }
    }

    /// <summary>Gives the frozen state up.</summary>
    public void Release()
    {
        _releaseAsked = true;
        if (Interlocked.CompareExchange(ref _phase, Released, Waiting) == Waiting) ReleaseParts();
    }

    private void ReleaseParts()
    {
        foreach (var part in _parts) part.Release();
        Volatile.Write(ref _phase, Released);
    }
}

/// <summary>A segment, ready to be stored.</summary>
/// <param name="Content">All of its bytes.</param>
/// <param name="Checksum">XxHash128 of the content, in lower-case hex.</param>
/// <param name="Full">Whether it is complete by itself.</param>
internal sealed record EncodedSegment(ReadOnlyMemory<byte> Content, string Checksum, bool Full);
