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
    /// <param name="content">All of its bytes.</param>
    /// <param name="cancellation">Gives up waiting; the outcome is then unknown.</param>
    /// <returns>True when this call created the object, durably; false when an object of that name was there already.</returns>
    ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation);

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
