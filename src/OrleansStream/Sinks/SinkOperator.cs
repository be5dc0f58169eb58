using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Sinks;

/// <summary>A sink operator whose record type does not matter.</summary>
internal interface ISinkOperator
{
    string Name { get; }

    /// <summary>Prepared in this attempt and not known to be committed, oldest first.</summary>
    IReadOnlyList<PendingOutput> Pending { get; }

    /// <summary>How many outputs this opening of the subtask has prepared.</summary>
    long Prepared { get; }

    /// <summary>Commits everything prepared up to the permit's checkpoint. A repeat finds nothing left to do.</summary>
    Task CommitAsync(CommitPermit permit, CancellationToken cancellation);
}

/// <summary>
/// The end of a chain that writes a sink. Invariant: output that was prepared stays in <see cref="Pending"/>, and so in every receipt,
/// until its commit has succeeded; a checkpoint that was given up takes nothing out.
/// </summary>
internal sealed class SinkOperator<T>(SubtaskContext context, Sink<T> sink) : Operator<T>, ISinkOperator
{
    private readonly List<PendingOutput> _pending = [];
    private SinkWriter<T>? _writer;

    public IReadOnlyList<PendingOutput> Pending => _pending;

    public long Prepared { get; private set; }

    public override async ValueTask OpenAsync(CancellationToken cancellation) =>
        _writer = await sink.OpenAsync(new SinkContext(context.Attempt, context.Incarnation, context.Id.Index, context.Parallelism), cancellation);

    public override void OnRecords(Records<T> records)
    {
        try
        {
            _writer!.Write(records.Values, records.Timestamps);
            context.Counters.RecordsOut += records.Count;
        }
        catch (Exception error) when (error is not StreamException)
        {
            throw new SinkException(context, Name, "writing", error);
        }
    }

    public override void OnWatermark(long watermark)
    {
    }

    public override void Snapshot(SnapshotParts parts) => parts.Preparing.Add(PrepareAsync(parts.Checkpoint));

    public async Task CommitAsync(CommitPermit permit, CancellationToken cancellation)
    {
        var due = _pending.Where(output => output.Checkpoint <= permit.Checkpoint).ToList();
        if (due.Count == 0) return;
        await sink.CommitAsync(due, permit, cancellation);
        FaultPoints.Pass(FaultPoint.SinkCommitted);
        _pending.RemoveAll(due.Contains);
    }

    public override ValueTask DisposeAsync() => _writer?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task PrepareAsync(CheckpointId checkpoint)
    {
        string? handle;
        try
        {
            handle = await _writer!.PrepareAsync(checkpoint, CancellationToken.None);
        }
        catch (Exception error) when (error is not StreamException)
        {
            throw new SinkException(context, Name, $"preparing the output of checkpoint {checkpoint}", error);
        }

        if (handle is null) return;
        FaultPoints.Pass(FaultPoint.SinkPrepared);
        _pending.Add(new PendingOutput(context.Id.Index, checkpoint, handle));
        Prepared++;
    }
}

/// <summary>A sink that failed, with its coordinates.</summary>
[GenerateSerializer]
internal sealed class SinkException(SubtaskContext context, string sink, string doing, Exception inner)
    : StreamException($"Job '{context.Job}', sink '{sink}', subtask {context.Id.Index}: {doing} failed with {inner.GetType().Name}: {inner.Message}", inner);
