using OrleansStream.Jobs;

namespace OrleansStream.Sources;

/// <summary>Where records come from: finds the splits and opens a reader for each. Built with the graph on every silo; holds no open resources itself.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
public abstract class Source<T>
{
    /// <summary>Finds what there is to read. Called once when an attempt begins. A restart must find each split of an earlier attempt again, by name.</summary>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The splits, each with a name that is unique within the source.</returns>
    /// <exception cref="JobRefusedException">There is nothing to read, or it cannot be read.</exception>
    public abstract ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation);

    /// <summary>Opens one split.</summary>
    /// <param name="split">A split that <see cref="DiscoverAsync"/> found.</param>
    /// <param name="offset">Where to begin, as <see cref="SplitReader{T}.SaveOffset"/> wrote it; empty for the beginning.</param>
    /// <param name="cancellation">Gives up.</param>
    public abstract ValueTask<SplitReader<T>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation);

    /// <summary>Whether a split read again from an offset gives the same records again. State is exactly-once only over replayable sources.</summary>
    public virtual bool IsReplayable => true;
}

/// <summary>A part of a source that is read in order by one subtask at a time.</summary>
/// <param name="Name">Names the split within its source, over restarts.</param>
/// <param name="Fingerprint">Changes when the split's content is no longer the one that was read before; empty when that cannot be told.
/// A job refuses to go on from a checkpoint over a split whose fingerprint differs.</param>
[GenerateSerializer, Immutable, Alias("os.SourceSplit")]
public sealed record SourceSplit([property: Id(0)] string Name, [property: Id(1)] string Fingerprint);

/// <summary>What a call to <see cref="SplitReader{T}.Read"/> found.</summary>
public enum ReadStatus
{
    /// <summary>There may be more at once: read again.</summary>
    More,

    /// <summary>Nothing to read now: await <see cref="SplitReader{T}.WaitAsync"/>, then read again.</summary>
    Waiting,

    /// <summary>The split has ended; there will be no more.</summary>
    Ended,
}

/// <summary>Reads one split in order. All calls come one at a time.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
public abstract class SplitReader<T> : IAsyncDisposable
{
    /// <summary>Reads records into <paramref name="output"/> until it is full or no more are at hand. Must not wait.</summary>
    /// <exception cref="BadRecordException">The input is malformed; the message says where.</exception>
    public abstract ReadStatus Read(SourceOutput<T> output);

    /// <summary>Completes when there may be something to read after <see cref="ReadStatus.Waiting"/>.</summary>
    public virtual ValueTask WaitAsync(CancellationToken cancellation) => ValueTask.CompletedTask;

    /// <summary>Where the next record begins, such that a reader opened there goes on with exactly the records that were not yet read.</summary>
    public abstract ReadOnlyMemory<byte> SaveOffset();

    /// <summary>Where reading stands, for people: a line of a file, a number in a log.</summary>
    public abstract string Position { get; }

    /// <inheritdoc/>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
