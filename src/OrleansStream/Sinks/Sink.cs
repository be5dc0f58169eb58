using OrleansStream.Jobs;

namespace OrleansStream.Sinks;

/// <summary>What a sink promises about its output when the job is broken and goes on.</summary>
public enum SinkGuarantee
{
    /// <summary>Every record is there once.</summary>
    ExactlyOnce,

    /// <summary>Every record is there; those after the last checkpoint may be there again after a restart.</summary>
    AtLeastOnce,
}

/// <summary>
/// Where records go. Built with the graph on every silo; holds no open resources itself. Exactly once works in two phases: a writer
/// <see cref="SinkWriter{T}.PrepareAsync">prepares</see> its output at the barrier so that it survives the writer, and the output is
/// <see cref="CommitAsync">committed</see> once the checkpoint's manifest is published.
/// </summary>
/// <typeparam name="T">The type of a record.</typeparam>
public abstract class Sink<T> : ISinkCommitter
{
    /// <summary>What the sink promises.</summary>
    public abstract SinkGuarantee Guarantee { get; }

    /// <summary>Called once before the first attempt of a history: refuse leftovers of other runs, make folders. May be called again after a crash.</summary>
    /// <exception cref="JobRefusedException">The target cannot be written, or holds output of another run.</exception>
    public virtual ValueTask InitializeAsync(CancellationToken cancellation) => ValueTask.CompletedTask;

    /// <summary>
    /// Opens a writer for one subtask in one attempt. What the checkpoint names that the attempt begins from is committed by then, so staged output of earlier attempts that is not may be discarded here.
    /// </summary>
    public abstract ValueTask<SinkWriter<T>> OpenAsync(SinkContext context, CancellationToken cancellation);

    /// <summary>
    /// Makes prepared output visible, all of it, once. Called again with the same outputs after a crash or a call of unknown outcome;
    /// what is already committed is then left as it is.
    /// </summary>
    /// <exception cref="StreamException">An output is neither there to be committed nor committed already.</exception>
    public virtual ValueTask CommitAsync(IReadOnlyList<PendingOutput> outputs, CommitPermit permit, CancellationToken cancellation) =>
        outputs.Count == 0 ? ValueTask.CompletedTask : throw new NotSupportedException($"{GetType().Name} prepares output but has no {nameof(CommitAsync)}.");

    /// <summary>Called when the job's input has ended and all output is committed; may be called again after a crash.</summary>
    /// <param name="outputs">How many outputs were prepared and committed over the job's whole history.</param>
    /// <param name="permit">Of the final checkpoint.</param>
    /// <param name="cancellation">Gives up; the call is made again.</param>
    public virtual ValueTask FinishAsync(long outputs, CommitPermit permit, CancellationToken cancellation) => ValueTask.CompletedTask;

    /// <summary>Whether committed output can be taken back, so that a job may fall back past a damaged checkpoint.</summary>
    public virtual bool CanWithdraw => false;

    /// <summary>Takes back everything committed for checkpoints later than <paramref name="after"/>, of attempts earlier than <paramref name="before"/>: what newer
    /// attempts have written is not the caller's, which may come late.</summary>
    public virtual ValueTask WithdrawAsync(CheckpointId after, Attempt before, CommitPermit permit, CancellationToken cancellation) =>
        throw new NotSupportedException($"{GetType().Name} cannot take committed output back.");
}

/// <summary>The second phase of a sink, which needs no writer: recovery calls it before any subtask is open.</summary>
internal interface ISinkCommitter
{
    ValueTask CommitAsync(IReadOnlyList<PendingOutput> outputs, CommitPermit permit, CancellationToken cancellation);

    ValueTask FinishAsync(long outputs, CommitPermit permit, CancellationToken cancellation);

    bool CanWithdraw { get; }

    ValueTask WithdrawAsync(CheckpointId after, Attempt before, CommitPermit permit, CancellationToken cancellation);
}

/// <summary>Proof that a manifest was published; a sink commits only with one. Only the engine makes permits.</summary>
[GenerateSerializer, Immutable, Alias("os.CommitPermit")]
public sealed record CommitPermit
{
    internal CommitPermit(CheckpointId checkpoint) => Checkpoint = checkpoint;

    /// <summary>The checkpoint whose manifest was published.</summary>
    [Id(0)]
    public CheckpointId Checkpoint { get; }
}

/// <summary>Output that was prepared and waits for its checkpoint to be published. Named by the manifest, so it can be committed without its writer.</summary>
/// <param name="Subtask">The subtask's index that prepared it.</param>
/// <param name="Checkpoint">The checkpoint at whose barrier it was prepared.</param>
/// <param name="Handle">What the sink needs to find it again: a file's name, a transaction's id.</param>
[GenerateSerializer, Immutable, Alias("os.PendingOutput")]
public sealed record PendingOutput([property: Id(0)] int Subtask, [property: Id(1)] CheckpointId Checkpoint, [property: Id(2)] string Handle);

/// <summary>Who opens a sink writer.</summary>
/// <param name="Attempt">The attempt.</param>
/// <param name="Incarnation">The opening of the subtask: in the names of staged output, so that no other opening can write it.</param>
/// <param name="Subtask">The subtask's index, from 0.</param>
/// <param name="Parallelism">How many subtasks write this sink.</param>
public sealed record SinkContext(Attempt Attempt, Incarnation Incarnation, int Subtask, int Parallelism);

/// <summary>Writes one subtask's share of the output. All calls come one at a time, except that writing goes on while a preparation is awaited.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
public abstract class SinkWriter<T> : IAsyncDisposable
{
    /// <summary>Writes records. Must not wait for anything slow.</summary>
    /// <param name="values">The records; valid during the call only.</param>
    /// <param name="timestamps">Their event times in milliseconds since 1970, one for each.</param>
    public abstract void Write(ReadOnlySpan<T> values, ReadOnlySpan<long> timestamps);

    /// <summary>
    /// Cuts the output at a barrier. What was written before the call belongs to the checkpoint: the cut is made before the method first yields;
    /// the returned task completes when that output survives a crash. Null when nothing was written since the last cut, or nothing needs committing.
    /// </summary>
    public abstract ValueTask<string?> PrepareAsync(CheckpointId checkpoint, CancellationToken cancellation);

    /// <inheritdoc/>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
