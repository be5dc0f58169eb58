using OrleansStream.Exchange;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Tests.Functions;
using OrleansStream.Tests.State;
using Barrier = OrleansStream.Exchange.Barrier;

namespace OrleansStream.Tests.Stages;

/// <summary>One subtask of a job at parallelism 1, without neighbours: its channels are written and read by hand.</summary>
internal sealed class LoneSubtask
{
    private readonly long[] _sequence;
    private long _elapsed;

    private LoneSubtask(Subtask subtask, SubtaskContext context)
    {
        Subtask = subtask;
        Context = context;
        _sequence = new long[subtask.Inputs.Count];
        foreach (var input in subtask.Inputs) input.FromIncarnation = Wiring.UpperOpening;
        foreach (var output in subtask.Outputs) output.Address(Attempt.First, Wiring.LowerOpening, new Incarnation(33));
    }

    public Subtask Subtask { get; }

    public SubtaskContext Context { get; }

    /// <summary>The stage of a job that an operator is in.</summary>
    public static async Task<LoneSubtask> OpenAsync(Action<JobGraph> define, string stageName, SegmentStore? store = null, IReadOnlyList<SegmentChain>? chains = null)
    {
        var graph = new JobGraph(Wiring.Context().Services);
        define(graph);
        var plan = JobPlan.Create("payments", graph, 1, 128);
        var stage = plan.Stages.Single(stage => stage.Name == stageName);
        var splits = stage.Head is SourceNode source ? (await source.DiscoverAsync(TestContext.Current.CancellationToken)).ToArray() : [];
        var context = Wiring.Context(new SubtaskId(stage.Index, 0), 1, stageName, splits);
        var subtask = new Subtask(context, stage);
        if (chains is not null) await subtask.RestoreAsync(store!, chains, TestContext.Current.CancellationToken);
        foreach (var step in context.Operators) await step.OpenAsync(TestContext.Current.CancellationToken);
        return new LoneSubtask(subtask, context);
    }

    /// <summary>Sends the next envelope on a channel.</summary>
    public void Send(int channel, Batch? batch = null, long watermark = long.MinValue, bool idle = false, Barrier? barrier = null, bool end = false)
    {
        Assert.Null(Subtask.Accept(Made(channel, ++_sequence[channel], batch, watermark, idle, barrier, end), out _));
    }

    public Envelope Made(int channel, long sequence, Batch? batch = null, long watermark = long.MinValue, bool idle = false, Barrier? barrier = null, bool end = false) =>
        Wiring.Envelope(sequence, batch, channel, watermark, idle, barrier, end, Subtask.Inputs[channel].From);

    public StepResult Step(long advance = 0)
    {
        _elapsed += advance;
        return Subtask.Step(new Clock(1_000_000 + _elapsed, _elapsed));
    }

    /// <summary>Steps until there is nothing to do, no room, or a snapshot or end to act on.</summary>
    public StepResult Run()
    {
        for (var steps = 0; steps < 100_000; steps++)
        {
            if (Step() is { Kind: not StepKind.More } result) return result;
        }

        throw new InvalidOperationException("The subtask stepped 100,000 times without coming to rest.");
    }

    /// <summary>Encodes a snapshot into a store, as the subtask's driver does.</summary>
    public static IReadOnlyList<SegmentChain> Save(SegmentStore store, SubtaskSnapshot snapshot) =>
        [new SegmentChain(0, new KeyGroupRange(0, 128), [store.Put($"segment-{snapshot.Barrier.Checkpoint}", snapshot.Frozen.Encode())])];
}

/// <summary>Two sources of commands, merged, and a counter per key: <c>a</c> counts, <c>a?</c> tells.</summary>
internal static class CountingJob
{
    public static void Define(JobGraph graph, RecordingSink<string> sink) => graph
        .From("left", Collections.From<string>([]))
        .Merge(graph.From("right", Collections.From<string>([])))
        .KeyBy(static command => command[..1])
        .Process("count", static _ => new Script(
            static (command, ref context) =>
            {
                if (command.EndsWith('?')) context.Emit($"{context.Key}={context.Get(Script.Count)} at {context.Watermark}");
                else context.Update(Script.Count, static n => n + 1);
            },
            null))
        .To("results", sink);

    public static Batch<string> Batch(params string[] commands) =>
        new([.. commands], new long[commands.Length], [.. commands.Select(static command => KeyCodec<string>.Default.Hash(command[..1]))]);
}

/// <summary>A sink that remembers what was written, and when it was cut. Not to be renamed: a recorded fingerprint names it (Formats/Recorded).</summary>
internal sealed class RecordingSink<T> : Sink<T>
{
    public List<string> Written { get; } = [];

    public override SinkGuarantee Guarantee => SinkGuarantee.AtLeastOnce;

    public override ValueTask<SinkWriter<T>> OpenAsync(SinkContext context, CancellationToken cancellation) => new(new Writer(Written));

    private sealed class Writer(List<string> written) : SinkWriter<T>
    {
        public override void Write(ReadOnlySpan<T> values, ReadOnlySpan<long> timestamps)
        {
            foreach (var value in values) written.Add($"{value}");
        }

        public override ValueTask<string?> PrepareAsync(CheckpointId checkpoint, CancellationToken cancellation)
        {
            written.Add($"cut {checkpoint}");
            return new((string?)null);
        }
    }
}
