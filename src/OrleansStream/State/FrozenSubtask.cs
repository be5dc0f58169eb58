using OrleansStream.Jobs;

namespace OrleansStream.State;

// Contract: the state of a subtask as of one barrier, until it is encoded or given up.
// - It is encoded once, piece by piece, beside the processing: one EncodeNext after another, each on any thread. Pages are handed back to the owner as the
//   encoder passes them, and all that is left with the last piece.
// - Release may be called at any time from any thread, more than once. During an EncodeNext it only asks for the end: the encoder stops at the next page with an
//   OperationCanceledException and hands back what it holds itself, so no page is handed back while it is being read. Between two it takes effect at once.
// - A piece's memory serves the next piece too. Release leaves it alone, because somebody may be reading it; whoever encodes calls Dispose when nobody is.

/// <summary>A frozen snapshot of a subtask.</summary>
internal sealed class FrozenSubtask : IDisposable
{
    private const int Waiting = 0;
    private const int Encoding = 1;
    private const int Released = 2;

    private readonly SegmentHeader _header;
    private readonly IFrozenPart[] _parts;
    private readonly int[] _firstDeclarations;
    private readonly StateSerializers _serializers;
    private SegmentWriter? _writer;
    private int _phase = Waiting;
    private volatile bool _releaseAsked;

    public FrozenSubtask(SegmentHeader header, IFrozenPart[] parts, int[] firstDeclarations, StateSerializers serializers)
    {
        _header = header;
        _parts = parts;
        _firstDeclarations = firstDeclarations;
        _serializers = serializers;
        PieceBytes = SegmentFormat.PieceBytes(header.Groups);
    }

    /// <summary>The checkpoint that the state was frozen for.</summary>
    public CheckpointId Checkpoint => _header.Checkpoint;

    /// <summary>The checkpoint that a delta builds on: its segments come before this one in the chain. Null for a full snapshot.</summary>
    public CheckpointId? Base => _header.Base;

    /// <summary>Whether the snapshot is complete by itself.</summary>
    public bool Full => _header.Base is null;

    /// <summary>About how many bytes a piece has; to be changed before the first.</summary>
    public int PieceBytes { get; set; }

    /// <summary>Writes the next piece of the state's segment; the last one releases the state.</summary>
    /// <exception cref="OperationCanceledException">It was released meanwhile, or before.</exception>
    public SegmentPiece EncodeNext()
    {
        switch (Interlocked.CompareExchange(ref _phase, Encoding, Waiting))
        {
            case Encoding: throw new InvalidOperationException($"Snapshot {Checkpoint} is being encoded already.");
            case Released: throw new OperationCanceledException($"Snapshot {Checkpoint} was released before it was encoded, or is encoded already.");
        }

        var isMore = false;
        try
        {
            _writer ??= new SegmentWriter(_header, PieceBytes, _serializers.OpenSession(), () => _releaseAsked, EncodeParts);
            var piece = _writer.Next();
            isMore = piece.Whole is null;
            return piece;
        }
        finally
        {
            if (isMore) Pause();
            else ReleaseParts();
        }
    }

    /// <summary>Gives the frozen state up.</summary>
    public void Release()
    {
        _releaseAsked = true;
        if (Interlocked.CompareExchange(ref _phase, Released, Waiting) == Waiting) ReleaseParts();
    }

    /// <summary>Gives the state up, and the memory of pieces back. To be called when nobody reads one.</summary>
    public void Dispose()
    {
        Release();
        if (Volatile.Read(ref _phase) == Released) Interlocked.Exchange(ref _writer, null)?.Dispose();
    }

    private IEnumerable<SegmentBlocks> EncodeParts(SegmentBlocks blocks)
    {
        for (var i = 0; i < _parts.Length; i++)
        {
            foreach (var full in _parts[i].Encode(blocks, _firstDeclarations[i])) yield return full;
        }
    }

    /// <summary>Ends a call that is to be followed by another. A release that came during it found the phase taken, and is made up for here.</summary>
    private void Pause()
    {
        Interlocked.Exchange(ref _phase, Waiting);
        if (_releaseAsked) Release();
    }

    private void ReleaseParts()
    {
        foreach (var part in _parts) part.Release();
        Volatile.Write(ref _phase, Released);
    }
}
