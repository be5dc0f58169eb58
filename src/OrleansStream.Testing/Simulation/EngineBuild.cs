using OrleansStream.Exchange;
using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Testing.Simulation;

/// <summary>
/// The build of the engine that a run is of. This one is the engine as it is. Builds that lack one guard derive from it: the guard is taken out where the simulation holds the seam, so
/// that the engine itself has no switch for it.
/// </summary>
internal class EngineBuild
{
    public static EngineBuild AsItIs { get; } = new();

    /// <summary>The offset that a source saves when it has read up to <paramref name="next"/>.</summary>
    public virtual long OffsetToSave(long next, long count) => next;

    /// <summary>The parallelism that an attempt is planned at.</summary>
    /// <param name="start">What the job goes on with.</param>
    /// <param name="otherwise">What it has when that says nothing.</param>
    public virtual int ParallelismOf(JobStart start, int otherwise) => start.Parallelism > 0 ? start.Parallelism : otherwise;

    /// <summary>What a subtask is opened with.</summary>
    public virtual SubtaskOpening Opening(SubtaskOpening opening) => opening;

    /// <summary>Lets a subtask forget of what it was restored from.</summary>
    public virtual void Restored(SubtaskContext context)
    {
    }

    /// <summary>What leaves a subtask for another.</summary>
    public virtual Envelope Leaving(SubtaskActivation from, SubtaskId to, Envelope envelope) => envelope;

    /// <summary>Which activation on a silo a subtask's calls reach.</summary>
    public virtual SubtaskActivation Addressee(Silo silo, Attempt attempt, SubtaskId to) => silo.Subtask(attempt, to);

    /// <summary>Hands an envelope to its receiver. Within a silo the very object arrives.</summary>
    public virtual Task<PostReply> DeliverAsync(Silo from, SubtaskActivation receiver, Envelope envelope) =>
        receiver.PostAsync(receiver.Silo == from ? envelope : Wire.Copy(envelope));

    /// <summary>What a receiver tells a sender of what it has processed.</summary>
    public virtual Credit Crediting(SubtaskActivation receiver, Credit credit) => credit;

    /// <summary>Creates an object of the store.</summary>
    /// <param name="run">The run.</param>
    /// <param name="name">The object's name.</param>
    /// <param name="create">Creates it at once.</param>
    /// <param name="call">Calls the store to create it, with whatever delays and faults that has.</param>
    public virtual Task<bool> CreateAsync(SimulatedRun run, string name, Func<bool> create, Func<Task<bool>> call) => call();

    /// <summary>Whether a commit is left out and said to be done.</summary>
    public virtual bool SkipsCommit(SimulatedRun run) => false;

    /// <summary>What a subtask learns of how far the others of its alignment group have come.</summary>
    public virtual long Aligning(long lowestOfOthers) => lowestOfOthers;
}
