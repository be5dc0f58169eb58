using OrleansStream.Benchmarks.Input;
using OrleansStream.Graph;

namespace OrleansStream.Benchmarks.Operators;

/// <summary>The engine's side of an operator: a graph over inputs in memory, in one embedded silo.</summary>
/// <param name="description">The graph in one line.</param>
/// <param name="define">Makes the graph; the answer is asked for when the job has ended.</param>
internal sealed class OperatorJob(string description, Func<RunSettings, (Action<JobGraph> Define, Func<Answer> Answer)> define) : IContender
{
    public string Name => "orleansstream";

    public string Description => description;

    public async Task<Outcome> RunAsync(RunSettings settings)
    {
        var (graph, answer) = define(settings);
        var checkpoints = await EmbeddedSilo.RunAsync(settings, graph);
        return new Outcome(answer(), checkpoints);
    }
}

/// <summary>The same as one loop on one thread, with the collections that .NET brings, without checkpoints.</summary>
internal sealed class OperatorLoop(string description, Func<RunSettings, Answer> run) : IContender
{
    public string Name => "plain-loop";

    public string Description => description;

    public Task<Outcome> RunAsync(RunSettings settings) => Task.FromResult(new Outcome(run(settings)));
}

/// <summary>Inputs in memory that several workloads share, made when first asked for.</summary>
internal sealed class SharedInput<TRecord>(Func<RunSettings, Func<long, TRecord>> make)
    where TRecord : struct, ITimedRecord<TRecord>
{
    private RecordInput<TRecord>? _input;

    public RecordInput<TRecord> Of(RunSettings settings) => _input is { } input && input.Keys == settings.Keys ? input : _input = new RecordInput<TRecord>(settings.Keys, make(settings));

    /// <summary>All records of a run in order, a block at a time.</summary>
    public void ForEach(RunSettings settings, BlockAction<TRecord> take)
    {
        var input = Of(settings);
        for (long n = 0; n < settings.Events; n += RecordInput<TRecord>.BlockLength) take(input.From(n, settings.Events, out var shift), shift);
    }
}

/// <summary>Takes a block of records, whose times are to be shifted.</summary>
internal delegate void BlockAction<TRecord>(ReadOnlySpan<TRecord> records, long shift);
