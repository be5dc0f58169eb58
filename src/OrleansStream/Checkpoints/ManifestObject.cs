namespace OrleansStream.Checkpoints;

/// <summary>
/// Writes and reads manifests. Invariant: a manifest is accepted only when its bytes have the length and checksum that the log's entry gives, and
/// its content is of the checkpoint that the entry names.
/// </summary>
internal static class ManifestObject
{
    /// <summary>Encodes a manifest.</summary>
    public static byte[] Encode(Manifest manifest) => CheckpointJson.Encode(
        ObjectKind.Manifest,
        manifest with { Sinks = CheckpointJson.ByName(manifest.Sinks), Sources = CheckpointJson.ByName(manifest.Sources) },
        CheckpointJson.Default.Manifest);

    /// <summary>Writes a manifest; all it names must be durable. It is not published before a log entry names what this returns. May be repeated.</summary>
    /// <exception cref="StoreException">The store failed past the retries; the outcome is unknown, and the call may be repeated.</exception>
    /// <exception cref="DamagedObjectException">Another manifest is there under this checkpoint's name.</exception>
    public static async Task<ManifestRef> WriteAsync(
        ICheckpointStore store, Manifest manifest, DateTimeOffset at, RetryRule retry, CancellationToken cancellation)
    {
        var bytes = Encode(manifest);
        var name = ObjectNames.Manifest(manifest.Job, manifest.Id);
        while (!await retry.CallAsync(c => store.TryCreateAsync(name, bytes, c), cancellation))
        {
            var there = await retry.CallAsync(c => store.ReadAsync(name, c), cancellation);
            // An attempt that has followed deletes what it takes for an orphan: that this one is over is for its log to say.
            if (there is null) continue;
            if (there.Value.Span.SequenceEqual(bytes)) break;
            throw new DamagedObjectException(name, $"another object has this name, though checkpoint {manifest.Id} was never taken before.");
        }

        return new ManifestRef(
            manifest.Id, manifest.Generation, manifest.Final, name, ObjectFrame.Checksum(bytes), bytes.Length, manifest.StateBytes(), at);
    }

    /// <summary>Reads a published manifest.</summary>
    /// <exception cref="DamagedObjectException">It is missing, or is not the one that was published.</exception>
    /// <exception cref="StoreException">The store failed past the retries.</exception>
    public static async Task<Manifest> ReadAsync(
        ICheckpointStore store, string job, ManifestRef reference, RetryRule retry, CancellationToken cancellation)
    {
        var name = reference.Name;
        if (await retry.CallAsync(c => store.ReadAsync(name, c), cancellation) is not { } bytes)
            throw new DamagedObjectException(name, $"it is missing, though checkpoint {reference.Id} was published and is kept.");
        if (bytes.Length != reference.LengthBytes)
            throw new DamagedObjectException(name, $"it has {bytes.Length} bytes where {reference.LengthBytes} were published.");
        if (ObjectFrame.Checksum(bytes.Span) != reference.Checksum)
            throw new DamagedObjectException(name, "its checksum is not the published one: bytes changed since it was written.");

        var manifest = CheckpointJson.Decode(name, ObjectKind.Manifest, bytes, CheckpointJson.Default.Manifest);
        return manifest.Job == job && manifest.Id == reference.Id
            ? manifest
            : throw new DamagedObjectException(
                name, $"it is of checkpoint {manifest.Id} of job '{manifest.Job}', and {reference.Id} of job '{job}' was expected.");
    }
}
