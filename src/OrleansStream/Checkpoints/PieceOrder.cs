namespace OrleansStream.Checkpoints;

/// <summary>
/// Holds the caller of an <see cref="IObjectWriter"/> to its contract and tells a store where a piece belongs: pieces come in order, the last one as often as need be, and
/// the object is created when the last is known to be written.
/// </summary>
internal sealed class PieceOrder
{
    private int _last = -1;
    private int _lastLength;
    private long _offset;
    private bool _isLastKnown = true;
    private bool _isClosed;

    /// <summary>Notes that a piece is about to be written; returns its place in the object.</summary>
    public long Begin(int piece, int length)
    {
        if (_isClosed) throw new InvalidOperationException($"Piece {piece} comes when the object is being created.");
        if (piece == _last + 1 && _isLastKnown)
        {
            _offset += _lastLength;
            _last = piece;
            _lastLength = length;
        }
        else if (piece != _last)
        {
            throw new InvalidOperationException($"Piece {piece} comes when piece {(_isLastKnown ? _last + 1 : _last)} is to be written.");
        }
        else if (length != _lastLength)
        {
            throw new InvalidOperationException($"Piece {piece} has {length} bytes; it had {_lastLength} when it was written before.");
        }

        _isLastKnown = false;
        return _offset;
    }

    /// <summary>Notes that the piece is written.</summary>
    public void Written() => _isLastKnown = true;

    /// <summary>Notes that the object is about to be created.</summary>
    public void Close()
    {
        if (!_isLastKnown) throw new InvalidOperationException($"Piece {_last} was not written, as far as is known; an object without it would be damaged.");
        _isClosed = true;
    }
}
