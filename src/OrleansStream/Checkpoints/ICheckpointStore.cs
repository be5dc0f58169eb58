namespace OrleansStream.Checkpoints;

/// <summary>
/// Where a job's history, manifests and snapshots live. Names are relative paths of lower-case segments separated by <c>/</c>.
/// Objects are written once and never changed. Creating and reading by name must be linearizable and, once answered, durable; lists may lag.
/// </summary>
/// <remarks>
/// A call that throws <see cref="StoreException"/> has an unknown outcome: it may have been carried out, may still be, or may never be.
/// Callers repeat it; every method is safe to repeat.
/// </remarks>
public interface ICheckpointStore
{
    /// <summary>Creates an object unless one of that name is there. The only lock there is.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="content">All of its bytes. Not read any more once the call has completed, in whatever way.</param>
    /// <param name="cancellation">Gives up waiting; the outcome is then unknown.</param>
    /// <returns>True when this call created the object, durably; false when an object of that name was there already.</returns>
    ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation);

    /// <summary>Begins an object that is too large to be held in memory whole. Nothing is done before the first piece is written.</summary>
    /// <param name="name">The object's name.</param>
    /// <returns>What takes the object's pieces and creates it; to be disposed.</returns>
    IObjectWriter BeginObject(string name);

    /// <summary>Reads a whole object.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>Its bytes, or null when there is no such object.</returns>
    ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation);

    /// <summary>Reads a part of an object.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="offset">Where the part begins, in bytes.</param>
    /// <param name="length">How many bytes to read; fewer come back when the object ends before.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>The bytes, or null when there is no such object.</returns>
    ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation);

    /// <summary>Deletes an object; nothing happens when there is none.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="cancellation">Gives up waiting; the outcome is then unknown.</param>
    ValueTask DeleteAsync(string name, CancellationToken cancellation);

    /// <summary>Lists names that begin with a prefix, in no order. The list may lag behind what was created and deleted: use it to tidy up, never to decide.</summary>
    /// <param name="prefix">How the names begin.</param>
    /// <param name="cancellation">Stops listing.</param>
    IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellation);

    /// <summary>Says where the store is, for messages to people.</summary>
    string Location { get; }
}

/// <summary>
/// Creates one object of a checkpoint store from pieces. Nothing of it is to be seen before <see cref="TryCreateAsync"/>, and of several writers of one name
/// exactly one creates the object, from its own pieces only.
/// </summary>
/// <remarks>
/// For one caller, one call at a time. As with the store's own methods, a call that throws <see cref="StoreException"/> has an unknown outcome and is made again;
/// a late effect of the first try does no harm. Disposing gives back what the pieces took; the object is there afterwards only if it was created.
/// </remarks>
public interface IObjectWriter : IAsyncDisposable
{
    /// <summary>Writes a piece: what comes behind the pieces before it. Pieces come in the order of their numbers; the last one may be written again.</summary>
    /// <param name="piece">The piece's number; the first has 0.</param>
    /// <param name="content">Its bytes, the same when the piece is written again. Not read any more once the call has completed, in whatever way.</param>
    /// <param name="cancellation">Gives up waiting; the outcome is then unknown.</param>
    /// <exception cref="InvalidOperationException">The piece before it was not written, this one has another length than before, or the object is being created.</exception>
    ValueTask WriteAsync(int piece, ReadOnlyMemory<byte> content, CancellationToken cancellation);

    /// <summary>Creates the object from the pieces written, unless one of its name is there. No piece may follow.</summary>
    /// <param name="cancellation">Gives up waiting; the outcome is then unknown.</param>
    /// <returns>True when this call created the object, durably; false when an object of that name was there already.</returns>
    /// <exception cref="InvalidOperationException">The outcome of the last piece is unknown: it is to be written again first.</exception>
    ValueTask<bool> TryCreateAsync(CancellationToken cancellation);
}

/// <summary>A call to the checkpoint store that failed; whether it was carried out is unknown.</summary>
/// <param name="message">What was asked of which object, and what the store said.</param>
/// <param name="inner">The store's own error.</param>
[GenerateSerializer, Alias("os.StoreException")]
public sealed class StoreException(string message, Exception? inner = null) : Jobs.StreamException(message, inner);

/// <summary>An object of the checkpoint store that is missing, cut short or changed since it was written.</summary>
/// <param name="objectName">The object's name.</param>
/// <param name="problem">What is wrong with it.</param>
[GenerateSerializer, Alias("os.DamagedObjectException")]
public sealed class DamagedObjectException(string objectName, string problem)
    : Jobs.StreamException($"Checkpoint object '{objectName}' is damaged: {problem}")
{
    /// <summary>The name of the damaged object.</summary>
    [Id(0)]
    public string ObjectName { get; } = objectName;

    /// <inheritdoc/>
    public override bool IsPermanent => true;
}
