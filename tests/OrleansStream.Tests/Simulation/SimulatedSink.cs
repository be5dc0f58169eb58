using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream.Tests.Simulation;

/// <summary>What one sink writes to: outlives every writer. Staged output becomes visible by a commit, once.</summary>
internal sealed class Target(string name)
{
    private readonly Dictionary<string, (CheckpointId Checkpoint, string[] Lines)> _staged = [];
    private readonly Dictionary<string, (CheckpointId Checkpoint, string[] Lines)> _committed = [];

    public string Name => name;

    /// <summary>Hears of output in the moment in which it becomes visible.</summary>
    public Action<PendingOutput, CommitPermit>? Committed { get; set; }

    public long? Finished { get; set; }

    /// <summary>Everything that is visible.</summary>
    public IEnumerable<string> Lines => _committed.Values.SelectMany(static output => output.Lines);

    public int Commits => _committed.Count;

    public bool IsCommitted(string handle) => _committed.ContainsKey(handle);

    public bool IsKnown(string handle) => _committed.ContainsKey(handle) || _staged.ContainsKey(handle);

    /// <summary>What is visible, and some output that is staged.</summary>
    public IEnumerable<string> LinesWith(IEnumerable<PendingOutput> pending) =>
        Lines.Concat(pending.Where(output => !IsCommitted(output.Handle)).SelectMany(output => _staged.TryGetValue(output.Handle, out var staged) ? staged.Lines : []));

    public bool Stage(string handle, CheckpointId checkpoint, string[] lines) => !IsCommitted(handle) && _staged.TryAdd(handle, (checkpoint, lines));

    public void Commit(PendingOutput output, CommitPermit permit)
    {
        if (output.Checkpoint > permit.Checkpoint) throw new StreamException($"Output of checkpoint {output.Checkpoint} came with the permit of {permit.Checkpoint}.");
        if (IsCommitted(output.Handle)) return;
        if (!_staged.Remove(output.Handle, out var staged)) throw new StreamException($"Output '{output.Handle}' of sink '{name}' is neither staged nor committed.");
        _committed.Add(output.Handle, staged);
        Committed?.Invoke(output, permit);
    }
}

/// <summary>An exactly-once sink whose calls take time and fail, before, after, or halfway through what they were to do.</summary>
internal sealed class SimulatedSink(SimulatedRun run, Target target) : Sink<string>
{
    public override SinkGuarantee Guarantee => SinkGuarantee.ExactlyOnce;

    public override async ValueTask<SinkWriter<string>> OpenAsync(SinkContext context, CancellationToken cancellation)
    {
        await Task.Delay(TimeSpan.FromTicks(run.Random.Next(20_000)), run.Scheduler, cancellation);
        return new Writer(run, target, context);
    }

    public override async ValueTask CommitAsync(IReadOnlyList<PendingOutput> outputs, CommitPermit permit, CancellationToken cancellation)
    {
        if (run.Breakage == Breakage.PendingNotCommitted && run.IsJob(run.Scheduler.Current)) return;
        await CallAsync(
            $"commit {outputs.Count} outputs to sink '{target.Name}'",
            () =>
            {
                var halfway = run.Weather.Strikes(run.Weather.SinkFaultRate) ? run.Random.Next(outputs.Count) : outputs.Count;
                foreach (var output in outputs.Take(halfway)) target.Commit(output, permit);
                run.Trace?.Invoke($"sink '{target.Name}': committed {string.Join(", ", outputs.Take(halfway).Select(static output => output.Handle))} by {permit.Checkpoint}");
                return halfway == outputs.Count ? true : throw new StreamException($"The simulation committed {halfway} of {outputs.Count} outputs to sink '{target.Name}'.");
            },
            cancellation);
    }

    public override async ValueTask FinishAsync(long outputs, CommitPermit permit, CancellationToken cancellation) => await CallAsync(
        $"finish sink '{target.Name}'",
        () =>
        {
            target.Finished = outputs;
            return true;
        },
        cancellation);

    private Task<bool> CallAsync(string what, Func<bool> act, CancellationToken cancellation) =>
        run.Outside.CallAsync(what, act, run.Weather.SinkFaultRate, static message => new StreamException(message), cancellation);

    private sealed class Writer(SimulatedRun run, Target target, SinkContext context) : SinkWriter<string>
    {
        private readonly List<string> _lines = [];

        public override void Write(ReadOnlySpan<string> values, ReadOnlySpan<long> timestamps) => _lines.AddRange(values);

        public override async ValueTask<string?> PrepareAsync(CheckpointId checkpoint, CancellationToken cancellation)
        {
            if (_lines.Count == 0) return null;
            var handle = $"{checkpoint}-{context.Subtask}-{context.Incarnation}";
            string[] lines = [.. _lines];
            _lines.Clear();
            await run.Outside.CallAsync(
                $"stage '{handle}' of sink '{target.Name}'",
                () => target.Stage(handle, checkpoint, lines),
                run.Weather.SinkFaultRate / 4,
                static message => new StreamException(message),
                cancellation);
            return handle;
        }
    }
}
