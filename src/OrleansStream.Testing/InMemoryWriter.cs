using OrleansStream.Checkpoints;

namespace OrleansStream.Testing;

/// <summary>Keeps the pieces of an object in memory, for the stores of tests.</summary>
/// <param name="write">Carries out the writing of a piece, with whatever delays and faults the store has.</param>
/// <param name="create">Creates the object of the pieces that were carried out.</param>
internal sealed class InMemoryWriter(
    Func<Action, CancellationToken, ValueTask> write, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask<bool>> create) : IObjectWriter
{
    private readonly PieceOrder _order = new();
    private readonly SortedDictionary<int, byte[]> _pieces = [];

    public async ValueTask WriteAsync(int piece, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        _order.Begin(piece, content.Length);
        var bytes = content.ToArray();
        await write(() => _pieces[piece] = bytes, cancellation);
        _order.Written();
    }

    public ValueTask<bool> TryCreateAsync(CancellationToken cancellation)
    {
        _order.Close();
        return create(_pieces.Values.SelectMany(static piece => piece).ToArray(), cancellation);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
