using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream.Testing.Simulation;

/// <summary>An exactly-once sink whose calls take time and fail, before, after, or halfway through what they were to do.</summary>
internal sealed class SimulatedSink<T>(SimulatedRun run, SimulatedTarget<T> target) : Sink<T>
{
    public override SinkGuarantee Guarantee => SinkGuarantee.ExactlyOnce;

    public override async ValueTask<SinkWriter<T>> OpenAsync(SinkContext context, CancellationToken cancellation)
    {
        await Task.Delay(TimeSpan.FromTicks(run.Random.Next(20_000)), run.Scheduler, cancellation);
        return new Writer(run, target, context);
    }

    public override async ValueTask CommitAsync(IReadOnlyList<PendingOutput> outputs, CommitPermit permit, CancellationToken cancellation)
    {
        if (run.Build.SkipsCommit(run)) return;
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

    private sealed class Writer(SimulatedRun run, SimulatedTarget<T> target, SinkContext context) : SinkWriter<T>
    {
        private readonly List<TestRecord<T>> _records = [];

        public override void Write(ReadOnlySpan<T> values, ReadOnlySpan<long> timestamps)
        {
            for (var i = 0; i < values.Length; i++) _records.Add(new TestRecord<T>(values[i], timestamps[i]));
        }

        public override async ValueTask<string?> PrepareAsync(CheckpointId checkpoint, CancellationToken cancellation)
        {
            if (_records.Count == 0) return null;
            var handle = $"{checkpoint}-{context.Subtask}-{context.Incarnation}";
            TestRecord<T>[] records = [.. _records];
            _records.Clear();
            await run.Outside.CallAsync(
                $"stage '{handle}' of sink '{target.Name}'",
                () => target.Stage(handle, checkpoint, records),
                run.Weather.SinkFaultRate / 4,
                static message => new StreamException(message),
                cancellation);
            return handle;
        }
    }
}
