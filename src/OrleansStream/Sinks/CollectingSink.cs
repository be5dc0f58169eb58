using OrleansStream.Jobs;

namespace OrleansStream.Sinks;

/// <summary>
/// Keeps committed records in memory, for tests and for embedding a job in a program. Exactly once within this process: what is prepared waits until its checkpoint is
/// published, a repeated commit has no effect. All silos of the job must be in this process and use this instance.
/// </summary>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed class CollectingSink<T> : Sink<T>
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (CheckpointId Checkpoint, T[] Records)> _prepared = [];
    private readonly HashSet<string> _committedHandles = [];
    private readonly List<(string Handle, CheckpointId Checkpoint, T[] Records)> _committed = [];

    /// <inheritdoc/>
    public override SinkGuarantee Guarantee => SinkGuarantee.ExactlyOnce;

    /// <inheritdoc/>
    public override bool CanWithdraw => true;

    /// <summary>A snapshot of the committed records: in the order of commits, within one in the order written. May be read at any time by any thread.</summary>
    public IReadOnlyList<T> Committed
    {
        get
        {
            lock (_lock) return [.. _committed.SelectMany(c => c.Records)];
        }
    }

    /// <summary>Whether the job's input has ended and all its output is committed.</summary>
    public bool IsFinished { get; private set; }

    /// <inheritdoc/>
    public override ValueTask<SinkWriter<T>> OpenAsync(SinkContext context, CancellationToken cancellation) => new(new Writer(this, context));

    /// <inheritdoc/>
    public override ValueTask CommitAsync(IReadOnlyList<PendingOutput> outputs, CommitPermit permit, CancellationToken cancellation)
    {
        lock (_lock)
        {
            foreach (var output in outputs)
            {
                if (output.Checkpoint > permit.Checkpoint)
                    throw new StreamException($"Output of checkpoint {output.Checkpoint} must not be committed with the permit of checkpoint {permit.Checkpoint}.");
                if (!_prepared.ContainsKey(output.Handle) && !_committedHandles.Contains(output.Handle))
                    throw new StreamException($"Output '{output.Handle}' was not prepared in this process: a {nameof(CollectingSink<T>)} keeps its output in memory, and the job was started elsewhere.");
            }

            foreach (var output in outputs)
            {
                if (!_prepared.Remove(output.Handle, out var prepared)) continue;
                _committedHandles.Add(output.Handle);
                _committed.Add((output.Handle, prepared.Checkpoint, prepared.Records));
            }
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override ValueTask FinishAsync(long outputs, CommitPermit permit, CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (_committed.Count != outputs)
                throw new StreamException($"The job committed {outputs} outputs, this {nameof(CollectingSink<T>)} has {_committed.Count}: it keeps its output in memory, and the job ran elsewhere before.");
            IsFinished = true;
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override ValueTask WithdrawAsync(CheckpointId after, Attempt before, CommitPermit permit, CancellationToken cancellation)
    {
        lock (_lock)
        {
            bool IsTaken(CheckpointId checkpoint) => checkpoint > after && checkpoint.Attempt.CompareTo(before) < 0;
            foreach (var committed in _committed.Where(c => IsTaken(c.Checkpoint))) _committedHandles.Remove(committed.Handle);
            _committed.RemoveAll(c => IsTaken(c.Checkpoint));
            // What waits as well, so that no belated commit can bring it back.
            foreach (var (handle, _) in _prepared.Where(p => IsTaken(p.Value.Checkpoint)).ToList()) _prepared.Remove(handle);
        }

        return ValueTask.CompletedTask;
    }

    private string Keep(SinkContext context, CheckpointId checkpoint, T[] records)
    {
        var handle = $"{checkpoint}-{context.Subtask}-{context.Incarnation}";
        lock (_lock)
        {
            if (_committedHandles.Contains(handle) || !_prepared.TryAdd(handle, (checkpoint, records)))
                throw new StreamException($"Output '{handle}' was prepared before: a checkpoint is prepared once by each opening of a subtask.");
        }

        return handle;
    }

    private sealed class Writer(CollectingSink<T> sink, SinkContext context) : SinkWriter<T>
    {
        private readonly List<T> _written = [];

        public override void Write(ReadOnlySpan<T> values, ReadOnlySpan<long> timestamps) => _written.AddRange(values);

        public override ValueTask<string?> PrepareAsync(CheckpointId checkpoint, CancellationToken cancellation)
        {
            if (_written.Count == 0) return new((string?)null);
            var handle = sink.Keep(context, checkpoint, [.. _written]);
            _written.Clear();
            return new(handle);
        }
    }
}
